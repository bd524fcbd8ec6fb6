"""`kiln plan`: what a bake would do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from kiln_cli import completing, options

if TYPE_CHECKING:
    from kiln.domain.bake import BakePlan
    from kiln.domain.blueprint import Blueprint
    from kiln.domain.feed import Feed
    from kiln.ports import World


_FIT = (
    *("TYPE", "USED BY", "ARCHITECTURE", "VIRTUALIZATION", "ROOT DEVICE"),
    *("BOOT MODE", "ENA", "NVME", "USAGE"),
)


@click.command(epilog="Example: kiln plan blueprints/al2023-web.yaml --local")
@click.argument("target", metavar="FILE|NAME[@N]", shell_complete=completing.blueprints)
@options.together(options.local, options.speed, options.stacks, options.project, options.stack_name)
@options.as_json
def command(target: str, **given: Any) -> int:
    """Say what a bake of FILE, or of the blueprint stored under NAME, would do.

    NAME@7 is version 7 of a stored blueprint, NAME alone the latest.
    The same checks as before a bake: base image, instance types, layers. Nothing is launched.
    """
    from kiln_cli import project
    from kiln_cli.files import read_blueprint

    if given["stacks"] and not given["local"]:
        raise options.usage(
            "--stack goes with --local; on an account, `kiln apply` the stack first"
        )
    path = project.find_blueprint(target)
    if path:
        read_blueprint(path)
    from kiln_cli import baking, opening
    from kiln_cli.printing import emit

    with opening.opened(given) as at:
        opening.apply_stacks(given, path, at.place)
        plan = baking.check(baking.wanted_from(target, path, at.place), at.place)
        shown = described(plan, at.place.world)
    if given["as_json"]:
        emit(shown)
    else:
        _print(shown)
    return 0


def described(plan: BakePlan, world: World) -> dict[str, Any]:
    """The plan, JSON-ready, with the recipes that each layer will run on the image."""
    from kiln.domain.distribution import costs
    from kiln.domain.release import lock_plan
    from kiln.steps._skipping import fingerprint_of, same_image

    mark, unseen = fingerprint_of(plan, world)
    same = same_image(plan.model_copy(update={"fingerprint": mark}), world)
    blueprint, base = plan.blueprint, plan.base
    steps = [{"name": step.name, "action": step.action} for step in blueprint.steps]
    tests = [{"name": step.name, "action": step.action} for step in blueprint.verify.steps]
    return {
        "blueprint": blueprint.name,
        "version": plan.version,
        "platform": blueprint.platform,
        "base": {"id": base.id, "name": base.name, "architecture": base.architecture},
        "adopts": f"{plan.adoption.stack}/{plan.adoption.layer}" if plan.adoption else None,
        "instance_types": list(plan.instance_types),
        "fits": [row.model_dump(mode="json") for row in plan.fits],
        "subnets": list(plan.subnets),
        "release_lock": lock_plan(blueprint.platform, blueprint.release_lock),
        "steps": steps,
        "tests": tests,
        "image_name": plan.image_name,
        "parameter": blueprint.distribute.parameter,
        "distribute": blueprint.distribute.model_dump(mode="json"),
        "costs": list(costs(blueprint.distribute)),
        "layers": [_layer(path, feed, world) for path, feed in takers_of(blueprint, world)],
        "skipped": same.model_dump() if same else None,
        "unseen": list(unseen),
        "on_failure": blueprint.on_failure,
        "deadline": blueprint.deadline,
    }


def takers_of(blueprint: Blueprint, world: World) -> list[tuple[str, Feed]]:
    """The layers that hear of the image, by the blueprint or by their stacks, in a fixed order."""
    from kiln.domain.stack import takers

    return list(takers(blueprint.name, blueprint.layers, world.records.stacks()).items())


def _layer(path: str, feed: Feed, world: World) -> dict[str, Any]:
    from kiln.domain.stack import split_layer
    from kiln.steps._hooks import missing_hooks
    from kiln_cli.planned_recipes import recipe_rows, source_of
    from kiln_cli.taking import current_image

    stack_name, layer_name = split_layer(path)
    stack = world.records.stack(stack_name)
    layer = stack.layer(layer_name) if stack else None
    recipes = layer.recipes.model_dump(mode="json") if layer else {}
    return {
        "layer": path,
        "strategy": feed.strategy,
        "channel": feed.channel,
        "takes": current_image(feed.blueprint, feed.channel, world),
        "runner": layer.runner if layer else None,
        "source": source_of(layer) if layer else None,
        "listed": recipe_rows(layer) if layer else [],
        "instance_type": layer.instance_type if layer else None,
        "apps": [app.path for app in layer.apps] if layer else [],
        "recipes": {event: run for event, run in recipes.items() if run},
        "group": layer.group if layer else None,
        "missing_hooks": list(missing_hooks(layer, world)) if layer else [],
    }


def _recipe(recipe: dict[str, Any], runner: str) -> str:
    """A recipe with the file behind it; a script of the stack file is its own first line."""
    behind = f" ({recipe['file']})" if recipe["file"] not in ("", recipe["recipe"]) else ""
    return f"{runner}: {recipe['recipe']}{behind}"


def _distribution(wish: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for target in wish["regions"]:
        key = target["kms_key"] or "the AWS managed key"
        yield "region", f"{target['region']}, encrypted with {key}"
    for key in ("accounts", "organizations", "organizational_units"):
        if wish[key]:
            yield "shared with", ", ".join(wish[key]) + (" (copyable)" if wish["copyable"] else "")
    if wish["parameter"]:
        yield "parameter", f"{wish['parameter']} in every Region"
    for channel, name in wish["channel_parameters"].items():
        yield "parameter", f"{name} in every Region, when promoted to {channel}"
    for template in wish["launch_templates"]:
        where = f" in {template['region']}" if template["region"] else ""
        default = ", its default version from then on" if template["default"] else ""
        yield "launch template", f"{template['id'] or template['name']}{where}{default}"


def _when(layer: dict[str, Any]) -> str:
    """When a layer takes an image, unless it takes each one at once."""
    if layer["channel"] is None:
        return ""
    enters = "enters" if layer["channel"] == "dev" else "is promoted to"
    return f", once it {enters} {layer['channel']}, where {layer['takes'] or 'nothing'} is now"


def _print(plan: dict[str, Any]) -> None:
    from kiln_cli.printing import table

    base = plan["base"]
    rows: list[tuple[str, Any]] = [
        ("blueprint", f"{plan['blueprint']} version {plan['version']}"),
        ("base", f"{base['id']} {base['name']} ({base['architecture']})"),
        ("instance types", ", ".join(plan["instance_types"])),
        ("image", plan["image_name"]),
        ("release lock", plan["release_lock"]),
    ]
    if plan["skipped"]:
        rows.insert(0, ("would be skipped", plan["skipped"]["reason"]))
    rows += [("never skipped", f"{why}; what it holds cannot be told") for why in plan["unseen"]]
    if plan["adopts"]:
        rows.insert(2, ("adopts", f"a new instance of {plan['adopts']}"))
    rows += [("step", f"{step['name']} ({step['action']})") for step in plan["steps"]]
    rows += [("test", f"{step['name']} ({step['action']})") for step in plan["tests"]]
    rows += _distribution(plan["distribute"])
    rows += [("costs money", cost) for cost in plan["costs"]]
    for layer in plan["layers"]:
        rows.append(("layer", f"{layer['layer']}: {layer['strategy']}{_when(layer)}"))
        rows += [("  deploy", f"application {path}") for path in layer["apps"]]
        rows += [
            (f"  {recipe['event']}", _recipe(recipe, layer["runner"])) for recipe in layer["listed"]
        ]
        for hook in layer["missing_hooks"]:
            said = f"group {layer['group']} does not have it as it should; apply the stack"
            rows.append(("  missing hook", f"{hook}: {said}"))
    table((), rows)
    click.echo()
    table(_FIT, [tuple(fit[key.lower().replace(" ", "_")] for key in _FIT) for fit in plan["fits"]])
