#!/usr/bin/env bash
# Sends every nasty text to every path, field, parameter and header, and what Schemathesis makes of the OpenAPI document to
# every call, on both databases; takes some hours. Arguments go to
# pytest. PARTWAY_FUZZ=5000 tries a sample of that size instead.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh test
export PARTWAY_FUZZ=${PARTWAY_FUZZ:-all}
status=0
for database in sqlite postgresql; do
    printf '\n--- %s\n' "$database"
    .venv/bin/python -m pytest -q --tb=short --show-capture=stdout --database="$database" tests/attacks/test_fuzzing.py \
        tests/sandbox/test_fuzzing.py tests/api/test_schemathesis.py "$@" || status=1
done
exit "$status"
