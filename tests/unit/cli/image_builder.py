"""Imports of what Image Builder has, and small recipes and components to import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kiln.domain.blueprint import blueprint_from
from tests import foreign
from tests.foreign import component, write
from tests.kiln_command import run

ARN = "arn:aws:imagebuilder:eu-west-1"


def imported(*args: object) -> dict[str, Any]:
    """The only blueprint of an import, and its notes; it is valid."""
    ran = run("import", "image-builder", *args, "--json")
    assert ran.status == 0, ran.stderr
    (found,) = ran.json["blueprints"]
    blueprint_from(found["document"])
    return dict(found)


def refused(*args: object) -> str:
    ran = run("import", "image-builder", *args)
    assert (ran.status, ran.stdout) == (2, "")
    return ran.error


def steps_of(folder: Path, *steps: dict[str, Any], platform: str = "debian-12") -> dict[str, Any]:
    """The import of a component with these steps."""
    path = write(folder, "part.yaml", component(*steps))
    return imported(path, "--platform", platform)


def recipe(folder: Path, **said_more: Any) -> Path:
    """A saved recipe with other settings."""
    document = {"imageRecipe": foreign.RECIPE["imageRecipe"] | {"components": []} | said_more}
    return write(folder, "recipe.json", document)


def beside(folder: Path, kind: str, **settings: Any) -> Path:
    return write(folder, f"{kind}.json", {kind: settings})
