"""Finding the project: the folder with template.yaml, statemachine/ and documents/."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kiln.errors import InvalidBlueprint

_SIGN = Path("statemachine") / "bake.asl.yaml"


def project_root() -> Path:
    """The project around the current folder, else the one that this command was installed from."""
    for folder in _candidates():
        if (folder / "template.yaml").is_file() and (folder / _SIGN).is_file():
            return folder
    raise InvalidBlueprint(
        "no template.yaml with statemachine/bake.asl.yaml in this folder or above; "
        "run kiln inside the project"
    )


def _candidates() -> Iterator[Path]:
    here = Path.cwd()
    yield here
    yield from here.parents
    yield Path(__file__).resolve().parents[2]


def default_stacks(blueprint: Path) -> list[Path]:
    """`stacks/*.yaml` of the project that a blueprint lies in, else of the current folder."""
    for folder in (blueprint.resolve().parent.parent, Path.cwd()):
        found = sorted((folder / "stacks").glob("*.yaml"))
        if found:
            return [_short(path) for path in found]
    return []


def find_blueprint(target: str) -> Path | None:
    """The file that `FILE|NAME` means, None where it is only the name of a stored blueprint."""
    path = Path(target)
    if path.suffix in (".yaml", ".yml", ".json") or "/" in target or path.is_file():
        return path
    for folder in (Path.cwd(), project_root_or_here()):
        found = folder / "blueprints" / f"{target}.yaml"
        if found.is_file():
            return _short(found)
    return None


def project_root_or_here() -> Path:
    """The project, or the current folder where there is none."""
    try:
        return project_root()
    except InvalidBlueprint:
        return Path.cwd()


def _short(path: Path) -> Path:
    """Relative to the current folder where it lies below it: that is how a user would name it."""
    resolved = path.resolve()
    here = Path.cwd().resolve()
    return resolved.relative_to(here) if resolved.is_relative_to(here) else resolved
