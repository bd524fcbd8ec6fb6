#!/usr/bin/env bash
# Makes .venv with all that Kiln, its tests and its checks need. Called by `make setup`; runs again when the pins changed.
# `tools/setup.sh scan` makes .venv-scan of requirements/scan.txt, and so for any tool whose own needs do not go with Kiln's.
# System packages are best effort: one that cannot be had is named in a plain sentence.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

say() { printf 'setup: %s\n' "$*" >&2; }

install_system_package() {
    command -v apt-get >/dev/null || return 1
    local root=()
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || return 1
        root=(sudo -n)
    fi
    say "installing $1 with apt-get"
    "${root[@]}" apt-get -qq update >&2 || true
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y "$1" >&2
}

make_venv() {
    rm -rf "$1"
    "$python" -m venv "$1"
}

# --no-deps: the file is complete, and old versions of pip lose a pin where a package is asked for with extras.
install_pins() {
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -r "$2"
}

command -v "$python" >/dev/null || { say "$python is not there: install Python 3.11 or newer, or name one with PYTHON=..."; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "$("$python" --version) is too old: install Python 3.11 or newer, or name one with PYTHON=..."
    exit 1
}

venv=.venv${1:+-$1}
if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    if ! make_venv "$venv" >/dev/null 2>&1; then
        install_system_package python3-venv || say "python3-venv is missing and cannot be installed here: run 'apt-get install python3-venv' as root"
        make_venv "$venv"
    fi
fi

if [ "$#" -gt 0 ]; then
    say "installing the pinned packages of requirements/$1.txt into $venv"
    install_pins "$venv" "requirements/$1.txt"
    exit
fi

command -v rpm >/dev/null || install_system_package rpm || say \
    "rpm is missing and cannot be installed here: local instances with an rpm database (Amazon Linux, RHEL, CentOS) will not run; 'apt-get install rpm' mends it"

# What an app step uses on a local instance, which has the tools of this machine.
for tool in git unzip; do
    command -v "$tool" >/dev/null || install_system_package "$tool" || say \
        "$tool is missing and cannot be installed here: app steps that need it will fail on local instances; 'apt-get install $tool' mends it"
done

say "installing the pinned packages into .venv (about a minute)"
install_pins .venv requirements/dev.txt
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
# Where Python may not write its own (PYTHONDONTWRITEBYTECODE), each command would compile all of Kiln anew.
.venv/bin/python -m compileall -q layers/kiln cli local || true
say "done: kiln, sam, cfn-lint and the rest are in .venv/bin"
