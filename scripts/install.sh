#!/usr/bin/env bash
# Makes .venv and installs what a lock file pins: `run` to use Partway, `test` to work on it.
# Does nothing when that lock is installed already.
set -euo pipefail
cd "$(dirname "$0")/.."

kind=${1:?run or test}
venv=$PWD/.venv
python=$venv/bin/python

find_python() {
    local candidate
    # The distribution's own first: it is compiled with a profile, which one built by hand seldom is, so all of ours takes
    # less CPU, the tests 6 %; and it gets security updates.
    for candidate in "${PYTHON:-}" /usr/bin/python3.11 python3.11 python3; do
        # ensurepip is what Debian leaves out until python3-venv is installed.
        if "$candidate" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Partway needs Python 3.11 or newer with venv. On Debian, as root: apt-get install python3-venv" >&2
    return 1
}

# An environment knows its own path: one that was moved or copied here is none.
has_venv() {
    "$python" -c '' 2>/dev/null && grep -qF "$venv" "$venv/bin/activate"
}

make_venv() {
    local base
    base=$(find_python)
    "$base" -m venv --clear "$venv"
}

pip_install() {
    "$python" -m pip --disable-pip-version-check install --quiet --quiet "$@"
}

# uv reads none of pip's settings, so it is told of an index or certificates that only pip would know.
borrow_pip_settings() {
    local index
    export UV_SYSTEM_CERTS=1
    index=${PIP_INDEX_URL:-$("$python" -m pip config get global.index-url 2>/dev/null || true)}
    if [ -n "$index" ]; then
        export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$index}
    fi
    if [ -n "${PIP_CERT:-}" ]; then
        export SSL_CERT_FILE=${SSL_CERT_FILE:-$PIP_CERT}
    fi
}

# Sets `uv`, and leaves it empty where uv cannot be had: pip does the same work, only slower.
find_uv() {
    uv=$(command -v uv || true)
    if [ "${PARTWAY_PIP_ONLY:-0}" = 1 ]; then
        uv=
    elif [ -z "$uv" ] && pip_install --only-binary uv --require-hashes -r scripts/requirements/uv.txt; then
        uv=$venv/bin/uv
    fi
}

install_packages() {
    if [ -n "$uv" ]; then
        "$uv" pip install --quiet --python "$python" "$@" && return
        echo "uv could not; trying pip" >&2
        uv=
    fi
    pip_install "$@"
}

install_all() {
    has_venv || make_venv
    borrow_pip_settings
    find_uv
    echo "Installing scripts/requirements/$kind.txt into .venv"
    install_packages --require-hashes -r scripts/requirements/build.txt -r "scripts/requirements/$kind.txt"
    # Apart, because a folder has no hash; with the setuptools just pinned, because a build's own would not be.
    install_packages --no-deps --no-build-isolation --editable .
}

stamp() {
    cat "scripts/requirements/$1.txt" scripts/requirements/build.txt pyproject.toml | sha256sum
}

is_installed() {
    has_venv && stamp "$1" | cmp -s - "$venv/installed-$1"
}

if ! is_installed "$kind"; then
    install_all
    stamp run >"$venv/installed-run" # of which the test lock holds every pin
    if [ "$kind" = test ]; then
        stamp test >"$venv/installed-test"
    fi
fi
