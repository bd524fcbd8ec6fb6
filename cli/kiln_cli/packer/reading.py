"""The files of one template: JSON, or HCL2 in one file or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kiln.errors import InvalidRequest, Refused
from kiln_cli.files import read_text
from kiln_cli.packer.template import Template

_LARGEST = 128 * 1024
_INSTEAD = "import its builds in parts"


def read_template(paths: Sequence[Path], given: Mapping[str, str]) -> Template:
    """What the files say; `given` are values of variables. Raises InvalidRequest that begins with
    the file."""
    texts: dict[str, str] = {}
    for path in paths:
        try:
            texts[str(path)] = read_text(path, _LARGEST, _INSTEAD)
        except Refused as error:
            raise InvalidRequest(f"{path}: {error}") from error
    first = next((path for path in paths if ".pkrvars." not in path.name), paths[0])
    template = Template(folder=first.parent, stem=_stem(first))
    if any(_is_hcl(path, texts[str(path)]) for path in paths):
        from kiln_cli.packer.hcl import read_hcl

        _refuse_json(paths)
        read_hcl(texts, template, given)
        return template
    return _legacy(paths, texts, template, given)


def _legacy(
    paths: Sequence[Path], texts: Mapping[str, str], template: Template, given: Mapping[str, str]
) -> Template:
    from kiln_cli.packer.legacy import read_legacy

    if len(paths) > 1:
        raise InvalidRequest(
            f"{paths[1]}: a JSON template is one file; give values with --var NAME=VALUE"
        )
    try:
        read_legacy(texts[str(paths[0])], template, given)
    except RecursionError as error:
        raise InvalidRequest(f"{paths[0]}: is nested too deep") from error
    except Refused as error:
        raise InvalidRequest(f"{paths[0]}: {error}") from error
    return template


def _is_hcl(path: Path, text: str) -> bool:
    if path.suffix == ".hcl":
        return True
    return path.suffix != ".json" and not text.lstrip().startswith("{")


def _refuse_json(paths: Sequence[Path]) -> None:
    for path in paths:
        if path.suffix == ".json":
            raise InvalidRequest(
                f"{path}: is JSON beside HCL2; write it as HCL2, or give values with --var"
            )


def _stem(path: Path) -> str:
    name = path.name
    for ending in (".pkr.hcl", ".pkr.json", ".hcl", ".json"):
        name = name.removesuffix(ending)
    return (
        name
        if name not in ("template", "main", "packer", "build", "stdin")
        else (path.absolute().parent.name or name)
    )
