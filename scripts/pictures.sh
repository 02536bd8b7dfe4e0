#!/usr/bin/env bash
# Retakes the pictures of the README and the guides with the browser that the tests use.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh test
PARTWAY_CHROMIUM=$(scripts/browser.sh)
export PARTWAY_CHROMIUM
PYTHONPATH=$PWD exec .venv/bin/python scripts/pictures.py
