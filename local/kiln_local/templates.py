"""Launch templates as EC2 keeps them: versions from a source version, numbers that are never given
twice, client tokens, deletion, images by parameter. moto has none of these.

Facts: EC2 API, CreateLaunchTemplateVersion, DeleteLaunchTemplateVersions,
DescribeLaunchTemplateVersions (ResolveAlias); EC2 User Guide, "Use a Systems Manager parameter
instead of an AMI ID" (`resolve:ssm:name`, optionally with `:version`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.ec2.exceptions import EC2ClientError, InvalidLaunchTemplateVersionNotFound
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.responses.launch_templates import LaunchTemplates as Responses
from moto.ec2.utils import parse_user_data

from kiln_local.patches import Patches

ALIAS = "resolve:ssm:"
_MOST = 200


class Templates:
    """The launch templates of one local AWS. `read` gives a parameter's value, or None."""

    def __init__(self, read: Callable[[str], str | None]) -> None:
        self._read = read
        self._tokens: dict[str, tuple[LaunchTemplateVersion, str]] = {}

    def image_of(self, version: LaunchTemplateVersion) -> str:
        """The image that a version launches now."""
        image = str(version.data.get("ImageId") or "")
        if not image.startswith(ALIAS):
            return image
        name = image.removeprefix(ALIAS)
        found = self._read(name)
        if found is None:
            raise EC2ClientError(
                "InvalidParameterValue", f"The Systems Manager parameter {name} does not exist"
            )
        return found

    def add(self, template: LaunchTemplate, asked: dict[str, Any]) -> LaunchTemplateVersion:
        """CreateLaunchTemplateVersion, once for a client token."""
        token, said = asked.get("ClientToken"), repr(sorted(asked.items(), key=lambda i: i[0]))
        if token and token in self._tokens:
            made, before = self._tokens[token]
            if before != said:
                raise EC2ClientError(
                    "IdempotentParameterMismatch",
                    "Client token already used before with different parameters",
                )
            return made
        source = asked.get("SourceVersion")
        data = dict(template.get_version(source).data) if source else {}
        data |= asked.get("LaunchTemplateData") or {}
        if data.get("UserData") and not isinstance(data["UserData"], Base64EncodedString):
            data["UserData"] = parse_user_data(data["UserData"])
        made = template.create_version(data, asked.get("VersionDescription") or "")
        if token:
            self._tokens[token] = (made, said)
        return made

    def delete(self, template: LaunchTemplate, numbers: list[str]) -> dict[str, list[Any]]:
        """DeleteLaunchTemplateVersions: each on its own, the default version never."""
        done: list[dict[str, Any]] = []
        kept: list[dict[str, Any]] = []
        for number in numbers:
            who = {
                "LaunchTemplateId": template.id,
                "LaunchTemplateName": template.name,
                "VersionNumber": int(number),
            }
            found = next((v for v in template.versions if v.number == int(number)), None)
            if found is not None and not template.is_default(found):
                template.versions.remove(found)
                done.append(who)
                continue
            kept.append(who | {"ResponseError": _why_kept(found)})
        return {
            "SuccessfullyDeletedLaunchTemplateVersions": done,
            "UnsuccessfullyDeletedLaunchTemplateVersions": kept,
        }


def _why_kept(found: LaunchTemplateVersion | None) -> dict[str, str]:
    if found is None:
        return {"Code": "launchTemplateVersionDoesNotExist", "Message": "no such version"}
    return {"Code": "unexpectedError", "Message": "the default version cannot be deleted"}


def _create_version(self: Any, data: dict[str, Any], description: str) -> LaunchTemplateVersion:
    self.highest = getattr(self, "highest", 0) + 1
    made = LaunchTemplateVersion(self, self.highest, data, description)
    self.versions.append(made)
    return made


def _get_version(self: Any, num: Any) -> LaunchTemplateVersion:
    wanted = str(num)
    if wanted.lower() == "$latest":
        return max(self.versions, key=lambda version: int(version.number))
    number = self.default_version_number if wanted.lower() == "$default" else wanted
    for version in self.versions:
        if str(version.number) == str(number):
            return version
    raise InvalidLaunchTemplateVersionNotFound(template_id=self.id, version=wanted)


