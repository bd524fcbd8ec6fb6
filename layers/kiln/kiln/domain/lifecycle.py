"""Lifecycle events and their recipes: what a layer's instances run, when, and by which runner."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator

from kiln.domain.model import Model, Text
from kiln.domain.platforms import Family
from kiln.domain.step import LONGEST_SCRIPT

if TYPE_CHECKING:
    from collections.abc import Iterator

RunnerName = Literal["chef", "ansible", "shell", "powershell"]


class LifecycleEvent(StrEnum):
    """When recipes run, as OpsWorks named it (opsworks guide, "Using lifecycle events")."""

    SETUP = "setup"
    CONFIGURE = "configure"
    DEPLOY = "deploy"
    UNDEPLOY = "undeploy"
    SHUTDOWN = "shutdown"


class RecipeFile(Model):
    """A script beside the stack file; the `kiln` command reads it when it reads the stack."""

    file: Text


Recipe = Text | RecipeFile
Recipes = tuple[Recipe, ...]


class LifecycleRecipes(Model):
    """What a layer runs at each lifecycle event, in order."""

    setup: Recipes = ()
    configure: Recipes = ()
    deploy: Recipes = ()
    undeploy: Recipes = ()
    shutdown: Recipes = ()

    def of(self, event: LifecycleEvent) -> Recipes:
        """The recipes of one event."""
        found: Recipes = getattr(self, event.value)
        return found

    def all(self) -> Iterator[tuple[LifecycleEvent, Recipe]]:
        """Every recipe with its event."""
        for event in LifecycleEvent:
            for recipe in self.of(event):
                yield event, recipe


# Where AWS's documents take a key that may hold a secret (SSM User Guide, "Referencing AWS Systems
# Manager Parameter Store parameters", aws:downloadContent).
_SECRETS = ("password", "privateSSHKey", "tokenInfo", "username")
_SECURE = re.compile(r"^\{\{ ?ssm-secure:[A-Za-z0-9_./-]+ ?\}\}$")
_SOURCES = {
    "chef": ("Git", "GitHub", "HTTP", "S3"),
    "ansible": ("GitHub", "S3"),
}
_NAMES = {
    "chef": re.compile(
        r"^(recipe\[)?[A-Za-z0-9_.-]+(::[A-Za-z0-9_.-]+)?(@[0-9.]+)?\]?$|^role\[[A-Za-z0-9_.-]+\]$"
    ),
    "ansible": re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_./-]*\.ya?ml$"),
}
_LOOKS = {
    "chef": "a recipe's name, such as nginx or nginx::service",
    "ansible": "a playbook's path, such as web/setup.yml",
}


def _source(source: dict[str, Any]) -> dict[str, Any]:
    for key in _SECRETS:
        if key in source and not _SECURE.match(str(source[key])):
            raise ValueError(
                f"{key} must name a SecureString parameter, as {{{{ssm-secure:name}}}}; a stack "
                "holds no secret"
            )
    return source


Source = Annotated[dict[str, Any], AfterValidator(_source)]


def check_runner(runner: RunnerName, source: Source | None, recipes: LifecycleRecipes) -> None:
    """Raise ValueError where source or recipes do not fit the runner."""
    allowed = _SOURCES.get(runner)
    if allowed is None and source is not None:
        raise ValueError(f"source: is only for chef and ansible, not {runner}")
    if allowed and any(recipes.all()) and (source or {}).get("type") not in allowed:
        raise ValueError(
            f"source: {runner} needs one whose type is one of {', '.join(allowed)}, with the keys "
            "of that type's SourceInfo beside it"
        )
    for event, recipe in recipes.all():
        try:
            _check_recipe(runner, recipe)
        except ValueError as error:
            raise ValueError(f"recipes.{event.value}: {error}") from error


def _check_recipe(runner: RunnerName, recipe: Recipe) -> None:
    if runner not in _NAMES:
        _check_script(recipe)
    elif isinstance(recipe, RecipeFile) or not _NAMES[runner].match(recipe):
        said = f"file: {recipe.file}" if isinstance(recipe, RecipeFile) else repr(recipe)
        raise ValueError(f"{said} is not {_LOOKS[runner]}")


def _check_script(recipe: Recipe) -> None:
    if isinstance(recipe, RecipeFile):
        return
    if "\0" in recipe:
        raise ValueError("a script holds a NUL character, which no shell can read")
    if len(recipe.encode()) > LONGEST_SCRIPT:
        raise ValueError(
            f"a script is longer than {LONGEST_SCRIPT} bytes; let it fetch what is large"
        )


def check_family(runner: RunnerName, family: Family) -> None:
    """Raise ValueError where a runner cannot run on a platform's family."""
    windows = family is Family.WINDOWS
    if windows != (runner == "powershell"):
        where = "Windows; use powershell" if windows else "Linux; use shell, chef or ansible"
        raise ValueError(f"runner: {runner} does not run on {where}")
