#!/usr/bin/env bash
# Writes build/partway.cdx.json: a CycloneDX list of what an installation consists of, made from the lock file alone.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p build
rm -f build/partway.cdx.json # a failure must not leave a list of other versions behind
tools=$(scripts/audit-tools.sh)
PYTHONPATH=$tools .venv/bin/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml \
    --output-reproducible --output-file build/partway.cdx.json scripts/requirements/run.txt
.venv/bin/python scripts/check_sbom.py scripts/requirements/run.txt build/partway.cdx.json
