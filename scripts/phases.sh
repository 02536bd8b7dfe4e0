# Runs named phases, times each, and tells at the end which took how long; sourced. Lists of phases may run beside the
# script's own: what they print is kept until the end, and whichever fails first ends them all.
# shellcheck shell=bash

bin=$PWD/.venv/bin
scratch=$(mktemp -d)
times=$scratch/times         # a line for each phase that ended, in the order of their ends
failed=$scratch/failed       # the first phase that failed
closing=$scratch/closing     # pytest's own closing lines
last_words=$scratch/words    # what the script has to say after all else
slowest=$scratch/slowest     # what pytest says of its slowest tests
touch "$times" "$closing" "$last_words" "$slowest"

# Programs start some hundred times in a run; each would compile our code again where the caller's environment or the
# installer leaves no bytecode behind. It is kept out of the checkout.
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX=$PWD/.venv/bytecode

milliseconds() {
    date +%s%3N
}

# phase NAME COMMAND... : the first command that fails ends the script.
phase() {
    local name=$1 began status=0
    began=$(milliseconds)
    printf '\n--- %s\n' "$name"
    shift
    "$@" || status=$?
    local took=$(($(milliseconds) - began))
    printf '%-16s %5d.%d s\n' "$name" $((took / 1000)) $((took % 1000 / 100)) >>"$times"
    if [ "$status" != 0 ]; then
        [ -e "$failed" ] || echo "$name" >"$failed"
        exit "$status"
    fi
}

# together HERE BESIDE... : functions that run phases, at the same time. HERE prints as it goes, the others when all have ended.
together() {
    local function ended first=0 left
    set -m # each in a process group of its own, which can be ended as a whole
    for function in "${@:2}"; do
        "$function" >"$scratch/beside_$function" 2>&1 </dev/null &
        groups+=($!)
    done
    "$1" </dev/null &
    groups+=($!)
    set +m
    left=("${groups[@]}")
    while [ ${#left[@]} -gt 0 ] && [ "$first" = 0 ]; do
        wait -n -p ended "${left[@]}" || first=$?
        mapfile -t left < <(printf '%s\n' "${left[@]}" | grep -vx "$ended")
    done
    end_all
    for function in "${@:2}"; do
        cat "$scratch/beside_$function"
    done
    return "$first"
}

groups=()

# Lets Ctrl-C end this command also where the script itself was started in the background, and so ignores it.
interruptible() {
    env --default-signal=INT "$@"
}

# Ends what still runs of them, as Ctrl-C would: tests take down the processes they have started.
end_all() {
    local group waited
    for group in "${groups[@]}"; do
        kill -INT -- "-$group" 2>/dev/null || true
    done
    for group in "${groups[@]}"; do
        for ((waited = 0; waited < 200; waited++)); do
            kill -0 -- "-$group" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL -- "-$group" 2>/dev/null || true
    done
}

# Keeps the caller's installation out of what the checks read: its database, its mail, its key.
forget_installation() {
    local name
    for name in $(compgen -e | grep -E '^(PARTWAY_|DATABASE_URL$|EMAIL_URL$)' || true); do
        case $name in
            PARTWAY_TEST_* | PARTWAY_CHROMIUM) ;;
            *) unset "$name" ;;
        esac
    done
    export PARTWAY_HOME=$scratch/home
    export PARTWAY_SECRET_KEY="a key that only checks may use, and long enough to pass as one"
    mkdir "$PARTWAY_HOME"
}

finish() {
    local status=$?
    trap - EXIT INT TERM
    end_all
    printf '\n'
    if [ -s "$slowest" ]; then
        printf 'The slowest tests:\n'
        sort --numeric-sort --reverse "$slowest" | head -n 10
        printf '\n'
    fi
    cat "$times" "$closing"
    if [ "$status" != 0 ]; then
        printf 'FAILED%s\n' "$([ -e "$failed" ] && echo " in $(cat "$failed")")"
    else
        cat "$last_words"
    fi
    rm -rf "$scratch"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Every check that runs no test.
static_phases() {
    phase "ruff check" "$bin/ruff" check .
    phase "ruff format" "$bin/ruff" format --check .
    phase "mypy" "$bin/mypy" --strict src clients/python/src
    phase "import-linter" "$bin/lint-imports" --no-logo
    phase "addresses" scripts/addresses.sh
    phase "migrations" "$bin/partway" makemigrations --check --dry-run
    phase "catalogue" scripts/catalogue.sh --check
}
