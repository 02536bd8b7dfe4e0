#!/usr/bin/env bash
# Runs everything CI runs, in phases, and stops at the first that fails. Arguments narrow pytest: -k cancel.
# BROWSER=0 leaves out the tests that need a browser, and says how many.
set -euo pipefail
cd "$(dirname "$0")/.."

browser=${BROWSER:-1}
if [ "$browser" = 0 ] && [ "${CI:-}" = true ]; then
    echo "BROWSER=0 is refused where CI=true: a green run must mean that the journeys ran." >&2
    exit 2
fi
source scripts/phases.sh

color=()
if [ -t 1 ]; then
    color=(--color=yes)
fi
narrowing=("$@")

find_browser() {
    PARTWAY_CHROMIUM=$(scripts/browser.sh)
    export PARTWAY_CHROMIUM
    "$PARTWAY_CHROMIUM" --version
}

# Keeps pytest's closing line for the end of the output.
run_pytest() {
    local status=0 log=$scratch/pytest.log
    "$bin/python" -m pytest "${color[@]}" "$@" "${narrowing[@]}" 2>&1 | tee "$log" || status=$?
    closing_lines+=$(tail -n 1 "$log")$'\n'
    # 5 is "no tests ran", which only arguments can excuse: they may fit none of this phase's tests.
    if [ "$status" = 5 ] && [ ${#narrowing[@]} -gt 0 ]; then
        status=0
    fi
    return "$status"
}

count_journeys() {
    local status=0 collected
    collected=$("$bin/python" -m pytest -m browser --collect-only -q "${narrowing[@]}" 2>&1) || status=$?
    if [ "$status" != 0 ] && [ "$status" != 5 ]; then
        echo "$collected"
        return "$status"
    fi
    last_words="BROWSER=0: tests left out for want of a browser: $(grep -c '::' <<<"$collected" || true)"
}

phase "install" scripts/install.sh test
if [ "$browser" != 0 ]; then
    phase "browser" find_browser
fi
forget_installation
static_phases
phase "SQLite" run_pytest -n 2 --database=sqlite -m "not browser"
phase "PostgreSQL" run_pytest -n 2 --database=postgresql -m "not browser"
if [ "$browser" = 0 ]; then
    phase "count journeys" count_journeys
else
    phase "journeys" run_pytest -m browser
fi
phase "tour" "$bin/partway" tour
