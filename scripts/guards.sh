#!/usr/bin/env bash
# Takes each guard away and shows that its one test then fails; prints the list. Arguments narrow: -k cancel.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh test
exec .venv/bin/python -m tests.guards "$@"
