#!/usr/bin/env bash
# Updates the catalogue of texts, src/partway/delivery/locale/en/LC_MESSAGES/django.po. With --check, fails if that changes it.
set -euo pipefail
cd "$(dirname "$0")/.."
partway=$PWD/.venv/bin/partway
catalogue=$PWD/src/partway/delivery/locale/en/LC_MESSAGES/django.po

scripts/gettext.sh
mkdir -p "$(dirname "$catalogue")"
before=$(mktemp)
trap 'rm -f "$before"' EXIT
if [ -e "$catalogue" ]; then
    cp "$catalogue" "$before"
fi

# Without locations and dates, the file changes only with the texts.
cd src/partway
"$partway" makemessages --locale en --no-location --no-obsolete --no-wrap --verbosity 0
sed -i '/^"POT-Creation-Date: /d; /^"PO-Revision-Date: /d' "$catalogue"

if [ "${1:-}" = --check ] && ! cmp -s "$before" "$catalogue"; then
    diff -u "$before" "$catalogue" | tail -n +3 >&2 || true
    cp "$before" "$catalogue"
    echo "The catalogue is not current: run scripts/catalogue.sh and commit what it changes." >&2
    exit 1
fi
