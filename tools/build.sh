#!/usr/bin/env bash
# `sam build` as Lambda's Python 3.13 needs it, twice; the second must give the same bytes as the first.
# `--can` only tells whether this machine has that Python, `--which` where.
set -euo pipefail
cd "$(dirname "$0")/.."
export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-eu-west-1}

find_python() {
    local candidate
    for candidate in .venv/bin/python3.13 "$(command -v python3.13 || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13; do
        if [ -x "$candidate" ] && "$candidate" -m pip --version >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    echo "build: no python3.13 with pip here: Lambda's runtime is 3.13, and sam builds with that version alone; install it" >&2
    return 1
}

if [ "${1:-}" = --can ]; then
    find_python >/dev/null
    exit
fi
if [ "${1:-}" = --which ]; then
    realpath --no-symlinks "$(find_python)"
    exit
fi

python=$(realpath --no-symlinks "$(find_python)")
rm -rf .aws-sam
mkdir -p .aws-sam/python
printf '#!/bin/sh\nexec "%s" "$@"\n' "$python" >.aws-sam/python/python3.13
chmod +x .aws-sam/python/python3.13
PATH=$PWD/.aws-sam/python:$PATH

.venv/bin/sam build
mv .aws-sam/build .aws-sam/first
.venv/bin/sam build >/dev/null 2>&1
.venv/bin/python -m tools.check_build .aws-sam/first .aws-sam/build
rm -rf .aws-sam/first .aws-sam/python
