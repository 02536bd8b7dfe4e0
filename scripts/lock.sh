#!/usr/bin/env bash
# Pins the dependencies of pyproject.toml with their hashes; --upgrade takes newer versions.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh test
uv=$(command -v uv || echo .venv/bin/uv)

# uv pip compile keeps the addresses of indexes out of its output; uv.lock would record them.
compile() {
    local output=$1
    shift
    "$uv" pip compile --quiet --no-header --no-annotate --generate-hashes --python-version 3.11 \
        --output-file "scripts/requirements/$output.txt" "$@"
}

compile run pyproject.toml "$@"
# The same versions in both, so that the test environment is the run environment and more.
compile test pyproject.toml --extra test --constraints scripts/requirements/run.txt "$@"
echo "setuptools>=77" | compile build - "$@"
echo "uv" | compile uv - "$@"
printf 'cyclonedx-bom\npip-audit\n' | compile audit - "$@"
