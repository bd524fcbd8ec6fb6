"""`kiln blueprints pause` and `resume`: whether a blueprint is baked without anybody asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kiln_cli import options

if TYPE_CHECKING:
    from kiln.ports import World


@click.command("pause", epilog="Example: kiln blueprints pause al2023-web --reason 'bad base'")
@click.argument("name")
@click.option("--reason", default="by hand", show_default=True, help="What a skipped bake says.")
@options.together(options.stack_name, options.as_json)
def pause(name: str, reason: str, stack_name: str, as_json: bool) -> int:
    """Start no more bakes of the blueprint NAME by schedule or because its base has changed.

    It lasts until `kiln blueprints resume NAME`, over new versions too. `kiln bake` bakes all the
    same.
    """
    from kiln.domain.pausing import Pause
    from kiln_cli.place import account

    place = account(stack_name)
    world = place.world
    _latest(name, world)
    since = world.clock.now().isoformat()
    world.pauses.pause(name, Pause(reason=reason, since=since, by=place.caller()))
    return _say(name, world, as_json)


@click.command("resume", epilog="Example: kiln blueprints resume al2023-web")
@click.argument("name")
@options.together(options.stack_name, options.as_json)
def resume(name: str, stack_name: str, as_json: bool) -> int:
    """Let the blueprint NAME be baked by schedule and when its base changes again; its failures in
    a row are forgotten."""
    from kiln_cli.place import account

    world = account(stack_name).world
    world.pauses.clear(name, _latest(name, world))
    world.pauses.lift(name)
    return _say(name, world, as_json)


def _latest(name: str, world: World) -> int:
    """The newest version. Raises InvalidRequest where there is none."""
    from kiln.errors import InvalidRequest

    stored = world.versions.get(name)
    if stored is None:
        known = ", ".join(world.versions.names()) or "none"
        raise InvalidRequest(f"blueprint {name!r} is not stored; known: {known}")
    return stored.number


def _say(name: str, world: World, as_json: bool) -> int:
    from kiln_cli.printing import emit

    pause = world.pauses.paused(name)
    if as_json:
        emit({"blueprint": name, "paused": pause.model_dump(mode="json") if pause else None})
    else:
        click.echo(f"{name}: {f'paused: {pause.reason}' if pause else 'not paused'}")
    return 0
