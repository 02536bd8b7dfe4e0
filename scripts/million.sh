#!/usr/bin/env bash
# Verifies a million payments on both databases and prints what it took. Arguments: --invoices N for fewer.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh test
for database in sqlite postgresql; do
    PYTHONPATH=$PWD .venv/bin/python bench/verify.py --database "$database" "$@"
done
