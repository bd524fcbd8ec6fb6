"""Recipes as blueprints, each with what stands around it and its notes."""

from __future__ import annotations

from kiln.domain.platforms import PLATFORMS, Family
from kiln.errors import InvalidRequest
from kiln_cli.elsewhere.fitting import fit
from kiln_cli.elsewhere.imported import Document, Imported
from kiln_cli.elsewhere.names import blueprint_name
from kiln_cli.elsewhere.notes import Notes
from kiln_cli.elsewhere.settings import Settings
from kiln_cli.elsewhere.steps import Steps
from kiln_cli.elsewhere.tags import tags_in
from kiln_cli.image_builder.around import (
    builder_of,
    finish_infrastructure,
    lifecycle_of,
    rebuild_of,
)
from kiln_cli.image_builder.components import Made, add_components
from kiln_cli.image_builder.distribution import Distribution
from kiln_cli.image_builder.estate import ARN, Estate, Resource
from kiln_cli.image_builder.recipe import base_of, user_data_of, volume_of

_MOST_RECIPES = 30
_RECIPE = dict.fromkeys(
    ("arn", "name", "version", "type", "owner", "platform", "dateCreated", "tags"), ""
) | {"amiWatermarks": "Kiln puts no mark into an image but its tags"}
_LINKS = {
    "infrastructure": "infrastructureConfigurationArn",
    "distribution": "distributionConfigurationArn",
}


def convert(estate: Estate, platform: str | None) -> list[Imported]:
    """A blueprint for each recipe; of components alone one that has the steps of all. Raises
    InvalidRequest."""
    recipes = estate.of("recipe") or _of_components(estate)
    if not recipes:
        raise InvalidRequest(
            "no file holds a recipe or a component; add the output of aws imagebuilder "
            "get-image-recipe, or a component's document"
        )
    if len(recipes) > _MOST_RECIPES:
        raise InvalidRequest(f"there are more than {_MOST_RECIPES} recipes; import them in parts")
    taken: set[str] = set()
    made = [_blueprint(recipe, estate, platform, taken) for recipe in recipes]
    made[0].notes.dropped += estate.notes.dropped
    return made


def _of_components(estate: Estate) -> list[Resource]:
    components = [one for one in estate.of("component") if "document" in one.said]
    if not components:
        return []
    listed = [{"componentArn": one.id} for one in components]
    first = components[0]
    said = {"name": first.name, "components": listed}
    return [Resource("recipe", "", first.name, said, first.about)]


def _blueprint(recipe: Resource, estate: Estate, platform: str | None, taken: set[str]) -> Imported:
    notes = Notes()
    settings = Settings(recipe.said, recipe.about, notes)
    if settings.text("type") == "DOCKER":
        raise InvalidRequest(f"{recipe.about}: Kiln makes machine images, no containers")
    name = blueprint_name(recipe.name, "image", taken)
    told, base = base_of(settings, recipe, estate, platform)
    document: Document = {"kind": "blueprint", "name": name}
    description = settings.text("description")
    if description:
        document["description"] = " ".join(description.split())[:255]
    document |= {"platform": told, "base": base}
    windows = PLATFORMS[told].family is Family.WINDOWS
    made = Made(
        Steps(windows, notes), Steps(windows, notes), settings.text("workingDirectory") or ""
    )
    script = user_data_of(settings)
    if script and not windows:
        made.steps.script(recipe.about, "user data", script)
    add_components(settings.take("components"), recipe, estate, made)
    document |= _around(recipe, estate, settings, made)
    settings.finish(_RECIPE, "Kiln has nothing like it")
    fit(document, recipe.about, notes)
    return Imported(document, f"Image Builder's {recipe.about}", notes)


def _around(recipe: Resource, estate: Estate, settings: Settings, made: Made) -> Document:
    """All keys behind the base, those without anything left out."""
    pipeline = _pipeline(recipe, estate, settings)
    infrastructure = _beside("infrastructure", pipeline, estate)
    distribution = _beside("distribution", pipeline, estate)
    found: Document = {"builder": {}, "steps": made.steps.made}
    found["verify"] = {"steps": made.tests.made} if made.tests.made else {}
    volume = volume_of(settings)
    tags = tags_in(settings, "amiTags")
    if infrastructure:
        one = Settings(infrastructure.said, infrastructure.about, settings.notes)
        found["builder"] |= builder_of(one)
        found |= finish_infrastructure(one)
    found["builder"] |= {"volume": volume} if volume else {}
    found["image"] = {}
    if distribution:
        arn = ARN.match(recipe.id) or ARN.match(distribution.id)
        goes = Distribution(distribution, arn["region"] if arn else None, settings)
        found["image"] = goes.image
        found["distribute"] = goes.distribute(found["builder"])
    if tags or "tags" in found["image"]:
        found["image"]["tags"] = tags | found["image"].get("tags", {})
    if pipeline:
        found |= rebuild_of(Settings(pipeline.said, pipeline.about, settings.notes))
    found |= lifecycle_of(recipe, estate, settings)
    order = ("builder", "steps", "verify", "image", "distribute", "rebuild", "lifecycle")
    keys = (*order, "on_failure")
    return {key: found[key] for key in keys if found.get(key)}


def _pipeline(recipe: Resource, estate: Estate, settings: Settings) -> Resource | None:
    """The recipe's pipeline; of several the first, and the others are named."""
    mine = [
        one
        for one in estate.of("pipeline")
        if estate.linked("recipe", one.said.get("imageRecipeArn")) is recipe
    ]
    for other in mine[1:]:
        settings.notes.drop(other.about, "imagePipeline", f"{mine[0].about} has the recipe too")
    return mine[0] if mine else None


def _beside(kind: str, pipeline: Resource | None, estate: Estate) -> Resource | None:
    """What the pipeline names; without a pipeline the only one that there is."""
    if pipeline:
        return estate.linked(kind, pipeline.said.get(_LINKS[kind]))
    found = estate.of(kind)
    return found[0] if len(found) == 1 else None
