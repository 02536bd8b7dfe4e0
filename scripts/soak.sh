#!/usr/bin/env bash
# Lets the model of billing hunt for a long time, half of it on each database, and generated years of the journal for a
# tenth of that time more: --minutes 60, --seed N to begin where a run that failed began. Ends with 1 when the product
# did something else than the model says, and prints the steps.
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=60
seed=
while [ $# -gt 0 ]; do
    case $1 in
        --minutes) minutes=${2:?how many} && shift 2 ;;
        --seed) seed=${2:?which} && shift 2 ;;
        *) echo "usage: scripts/soak.sh [--minutes N] [--seed N]" >&2 && exit 2 ;;
    esac
done

scripts/install.sh test
half=$(awk -v minutes="$minutes" 'BEGIN { print minutes / 2 }')
status=0
for database in sqlite postgresql; do
    printf '\n--- %s, %s minutes\n' "$database" "$half"
    SOAK_MINUTES=$half SOAK_SEED=$seed .venv/bin/python -m pytest -q --tb=short --show-capture=no \
        --database="$database" tests/model/soak.py tests/billing/journal/soak.py || status=1
done
exit "$status"
