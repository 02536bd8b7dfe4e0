#!/usr/bin/env bash
# Looks up every pinned dependency in a database of known vulnerabilities. Exits 0 only when each was found there and has
# none, 1 when one has, and 2 when the database could not be asked.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! tools=$(scripts/audit-tools.sh); then
    echo "The audit could not install its tools, so nothing is known about these dependencies." >&2
    exit 2
fi
report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
for lock in run test build audit uv; do
    echo "Auditing scripts/requirements/$lock.txt"
    : >"$report"
    # --strict: without it, a package that the database does not know is left out, and the audit passes.
    PYTHONPATH=$tools .venv/bin/python -m pip_audit --strict --disable-pip --require-hashes --progress-spinner off \
        --timeout 15 --format json --output "$report" --requirement "scripts/requirements/$lock.txt" || true
    PYTHONPATH=. .venv/bin/python scripts/audit_report.py "scripts/requirements/$lock.txt" "$report" || status=$?
    [ "$status" != 2 ] || exit 2 # the other lock files would fail in the same way, after the same wait
done
exit "$status"
