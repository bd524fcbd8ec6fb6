"""The files that `kiln new` writes: small, valid, and baked as they stand in the local AWS.

The first line names the schema by which an editor completes, explains and checks. It is a path, not
an address: it works without a network, and is of the version of this command. Where no folder
above the file has `schemas/`, the schema that is shipped with the command is written there once.
"""

from __future__ import annotations

import os
from pathlib import Path

from kiln.domain.platforms import PLATFORMS, Architecture, Family, ImageName, Platform
from kiln.errors import InvalidRequest

BLUEPRINT, STACK = "blueprint", "stack"
FOLDERS = {BLUEPRINT: "blueprints", STACK: "stacks"}
# Before these came out the new types and their devices; docs/platforms.md.
_OLD = ("amazon-linux-1", "centos-7", "rhel-7", "ubuntu-14.04", "ubuntu-16.04", "windows-2012-r2")
# Their publishers make no new images any more, and have deprecated the last ones.
_DEPRECATED = (
    *("amazon-linux-1", "centos-7", "ubuntu-14.04", "ubuntu-16.04", "ubuntu-18.04"),
    "windows-2012-r2",
)

_HEAD = """\
# yaml-language-server: $schema={schema}
#
# Your editor knows every key by that line. `kiln validate` checks the file, {next}
"""
_BLUEPRINT = """\
kind: blueprint
name: {name}
description: What the image is for
platform: {platform}
base:
{base}
builder:
  instance_types: [{types}]

# What is done to the builder, in this order.
steps:
{step}
# Your own tests, run on a clone of the image before anybody hears of it.
verify:
  steps:
{test}
image:
  name: "{name}-{{date}}-{{time}}"
  tags: {{service: {name}}}
"""
_SHELL = """\
  - name: leave a note
    shell: |
      set -eu
      mkdir -p /etc/{name}
      echo "made by Kiln" > /etc/{name}/note
"""
_SHELL_TEST = """\
    - name: the note is there
      shell: grep -q Kiln /etc/{name}/note
"""
_POWERSHELL = """\
  - name: leave a note
    powershell: |
      $ErrorActionPreference = 'Stop'
      New-Item -Path 'C:\\{name}' -ItemType Directory -Force | Out-Null
      Set-Content -Path 'C:\\{name}\\note.txt' -Value 'made by Kiln'
"""
_POWERSHELL_TEST = """\
    - name: the note is there
      powershell: |
        $ErrorActionPreference = 'Stop'
        $note = Get-Content -Path 'C:\\{name}\\note.txt' -Raw
        if ($note -notlike '*Kiln*') {{ throw "the note says $note" }}
"""
_STACK = """\
kind: stack
name: {name}
layers:
  - name: web
    kind: instances
    platform: {platform}
    instance_type: {type}
    count: 1
{runner}    # Setup runs at every start, then deploy; configure whenever an instance comes or goes.
    recipes:
      setup: ["echo setup"]
      configure: ["echo configure"]
    # Whose images the layer takes, and how.
    # blueprints:
    #   - {{blueprint: web, strategy: replace}}
"""


def blueprint(name: str, platform: str, schema: str) -> str:
    """A blueprint of a platform's newest public image."""
    known = PLATFORMS[platform]
    windows = known.family is Family.WINDOWS
    body = _BLUEPRINT.format(
        name=name,
        platform=platform,
        base=_base(known),
        types=", ".join(_types(platform)),
        step=(_POWERSHELL if windows else _SHELL).format(name=name),
        test=(_POWERSHELL_TEST if windows else _SHELL_TEST).format(name=name),
    )
    return _HEAD.format(schema=schema, next=f"`kiln bake {name} --local` bakes it here.") + body


def stack(name: str, platform: str, schema: str) -> str:
    """A stack of one layer."""
    windows = PLATFORMS[platform].family is Family.WINDOWS
    body = _STACK.format(
        name=name,
        platform=platform,
        type=_types(platform)[0],
        runner="    runner: powershell\n" if windows else "",
    )
    then = f"`kiln apply stacks/{name}.yaml` stores it."
    return _HEAD.format(schema=schema, next=then) + body


def _types(platform: str) -> tuple[str, ...]:
    return ("m5.large", "m4.large") if platform in _OLD else ("m7i.large", "m6i.large")


def _base(platform: Platform) -> str:
    newest = platform.newest_base(Architecture.X86_64)
    if isinstance(newest, ImageName):
        told = f'  lookup: {{owner: "{newest.owner}", name: "{newest.name}"}}'
    else:
        told = f"  parameter: {newest}"
    if platform.name in _DEPRECATED:
        told += "\n  allow_deprecated: true # its publisher makes no new ones"
    return told


def check_free(path: Path) -> None:
    """Raise InvalidRequest where a file is there already."""
    if path.exists() or path.is_symlink():
        raise _taken(path)


def _taken(path: Path) -> InvalidRequest:
    return InvalidRequest(
        f"{path} is there already and is not written over; take another name, or -o FILE"
    )


def write(path: Path, text: str) -> None:
    """Write a file that is not there. Raises InvalidRequest where it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise _taken(path) from error


def schema_for(path: Path, kind: str) -> str:
    """The schema of a file, relative to it; written where there is none above it yet."""
    file = Path("schemas") / f"{kind}.json"
    folder = path.resolve().parent
    for above in (folder, *folder.parents):
        if (above / file).is_file():
            return os.path.relpath(above / file, folder)
    project = folder.parent if folder.name in FOLDERS.values() else folder
    made = project / file
    made.parent.mkdir(parents=True, exist_ok=True)
    made.write_text(shipped(kind))
    return os.path.relpath(made, folder)


def shipped(kind: str) -> str:
    """The schema that came with this command: inside the package, or in the project around it."""
    here = Path(__file__).resolve()
    for folder in (here.parent / "schemas", here.parents[2] / "schemas"):
        if (folder / f"{kind}.json").is_file():
            return (folder / f"{kind}.json").read_text()
    raise InvalidRequest(f"this kiln came without schemas/{kind}.json; install it again")
