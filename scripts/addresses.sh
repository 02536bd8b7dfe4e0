#!/usr/bin/env bash
# Fails when a file of the project names a package registry's address or a folder of one machine.
set -euo pipefail
cd "$(dirname "$0")/.."

# [.] stands for a dot so that this file does not name what it looks for.
registries='(pypi|pythonhosted|npmjs|yarnpkg|debian|crates)[.](org|com|io)/(simple|packages|debian|api)|(files|registry|deb|test|index)[.](pythonhosted|npmjs|debian|pypi|crates)[.]|--(extra-)?index[-]url|--find[-]links'
folders='(^|[^[:alnum:]._~-])/(root|work|Users/[[:alnum:]]+|home/[[:alnum:]]+)/'

# What git would commit; without git, what lies here.
files() {
    git ls-files -z --cached --others --exclude-standard 2>/dev/null ||
        find . \( -name .git -o -name .venv -o -name '.*_cache' -o -name '*.egg-info' \) -prune -o -type f -print0
}

found=$(files | xargs -0 grep --no-messages --binary-files=without-match --with-filename --line-number \
    --extended-regexp --regexp="$registries" --regexp="$folders" -- || true)
if [ -n "$found" ]; then
    echo "$found"
    echo "These lines hold on one machine only: name no registry and no folder of your own." >&2
    exit 1
fi
echo "No address of a registry, no folder of a machine."