def _describing(describe: Callable[[Any], Any], templates: Templates) -> Callable[[Any], Any]:
    """DescribeLaunchTemplateVersions, of one template or of all."""

    def describe_launch_template_versions(self: Any) -> ActionResult:
        if not (self._get_param("LaunchTemplateName") or self._get_param("LaunchTemplateId")):
            versions = self._get_param("Versions", [])
            return ActionResult({"LaunchTemplateVersions": _of_all(self.ec2_backend, versions)})
        result = describe(self)
        rows = result._result["LaunchTemplateVersions"]
        rows[:] = [row for row in rows if _wanted(row, self._filters_from_querystring())]
        if self._get_param("ResolveAlias", False):
            for row in rows:
                row["LaunchTemplateData"] = _resolved(row, self.ec2_backend, templates)
        return result

    return describe_launch_template_versions


def connect(patches: Patches, templates: Templates) -> None:
    """Patch moto's launch templates."""
    describe = _describing(Responses.describe_launch_template_versions, templates)

    def template_of(self: Any) -> LaunchTemplate:
        name, own = self._get_param("LaunchTemplateName"), self._get_param("LaunchTemplateId")
        backend = self.ec2_backend
        found = backend.get_launch_template_by_name(name) if name else None
        return found or backend.get_launch_template(own)

    def create_launch_template_version(self: Any) -> ActionResult:
        asked = dict(self._get_params())
        template = template_of(self)
        self.error_on_dryrun()
        return ActionResult({"LaunchTemplateVersion": _told(templates.add(template, asked))})

    def delete_launch_template_versions(self: Any) -> ActionResult:
        numbers = self._get_param("Versions", [])
        if not 0 < len(numbers) <= _MOST:
            raise EC2ClientError("InvalidParameterValue", f"1 to {_MOST} versions can be deleted")
        self.error_on_dryrun()
        return ActionResult(templates.delete(template_of(self), [str(n) for n in numbers]))

    patches.set(LaunchTemplate, "create_version", _create_version)
    patches.set(LaunchTemplate, "get_version", _get_version)
    patches.set(LaunchTemplate, "default_version", lambda self: self.get_version("$Default"))
    patches.set(LaunchTemplate, "latest_version", lambda self: self.get_version("$Latest"))
    patches.set(Responses, "create_launch_template_version", create_launch_template_version)
    patches.set(Responses, "delete_launch_template_versions", delete_launch_template_versions)
    patches.set(Responses, "describe_launch_template_versions", describe)


def _wanted(row: dict[str, Any], filters: dict[str, list[str]]) -> bool:
    """moto reads no filter; of EC2's many, Kiln asks for this one."""
    images = filters.get("image-id")
    return images is None or row["LaunchTemplateData"].get("ImageId") in images


def _of_all(backend: Any, versions: list[str]) -> list[dict[str, Any]]:
    """Of every template the latest version, the default one, or both: other versions EC2 tells of
    one template alone (EC2 API, DescribeLaunchTemplateVersions, Versions)."""
    if not versions or set(versions) - {"$Latest", "$Default"}:
        raise EC2ClientError(
            "InvalidParameterValue", "Of all launch templates, Versions is $Latest or $Default"
        )
    templates = list(backend.launch_templates.values())
    found = {
        (template.id, version.number): version
        for template in templates
        for version in (template.get_version(name) for name in versions)
    }
    return [_told(version) for version in found.values()]


def _told(version: LaunchTemplateVersion) -> dict[str, Any]:
    template = version.template
    return {
        "CreateTime": version.create_time,
        "DefaultVersion": template.is_default(version),
        "LaunchTemplateData": version.data,
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "VersionDescription": version.description,
        "VersionNumber": version.number,
    }


def _resolved(row: dict[str, Any], backend: Any, templates: Templates) -> dict[str, Any]:
    template = backend.get_launch_template(row["LaunchTemplateId"])
    version = template.get_version(row["VersionNumber"])
    data: dict[str, Any] = row["LaunchTemplateData"]
    return data | {"ImageId": templates.image_of(version)} if data.get("ImageId") else data
