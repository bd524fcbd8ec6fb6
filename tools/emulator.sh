#!/usr/bin/env bash
# Makes .emulator: both layers as `sam build` makes them, but for this machine's processor, and beside them what Lambda's own
# runtime brings. Called by make; runs again when one of them changed. The emulator itself comes with aws-sam-cli.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(tools/build.sh --which)
rm -rf .emulator
mkdir -p .emulator/bin .emulator/opt/deps .emulator/opt/kiln
printf '#!/bin/sh\nexec "%s" "$@"\n' "$python" >.emulator/bin/python3.13
chmod +x .emulator/bin/python3.13
export PATH=$PWD/.emulator/bin:$PATH

"$python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
    --target .emulator/runtime --requirement requirements/runtime.txt
PLATFORM=manylinux2014_$(uname -m) ARTIFACTS_DIR=$PWD/.emulator/opt/deps make --silent -C layers/deps build-DepsLayer
ARTIFACTS_DIR=$PWD/.emulator/opt/kiln make --silent -C layers/kiln build-KilnLayer
ln -s "$PWD/.venv/lib/"python3*"/site-packages/samcli/local/rapid/aws-lambda-rie-$(uname -m | sed 's/aarch64/arm64/')" .emulator/bin/aws-lambda-rie
