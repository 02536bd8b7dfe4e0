#!/usr/bin/env bash
# Runs the tests of payments and the races at each gateway but the sandbox, at which `make test` runs them, on both
# databases; takes about half an hour. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh test
status=0
for gateway in stripe; do
    for database in sqlite postgresql; do
        printf '\n--- %s, %s\n' "$gateway" "$database"
        TEST_GATEWAY=$gateway .venv/bin/python -m pytest -q --tb=short --show-capture=no --database="$database" \
            tests/gateways tests/billing/payments tests/billing/races "$@" || status=1
    done
done
exit "$status"
