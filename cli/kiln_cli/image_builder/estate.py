"""What the files describe, by the names of the API whatever they came from.

Shapes: botocore, `imagebuilder/2019-12-02`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kiln_cli.elsewhere.notes import Notes
from kiln_cli.elsewhere.values import Open

# arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web/1.0.0, a component's with its build.
ARN = re.compile(
    r"^arn:[a-z-]+:imagebuilder:(?P<region>[a-z0-9-]+|\$\{AWS::Region\}):"
    r"(?P<owner>[a-z0-9]+|\$\{AWS::AccountId\}):"
    r"(?P<type>[a-z-]+)/(?P<name>[A-Za-z0-9_-]+)(?:/(?P<version>[0-9x.]+))?"
)
KINDS = {
    "imageRecipe": "recipe",
    "imagePipeline": "pipeline",
    "component": "component",
    "infrastructureConfiguration": "infrastructure",
    "distributionConfiguration": "distribution",
    "lifecyclePolicy": "lifecycle",
}
# What makes containers, or is none of an image's own making.
OTHERS = {
    "containerRecipe": "Kiln makes machine images, no containers",
    "image": "an image that is there stays; import its recipe",
    "workflow": "Kiln's own state machine makes and proves an image",
}


@dataclass
class Resource:
    """A recipe, a component, and so on. `id` is its ARN, or what a template calls it."""

    kind: str
    id: str
    name: str
    said: dict[str, Any]
    about: str


@dataclass
class Estate:
    """All resources of all files."""

    resources: list[Resource] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)

    def of(self, kind: str) -> list[Resource]:
        """The resources of a kind, in order."""
        return [one for one in self.resources if one.kind == kind]

    def linked(self, kind: str, link: Any) -> Resource | None:
        """What an ARN or a reference names; None where no file describes it."""
        if isinstance(link, Open) and link.reference:
            return next((one for one in self.of(kind) if one.id == link.reference[0]), None)
        if not isinstance(link, str):
            return None
        exact = next((one for one in self.of(kind) if one.id == link), None)
        found = ARN.match(link)
        if exact or not found:
            return exact
        return next(self._called(kind, found["name"]), None)

    def _called(self, kind: str, name: str) -> Iterator[Resource]:
        """The version of an ARN may be a range, or another one than was saved: `1.x.x`."""
        for one in self.of(kind):
            own = ARN.match(one.id)
            if slug(own["name"] if own else one.name) == slug(name):
                yield one


def slug(name: str) -> str:
    """A name as it stands in an ARN."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def plain_keys(value: Any, depth: int = 0) -> Any:
    """CloudFormation's properties by the API's names: `ParentImage` is parentImage there. Keys of
    tags are the user's own."""
    if isinstance(value, list):
        return [plain_keys(one, depth + 1) for one in value]
    if not isinstance(value, dict) or any(key.startswith("Fn::") for key in value):
        return value
    found = {}
    for key, inner in value.items():
        name = _NAMES.get(key, key[:1].lower() + key[1:])
        found[name] = inner if name.lower().endswith(("tags", "tagmap")) else plain_keys(inner)
    return found


_NAMES = {"LaunchPermissionConfiguration": "launchPermission", "TimeZone": "timezone"}
