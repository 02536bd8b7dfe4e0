#!/usr/bin/env bash
# Measures the busiest acts on PostgreSQL beside a floor. Arguments: --invoices N, --rounds N, --save.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh test
exec .venv/bin/python -m bench "$@"
