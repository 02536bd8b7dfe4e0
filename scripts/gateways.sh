#!/usr/bin/env bash
# Runs the contract suite, the tests of payments, the races, the crash points and the model at each gateway but the
# sandbox, at which `make test` runs them: on each database its share, as there. Arguments go to pytest; --all runs every
# test on both databases.
set -euo pipefail
cd "$(dirname "$0")/.."

split=(--split)
narrowing=()
for argument in "$@"; do
    if [ "$argument" = --all ]; then
        split=()
    else
        narrowing+=("$argument")
    fi
done

scripts/install.sh test
status=0
for gateway in stripe; do
    for database in sqlite postgresql; do
        printf '\n--- %s, %s\n' "$gateway" "$database"
        ended=0
        TEST_GATEWAY=$gateway .venv/bin/python -m pytest -q --tb=short --show-capture=no --database="$database" "${split[@]}" \
            tests/gateways tests/billing/payments tests/billing/races tests/crashes tests/model "${narrowing[@]}" || ended=$?
        # 5 is "no tests ran", which only arguments can excuse: they may fit none of this database's share.
        if [ "$ended" != 0 ] && { [ "$ended" != 5 ] || [ ${#narrowing[@]} = 0 ]; }; then
            status=1
        fi
    done
done
exit "$status"
