#!/usr/bin/env bash
# Starts the demo, after installing what it needs to run; arguments go to `partway demo`.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh run
exec .venv/bin/partway demo --home "${PARTWAY_HOME:-$PWD/.demo}" "$@"
