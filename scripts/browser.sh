#!/usr/bin/env bash
# Prints the path of a Chromium for the journeys: the one named or found, else the distribution's, installed now.
set -euo pipefail

find_browser() {
    local name
    if [ -n "${PARTWAY_CHROMIUM:-}" ]; then
        if ! command -v "$PARTWAY_CHROMIUM"; then
            echo "PARTWAY_CHROMIUM names no program: $PARTWAY_CHROMIUM" >&2
            exit 1
        fi
        return
    fi
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" && return
    done
    return 1
}

install_browser() {
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        as_root=(sudo -n)
    fi
    # A mirror's old list of packages is the usual reason for an install that fails.
    "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
}

if find_browser; then
    exit
fi
echo "No browser yet: installing the distribution's Chromium" >&2
if ! install_browser >&2 || ! find_browser; then
    cat >&2 <<'TEXT'
The journeys need a browser, and it could not be installed from here. Run this, then try again:

    sudo apt-get update && sudo apt-get install --no-install-recommends chromium

Or name one you have with PARTWAY_CHROMIUM=/path/to/chromium, or leave the journeys out with BROWSER=0.
TEXT
    exit 1
fi
