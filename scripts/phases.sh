# Runs named phases one after the other, times each, and tells at the end which took how long; sourced.
# shellcheck shell=bash

bin=$PWD/.venv/bin
scratch=$(mktemp -d)
phase=
phase_began=
table=
closing_lines= # pytest's own
last_words=    # what the script has to say after all else

milliseconds() {
    date +%s%3N
}

# phase NAME COMMAND... : the first command that fails ends the script.
phase() {
    phase=$1
    phase_began=$(milliseconds)
    printf '\n--- %s\n' "$phase"
    shift
    "$@"
    note_time
    phase=
}

note_time() {
    local took=$(($(milliseconds) - phase_began))
    table+=$(printf '%-16s %5d.%d s' "$phase" $((took / 1000)) $((took % 1000 / 100)))$'\n'
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
    if [ -n "$phase" ]; then
        note_time
    fi
    printf '\n%s' "$table"
    printf '%s' "$closing_lines"
    rm -rf "$scratch"
    if [ "$status" != 0 ]; then
        printf 'FAILED%s\n' "${phase:+ in $phase}"
    elif [ -n "$last_words" ]; then
        printf '%s\n' "$last_words"
    fi
    exit "$status"
}
trap finish EXIT

# Every check that runs no test.
static_phases() {
    phase "ruff check" "$bin/ruff" check .
    phase "ruff format" "$bin/ruff" format --check .
    phase "mypy" "$bin/mypy" --strict src
    phase "import-linter" "$bin/lint-imports" --no-logo
    phase "addresses" scripts/addresses.sh
    phase "migrations" "$bin/partway" makemigrations --check --dry-run
}
