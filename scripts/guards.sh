#!/usr/bin/env bash
# Changes the code and drops constraints, and shows that a test fails each time. Arguments narrow: allocations, constraints.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh test
exec .venv/bin/python -m tests.guards "$@"
