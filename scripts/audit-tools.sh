#!/usr/bin/env bash
# Installs the tools of the supply chain, from their lock file, beside the environment: nothing of Partway imports them.
# Prints the folder for PYTHONPATH.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$PWD/.venv/audit-tools
lock=scripts/requirements/audit.txt

scripts/install.sh run >&2
if ! cmp -s "$lock" "$folder/installed"; then
    rm -rf "$folder"
    .venv/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --target "$folder" -r "$lock" >&2
    cp "$lock" "$folder/installed"
fi
echo "$folder"
