#!/usr/bin/env bash
# Installs the distribution's gettext, which makemessages runs, where it is not there yet.
set -euo pipefail

find_gettext() {
    command -v xgettext && command -v msgmerge && command -v msgattrib
}

install_gettext() {
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        as_root=(sudo -n)
    fi
    # A mirror's old list of packages is the usual reason for an install that fails.
    "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gettext
}

if find_gettext >/dev/null; then
    exit
fi
echo "No gettext yet: installing the distribution's" >&2
if ! install_gettext >&2 || ! find_gettext >/dev/null; then
    cat >&2 <<'TEXT'
The catalogue of texts is made by gettext, and it could not be installed from here. Run this, then try again:

    sudo apt-get update && sudo apt-get install --no-install-recommends gettext
TEXT
    exit 1
fi
