"""RecordContents: what is in the image, kept in the bucket and compared with the image before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.model import Model
from kiln.domain.naming import output_prefix, step_output_key
from kiln.domain.packages import (
    Contents,
    Difference,
    Manifest,
    Package,
    Subject,
    difference,
    dump_manifest,
    load_manifest,
    manifest_key,
    parse_packages,
    sbom_key,
)
from kiln.errors import StepFailed
from kiln.steps._bakes import plan_of
from kiln.steps.verify_image import CommandRef

if TYPE_CHECKING:
    from kiln.domain.bake import BakePlan
    from kiln.ports import World


class RecordContents(Model):
    """The bake, its image, and the preparation that listed the packages."""

    bake: str
    image: str
    prepared: CommandRef


class ContentsRecorded(Contents):
    """Where the contents lie, and what came and went since the blueprint's image before."""


def record_contents(request: RecordContents, world: World) -> ContentsRecorded:
    """Write manifest and bill of materials. Raises StepFailed where no whole list was printed."""
    plan = plan_of(request.bake, world)
    manifest = Manifest(subject=_subject(request, plan), packages=_printed(request, plan, world))
    previous = _previous(plan, request.image, world)
    found = difference(previous.packages, manifest.packages) if previous else None
    _keep(manifest, world)
    return _recorded(manifest, previous, found)


def _subject(request: RecordContents, plan: BakePlan) -> Subject:
    blueprint = plan.blueprint
    return Subject(
        image=request.image,
        name=plan.image_name,
        bake=plan.bake,
        blueprint=blueprint.name,
        version=plan.version,
        platform=blueprint.platform,
        architecture=plan.base.architecture,
    )


def _printed(request: RecordContents, plan: BakePlan, world: World) -> tuple[Package, ...]:
    """The packages that the preparation printed: Run Command keeps its whole output in the bucket,
    where its API gives 24,000 characters."""
    prepared = request.prepared
    prefix = output_prefix(request.bake, "prepare-0")
    family = plan.blueprint.family
    key = step_output_key(prefix, prepared.command, prepared.instance, "packages", family)
    body = world.objects.read(key)
    if body is None:
        raise StepFailed(
            f"{key} is not in Kiln's bucket, so what is in {request.image} is not known; may the "
            "builder's instance profile write there (s3:PutObject on bakes/*)?"
        )
    try:
        # PowerShell may begin with a byte order mark; a program's name may be anything.
        return parse_packages(body.decode("utf-8-sig", errors="replace"))
    except ValueError as error:
        raise StepFailed(
            f"the list of packages of {prepared.instance}, {key}, {error}; what is in "
            f"{request.image} is not known"
        ) from error


def _previous(plan: BakePlan, image: str, world: World) -> Manifest | None:
    """The manifest of the blueprint's newest image but this one; None where it has none."""
    found = [i for i in world.records.images(plan.blueprint.name) if i.id != image]
    newest = max(found, key=lambda i: i.created, default=None)
    body = world.objects.read(manifest_key(newest.id)) if newest else None
    if body is None:
        return None
    try:
        return load_manifest(body)
    except ValueError:
        # Nothing of this image depends on it: it only goes without a comparison.
        return None


def _keep(manifest: Manifest, world: World) -> None:
    image = manifest.subject.image
    bill = world.bills.write(manifest, world.clock.now())
    world.objects.write(manifest_key(image), dump_manifest(manifest), "application/json")
    # The media type that CycloneDX has registered with IANA.
    world.objects.write(sbom_key(image), bill, "application/vnd.cyclonedx+json")


def _recorded(
    manifest: Manifest, previous: Manifest | None, found: Difference | None
) -> ContentsRecorded:
    image = manifest.subject.image
    return ContentsRecorded(
        manifest=manifest_key(image),
        sbom=sbom_key(image),
        packages=len(manifest.packages),
        previous=previous.subject.image if previous else None,
        added=len(found.added) if found else 0,
        removed=len(found.removed) if found else 0,
        changed=len(found.changed) if found else 0,
    )
