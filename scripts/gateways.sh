#!/usr/bin/env bash
# Runs the contract suite, the tests of payments, the races, the crash points and the model at each gateway but the
# sandbox, at which `make test` runs them, on both databases. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh test
status=0
for gateway in stripe; do
    for database in sqlite postgresql; do
        printf '\n--- %s, %s\n' "$gateway" "$database"
        TEST_GATEWAY=$gateway .venv/bin/python -m pytest -q --tb=short --show-capture=no --database="$database" \
            tests/gateways tests/billing/payments tests/billing/races tests/crashes tests/model "$@" || status=1
    done
done
exit "$status"
