#!/usr/bin/env bash
# Runs everything CI runs, in three lists of phases at once, and stops at the first that fails. Arguments narrow pytest: -k cancel.
# --all runs every test on both databases, where each otherwise leaves to the other what that one holds for both.
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
split=(--split)
narrowing=()
for argument in "$@"; do
    if [ "$argument" = --all ]; then
        split=()
    else
        narrowing+=("$argument")
    fi
done

find_browser() {
    PARTWAY_CHROMIUM=$(scripts/browser.sh)
    export PARTWAY_CHROMIUM
    "$PARTWAY_CHROMIUM" --version
}

# run_pytest NAME ARGUMENTS... : keeps pytest's closing line and its slowest tests for the end of the output.
run_pytest() {
    local name=$1 status=0 log
    log=$(mktemp "$scratch/pytest.XXXX")
    shift
    # Ctrl-C is for pytest, which still has to say what became of the tests.
    interruptible "$bin/python" -m pytest --durations=10 "${color[@]}" "$@" "${narrowing[@]}" 2>&1 |
        (trap '' INT && exec tee "$log") || status=$?
    tail -n 1 "$log" >>"$closing"
    sed -nE "s/^([0-9.]+s (call|setup|teardown) .*)/\1 ($name)/p" "$log" >>"$slowest"
    # 5 is "no tests ran", which only arguments can excuse: they may fit none of this phase's tests.
    if [ "$status" = 5 ] && [ ${#narrowing[@]} -gt 0 ]; then
        status=0
    fi
    return "$status"
}

# on_database NAME PROCESSES : the share of this database, or with --all every test.
on_database() {
    phase "$1" run_pytest "$1" -n "$2" --dist worksteal --database="${1,,}" "${split[@]}" -m "not browser"
}

count_journeys() {
    local status=0 collected
    collected=$("$bin/python" -m pytest -m browser --collect-only -q "${narrowing[@]}" 2>&1) || status=$?
    if [ "$status" != 0 ] && [ "$status" != 5 ]; then
        echo "$collected"
        return "$status"
    fi
    echo "BROWSER=0: tests left out for want of a browser: $(grep -c '::' <<<"$collected" || true)" >"$last_words"
}

# Imports every test once: the processes that begin next would each rewrite the assertions of all files.
compile_tests() {
    local collected
    if ! collected=$("$bin/python" -m pytest --collect-only -q 2>&1); then
        echo "$collected"
        return 1
    fi
}

# Three lists, so that no processor waits while one of them waits for a browser, a lock or another process. The shorter ones
# begin with what needs no test, until all tests are compiled.
on_sqlite() {
    if [ ${#narrowing[@]} = 0 ]; then
        phase "compile tests" compile_tests
    fi
    on_database SQLite "$(($(nproc) + 1))"
}

checks_and_postgresql() {
    static_phases
    on_database PostgreSQL "$(nproc)"
}

tour_and_journeys() {
    phase "tour" interruptible "$bin/partway" tour
    if [ "$browser" = 0 ]; then
        phase "count journeys" count_journeys
        return
    fi
    # Only their files, since to collect all tests takes as long as three journeys.
    local files=()
    if [ ${#narrowing[@]} = 0 ]; then
        mapfile -t files < <(grep -rl --include="test_*.py" "mark\.browser" tests)
    fi
    phase "journeys" run_pytest journeys "${split[@]}" -m browser "${files[@]}"
}

phase "install" scripts/install.sh test
if [ "$browser" != 0 ]; then
    phase "browser" find_browser
fi
forget_installation
together on_sqlite checks_and_postgresql tour_and_journeys
