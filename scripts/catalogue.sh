#!/usr/bin/env bash
# Updates the catalogue of texts, src/partway/delivery/locale/en/LC_MESSAGES/django.po. With --check, fails if that would change it.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$PWD/.venv/bin/python
in_package=delivery/locale/en/LC_MESSAGES/django.po
catalogue=$PWD/src/partway/$in_package

scripts/gettext.sh
# In a copy, because makemessages writes Python files beside the templates while it reads them, which tests would find.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r src/partway "$copy/partway"
mkdir -p "$copy/partway/$(dirname "$in_package")"

# Without locations and dates, the file changes only with the texts.
cd "$copy/partway"
PYTHONPATH=$copy "$python" -m partway makemessages --locale en --no-location --no-obsolete --no-wrap --verbosity 0
sed -i '/^"POT-Creation-Date: /d; /^"PO-Revision-Date: /d' "$in_package"

if [ "${1:-}" != --check ]; then
    mkdir -p "$(dirname "$catalogue")"
    cp "$in_package" "$catalogue"
elif ! cmp -s "$catalogue" "$in_package"; then
    diff -u "$catalogue" "$in_package" | tail -n +3 >&2 || true
    echo "The catalogue is not current: run scripts/catalogue.sh and commit what it changes." >&2
    exit 1
fi
