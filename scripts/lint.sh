#!/usr/bin/env bash
# Runs the checks that run no test.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/phases.sh

phase "install" scripts/install.sh test
forget_installation
static_phases
