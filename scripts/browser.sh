#!/usr/bin/env bash
# Prints the path of a Chromium for the journeys: the one named or found, else the distribution's, installed now.
# The one without windows needs a third less CPU than the whole browser, so CI installs it also beside that.
set -euo pipefail

package=chromium-headless-shell

find_browser() {
    local name
    for name in "$package" chromium chromium-browser google-chrome; do
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
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package"
}

if [ -n "${PARTWAY_CHROMIUM:-}" ]; then
    if ! command -v "$PARTWAY_CHROMIUM"; then
        echo "PARTWAY_CHROMIUM names no program: $PARTWAY_CHROMIUM" >&2
        exit 1
    fi
    exit
fi
if ! find_browser >/dev/null || [ "${CI:-}" = true ] && ! command -v "$package" >/dev/null; then
    echo "Installing the distribution's $package" >&2
    install_browser >&2 || echo "$package could not be installed" >&2
fi
if ! find_browser; then
    cat >&2 <<'TEXT'
The journeys need a browser, and it could not be installed from here. Run this, then try again:

    sudo apt-get update && sudo apt-get install --no-install-recommends chromium-headless-shell

Or name one you have with PARTWAY_CHROMIUM=/path/to/chromium, or leave the journeys out with BROWSER=0.
TEXT
    exit 1
fi
