#!/usr/bin/env bash
# Removes the environment and the tools' caches; homes of installations stay.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf .venv .guards .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist src/*.egg-info
find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
