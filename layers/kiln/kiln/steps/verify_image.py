"""VerifyImage: judge the clone. Its document found no leftover; now its identity must differ in
every fact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.identity import Facts, parse_facts, shared_facts, side_by_side
from kiln.domain.model import Model
from kiln.errors import VerificationFailed

if TYPE_CHECKING:
    from kiln.ports import World


class CommandRef(Model):
    """A command that ran on an instance and printed facts."""

    instance: str
    command: str


class VerifyImage(Model):
    """What the preparation printed on the builder, and what the verification printed on the
    clone."""

    bake: str
    builder: CommandRef
    clone: CommandRef


class IdentityDiffers(Model):
    """The facts that were compared; null where a machine does not have one."""

    builder: dict[str, str | None]
    clone: dict[str, str | None]


def verify_image(request: VerifyImage, world: World) -> IdentityDiffers:
    """The facts, all different. Raises VerificationFailed naming those that are the same."""
    builder = _facts(request.builder, world)
    clone = _facts(request.clone, world)
    shared = shared_facts(builder, clone)
    if shared:
        raise VerificationFailed(
            f"the clone {request.clone.instance} has the builder's {', '.join(shared)}; "
            "the clean-up left them in the image"
        )
    return IdentityDiffers(builder=side_by_side(builder, clone), clone=side_by_side(clone, builder))


def _facts(source: CommandRef, world: World) -> Facts:
    facts = parse_facts(world.commands.output(source.command, source.instance, "facts").stdout)
    if not facts:
        raise VerificationFailed(
            f"command {source.command} printed no identity facts on {source.instance}; nothing is "
            "proved"
        )
    return facts
