"""A template's builds as blueprints, each with its notes."""

from __future__ import annotations

from kiln.domain.platforms import PLATFORMS, Family
from kiln.errors import InvalidRequest
from kiln_cli.elsewhere.fitting import fit
from kiln_cli.elsewhere.imported import Document, Imported
from kiln_cli.elsewhere.names import blueprint_name
from kiln_cli.elsewhere.notes import Notes
from kiln_cli.elsewhere.settings import Settings
from kiln_cli.elsewhere.steps import Steps
from kiln_cli.elsewhere.values import reasons
from kiln_cli.packer.base import base_of
from kiln_cli.packer.builders import builder_of, distribute_of, image_of
from kiln_cli.packer.reasons import (
    BUILDERS,
    OTHER_BUILDER,
    OTHER_POST_PROCESSOR,
    POST_PROCESSORS,
    source_reasons,
)
from kiln_cli.packer.steps import Context, add_steps
from kiln_cli.packer.template import Build, Template

_ROOTS = {"amazon-ebs": "ebs", "amazon-instance": "instance-store"}
_LONGEST_DESCRIPTION = 255


def convert(template: Template, platform: str | None) -> list[Imported]:
    """A blueprint for each build of an amazon builder. Raises InvalidRequest."""
    found: list[Imported] = []
    taken: set[str] = set()
    others = Notes()
    others.dropped += template.notes.dropped
    for build in template.builds:
        kind = build.source.kind
        if kind in _ROOTS:
            found.append(_blueprint(build, template, platform, taken))
        else:
            others.drop(build.source.about, kind[:60], BUILDERS.get(kind, OTHER_BUILDER))
    if not found:
        kinds = ", ".join(sorted({build.source.kind[:40] for build in template.builds}))
        raise InvalidRequest(
            f"no builder is amazon-ebs or amazon-instance, only {kinds or 'none'}; Kiln makes "
            "images of EC2 alone"
        )
    found[0].notes.dropped += others.dropped
    return found


def _blueprint(build: Build, template: Template, platform: str | None, taken: set[str]) -> Imported:
    notes = Notes()
    settings = Settings(build.source.settings, build.source.about, notes)
    # An unnamed builder of a JSON template is called after its type.
    called = template.stem if build.name == build.source.kind else build.name
    name = blueprint_name(called, "image", taken)
    hints = (called, _known(settings, "ami_name"), _known(settings, "ssh_username"), template.stem)
    told, base = base_of(settings, hints, platform, template.scope)
    document: Document = {"kind": "blueprint", "name": name}
    description = settings.text("ami_description")
    if description:
        document["description"] = " ".join(description.split())[:_LONGEST_DESCRIPTION]
    document |= {"platform": told, "base": base}
    if build.source.kind == "amazon-instance":
        document["root_device"] = "instance-store"
    document |= _parts(build, template, settings, told)
    settings.finish(source_reasons(settings.values), "Kiln has nothing like it")
    fit(document, build.source.about, notes)
    return Imported(document, f"Packer's {build.source.about} of {template.stem}", notes)


def _known(settings: Settings, key: str) -> str | None:
    found = settings.values.get(key)
    return found if isinstance(found, str) and not reasons(found) else None


def _parts(build: Build, template: Template, settings: Settings, told: str) -> Document:
    """What follows the base, keys without anything left out."""
    windows = PLATFORMS[told].family is Family.WINDOWS
    steps = Steps(windows, settings.notes)
    _tell_user_data(settings, steps)
    for part in build.steps:
        add_steps(part, Context(steps, template.folder))
    if steps.made and not windows:
        user = _known(settings, "ssh_username") or "its own user"
        settings.assume("steps", f"they run as root, where Packer ran them as {user[:40]}")
    for part in build.after:
        reason = POST_PROCESSORS.get(part.kind, OTHER_POST_PROCESSOR)
        settings.notes.drop(part.about, part.kind[:60], reason)
    builder = builder_of(settings)
    image = image_of(settings)
    distribute = distribute_of(settings, builder)
    found: Document = {"builder": builder, "steps": steps.made, "image": image}
    found["distribute"] = distribute
    return {key: value for key, value in found.items() if value}


def _tell_user_data(settings: Settings, steps: Steps) -> None:
    given = settings.script("user_data")
    name = settings.text("user_data_file")
    if given and given.startswith("#!") and not steps.windows:
        settings.assume("user_data", "the first step runs it, after the first boot")
        steps.script(settings.about, "user data", given)
    elif given or name:
        reason = (
            "a builder gets no user data; it needs no WinRM, and what else this does is a step"
            if steps.windows
            else "a builder gets no user data; write what it does as the first step"
        )
        settings.drop("user_data" if given else "user_data_file", reason)
