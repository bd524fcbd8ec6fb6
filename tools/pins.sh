#!/usr/bin/env bash
# Compiles requirements/*.in into pins with hashes. `tools/pins.sh --upgrade` takes the newest versions.
# uv is fetched for this alone, into a folder of its own; its output records hashes and no addresses.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch"
"$scratch/bin/pip" install --quiet --disable-pip-version-check uv
compile() { "$scratch/bin/uv" pip compile --quiet --generate-hashes --no-header "$@"; }

compile --universal --python-version 3.11 requirements/dev.in --output-file requirements/dev.txt "$@"
compile --universal --python-version 3.11 requirements/scan.in --output-file requirements/scan.txt "$@"
compile --universal --python-version 3.11 --constraint requirements/dev.txt requirements/fuzz.in --output-file requirements/fuzz.txt "$@"
compile --universal --python-version 3.11 --constraint requirements/dev.txt requirements/browser.in --output-file requirements/browser.txt "$@"
compile --python-version 3.13 --constraint requirements/dev.txt requirements/runtime.in --output-file requirements/runtime.txt "$@"
# The layer takes the versions that the tests ran with, and only what Lambda's arm64 Python 3.13 can install.
compile --python-version 3.13 --python-platform aarch64-manylinux_2_28 --constraint requirements/dev.txt \
    requirements/layer.in --output-file layers/deps/requirements.txt "$@"
