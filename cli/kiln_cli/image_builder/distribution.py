"""A distribution configuration as `image` and `distribute` of a blueprint."""

from __future__ import annotations

import re
from typing import Any

from kiln_cli.elsewhere.imported import Document
from kiln_cli.elsewhere.names import image_name
from kiln_cli.elsewhere.settings import Settings
from kiln_cli.elsewhere.sharing import Sharing, check_sharing
from kiln_cli.elsewhere.tags import tags_in
from kiln_cli.elsewhere.values import STAMP, Open
from kiln_cli.image_builder.estate import Resource

_DATE = re.compile(r"\{\{\s*imagebuilder:(buildDate|buildVersion)\s*\}\}")
_TEMPLATE = re.compile(r"^lt-[0-9a-f]{8,17}$")
_PARAMETER = re.compile(r"^([A-Za-z0-9_.-]+|(/[A-Za-z0-9_.-]+){1,15})$")
# PutParameter: names that begin with "aws" or "ssm" are reserved.
_RESERVED = re.compile(r"/?(aws|ssm)", re.IGNORECASE)


class Distribution:
    """What is said of all Regions together; `own` is the one that Kiln bakes in."""

    def __init__(self, distribution: Resource, own: str | None, settings: Settings) -> None:
        self.settings = Settings(distribution.said, distribution.about, settings.notes)
        self.image: Document = {}
        self.found: Document = {}
        self.key = ""
        self._sharing = Sharing([], [], [], [])
        self._regions: list[Document] = []
        places = self.settings.items("distributions")
        self.own = _own(own, places, self.settings)
        for place in places:
            self._add(place)
        self.settings.finish(_NEEDLESS, "Kiln has nothing like it")

    def _add(self, place: dict[str, Any]) -> None:
        region = place.get("region")
        plain = isinstance(region, str) and not isinstance(region, Open)
        shown = str(region) if plain else "the own Region"
        one = Settings(place, f"{shown[:40]} of {self.settings.about}", self.settings.notes)
        one.take("region")
        own = not plain or region == self.own
        items = one.items("amiDistributionConfiguration")
        ami = Settings(items[0] if items else {}, one.about, one.notes)
        key = ami.text("kmsKeyId") or ""
        if own:
            self.key = key
        else:
            self._regions.append({"region": region} | ({"kms_key": key} if key else {}))
        self._name(ami, own)
        self._share(ami)
        self._templates(one, None if own else str(region))
        self._fast_launch(one)
        self._parameter(one)
        ami.finish(_AMI, "Kiln has nothing like it")
        one.finish(_PLACE, "Kiln has nothing like it")

    def _name(self, ami: Settings, own: bool) -> None:
        name = ami.text("name")
        tags = tags_in(ami, "amiTags")
        if name and (own or "name" not in self.image):
            made, said = image_name(_DATE.sub(STAMP, name).replace(STAMP * 2, STAMP))
            self.image["name"] = made
            if said:
                ami.assume("name", f"{made}: {said}")
        if tags:
            self.image["tags"] = self.image.get("tags", {}) | tags

    def _share(self, ami: Settings) -> None:
        for block in ami.items("launchPermission"):
            one = Settings(block, f"launchPermission of {ami.about}", ami.notes)
            self._sharing.accounts.extend(one.texts("userIds"))
            self._sharing.organizations.extend(one.texts("organizationArns"))
            self._sharing.units.extend(one.texts("organizationalUnitArns"))
            if one.texts("userGroups"):
                one.drop("userGroups", "EC2 makes no image public whose root is encrypted")
            one.finish({}, "Kiln has nothing like it")
        copied = ami.texts("targetAccountIds")
        if copied:
            self._sharing.accounts.extend(copied)
            self._sharing.copyable.extend(copied)
            reason = "the image is shared with them and may be copied, where it was copied to them"
            ami.assume("targetAccountIds", reason)

    def _templates(self, one: Settings, region: str | None) -> None:
        made = self.found.setdefault("launch_templates", [])
        for block in one.items("launchTemplateConfigurations"):
            each = Settings(block, f"launchTemplateConfigurations of {one.about}", one.notes)
            template, default = each.text("launchTemplateId"), each.flag("setDefaultVersion")
            if each.text("accountId"):
                each.drop("accountId", f"{template}: Kiln writes those of its own account")
                continue
            if template and _TEMPLATE.match(template):
                row: Document = {"region": region} if region else {}
                made.append(row | {"id": template} | ({"default": True} if default else {}))
            each.finish({}, "Kiln has nothing like it")

    def _fast_launch(self, one: Settings) -> None:
        for block in one.items("fastLaunchConfigurations"):
            each = Settings(block, f"fastLaunchConfigurations of {one.about}", one.notes)
            counts = each.items("snapshotConfiguration")
            inner = Settings(counts[0] if counts else {}, each.about, each.notes)
            count = inner.whole("targetResourceCount")
            parallel = each.whole("maxParallelLaunches")
            if each.flag("enabled"):
                row = {"target_resource_count": count, "max_parallel": parallel}
                self.found["fast_launch"] = {name: value for name, value in row.items() if value}
            each.finish({}, "EC2 launches with its own default template")

    def _parameter(self, one: Settings) -> None:
        for block in one.items("ssmParameterConfigurations"):
            each = Settings(block, f"ssmParameterConfigurations of {one.about}", one.notes)
            name = each.text("parameterName")
            good = name and _PARAMETER.match(name) and not _RESERVED.match(name)
            each.take("dataType")
            if not good or self.found.get("parameter", name) != name:
                each.drop("parameterName", f"{str(name)[:60]!r}: a blueprint has one parameter")
                continue
            self.found["parameter"] = name
            if each.text("amiAccountId"):
                each.drop("amiAccountId", "the template's DistributionRole writes it there")

    def distribute(self, builder: Document) -> Document:
        """The `distribute` of a blueprint with this builder, which gets the own Region's key."""
        if self.key and not builder.get("volume", {}).get("kms_key"):
            builder.setdefault("volume", {})["kms_key"] = self.key
        shared = check_sharing(
            self._sharing, self.settings, "launchPermission", (builder, self._regions)
        )
        found = {"regions": self._regions, **self.found, **shared}
        return {key: value for key, value in found.items() if value or key == "fast_launch"}


def _own(own: str | None, places: list[dict[str, Any]], settings: Settings) -> str | None:
    """The Region in which the image is made: where the recipe is, else the first that is named."""
    names = [one.get("region") for one in places]
    known = [one for one in names if isinstance(one, str) and not isinstance(one, Open)]
    if own in known or len(known) < len(names) or not known:
        return own
    first = str(known[0])
    settings.assume(
        "region", f"Kiln bakes in the Region that it is deployed in; that must be {first[:40]}"
    )
    return first


_NEEDLESS = dict.fromkeys(("arn", "name", "description", "dateCreated", "dateUpdated", "tags"), "")
_NEEDLESS["timeoutMinutes"] = "the blueprint's deadline is for all of a bake"
_AMI = {"description": "an image's description is the blueprint's"}
_PLACE = {
    "containerDistributionConfiguration": "Kiln makes machine images, no containers",
    "licenseConfigurationArns": "Kiln attaches no licences; let a rule on `Image Available` do it",
    "s3ExportConfiguration": "Kiln exports nothing; let a rule on `Image Available` do it",
}
