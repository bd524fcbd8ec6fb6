"""What `sam build` made: the same bytes twice, small functions, layers in place."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

MOST_FUNCTION_BYTES = 50 * 1024
# What each layer has at least.
LAYERS = {
    "KilnLayer": ("python/kiln/__init__.py",),
    "DepsLayer": ("python/pydantic/__init__.py", "models/ec2/2016-11-15/service-2.json"),
}


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its relative path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def archive_size(files: dict[str, bytes]) -> int:
    """Bytes of these files as the zip that Lambda gets."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return archive.tell()


def problems(first: dict[str, bytes], second: dict[str, bytes]) -> Iterator[str]:
    """What is wrong with two builds of one source, one line each."""
    for name in sorted(first.keys() | second.keys()):
        if first.get(name) != second.get(name):
            yield f"{name}: differs between two builds of the same source"
        if name.endswith(".pyc") and not name.startswith(tuple(LAYERS)):
            yield f"{name}: compiled code does not belong in a function's artifact"
        if name.endswith(".py") and name.startswith(tuple(LAYERS)) and compiled(name) not in second:
            yield f"{name}: is not compiled"
    for layer, files in LAYERS.items():
        for file in files:
            if f"{layer}/{file}" not in second:
                yield f"{layer}: has no {file}"


def compiled(name: str) -> str:
    """Where the bytecode of a source file is."""
    folder, _, file = name.rpartition("/")
    return f"{folder}/__pycache__/{file.removesuffix('.py')}.cpython-313.pyc"


def functions_of(files: dict[str, bytes]) -> dict[str, dict[str, bytes]]:
    """The files of each function's folder."""
    found: dict[str, dict[str, bytes]] = {}
    for path, content in files.items():
        folder, _, name = path.partition("/")
        if folder.endswith("Function"):
            found.setdefault(folder, {})[name] = content
    return found


def main(first_folder: str, second_folder: str) -> int:
    """Compare two build folders and print what is wrong."""
    first, second = files_of(Path(first_folder)), files_of(Path(second_folder))
    found = list(problems(first, second))
    sizes = {name: archive_size(files) for name, files in functions_of(second).items()}
    found += [
        f"{name}: its archive has {size} bytes, {MOST_FUNCTION_BYTES} at most"
        for name, size in sizes.items()
        if size > MOST_FUNCTION_BYTES
    ]
    if not sizes:
        found.append(f"{second_folder}: no function was built")
    for line in found:
        print(line, file=sys.stderr)
    if not found:
        print(
            f"build: {len(second)} files, the same twice; {len(sizes)} functions, "
            f"the largest archive {max(sizes.values())} bytes"
        )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
