"""What stands around a recipe: pipeline, infrastructure, life-cycle policy."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ValidationError

from kiln.domain.model import explain
from kiln.domain.rebuild import Rebuild
from kiln.domain.retention import Lifecycle
from kiln_cli.elsewhere.imported import Document
from kiln_cli.elsewhere.settings import Settings
from kiln_cli.elsewhere.values import Open
from kiln_cli.image_builder.estate import Estate, Resource, slug

_TYPE = re.compile(r"^[a-z0-9-]+\.[a-z0-9-]+$")
_KEPT = dict.fromkeys(
    ("arn", "name", "version", "type", "owner", "platform", "dateCreated", "dateUpdated", "tags",
     "description", "dateLastRun", "dateNextRun", "lastRunStatus", "consecutiveFailures"), ""
)  # fmt: skip
_INFRASTRUCTURE = {
    "instanceProfileName": "the template's InstanceProfile says it for all builders",
    "subnetId": "the template's SubnetIds say it; builder.subnets names others of the same VPC",
    "securityGroupIds": "Kiln's own security group has no inbound rule",
    "keyPair": "Kiln works through Systems Manager: no key",
    "logging": "outputs of steps lie in Kiln's own bucket",
    "snsTopicArn": "write a rule on Kiln's events `Image Available` and `Bake Failed`",
    "resourceTags": "Kiln tags all that it makes with its own tags",
    "instanceMetadataOptions": "Kiln allows the second version of the metadata service alone",
    "placement": "a builder has nothing like it",
    "terminateInstanceOnCompletion": "a builder always ends with its bake",
    "parentInstance": "write base: {layer: STACK/LAYER} to bake an instance of a layer",
}
_PIPELINE = {
    "imageScanningConfiguration": "let a test scan, or Inspector scan the image",
    "executionRole": "each of Kiln's functions has a role of its own",
    "workflows": "Kiln's own state machine makes and proves an image",
    "loggingConfiguration": "the template's LogRetentionDays says how long Kiln's own logs stay",
    "containerRecipeArn": "Kiln makes machine images, no containers",
    "imageTags": "write them as image.tags",
    **dict.fromkeys(
        ("imageRecipeArn", "infrastructureConfigurationArn", "distributionConfigurationArn",
         "enhancedImageMetadataEnabled"), ""
    ),
}  # fmt: skip


def builder_of(infrastructure: Settings) -> Document:
    """The instance types of a blueprint's builder."""
    types = [one for one in infrastructure.texts("instanceTypes") if _TYPE.match(one)]
    return {"instance_types": list(dict.fromkeys(types))} if types else {}


def finish_infrastructure(infrastructure: Settings) -> Document:
    """What a failed bake leaves."""
    keep = infrastructure.flag("terminateInstanceOnFailure") is False
    infrastructure.finish(_KEPT | _INFRASTRUCTURE, "Kiln has nothing like it")
    return {"on_failure": "keep"} if keep else {}


def rebuild_of(pipeline: Settings) -> Document:
    """The `rebuild` of a blueprint."""
    found: Document = {}
    off = pipeline.text("status") == "DISABLED"
    for block in pipeline.items("schedule"):
        one = Settings(block, f"schedule of {pipeline.about}", pipeline.notes)
        text = one.text("scheduleExpression")
        schedule = scheduler_cron(text) if text else ""
        zone, when = one.text("timezone"), one.text("pipelineExecutionStartCondition")
        for policy in one.items("autoDisablePolicy"):
            failures = Settings(policy, one.about, one.notes).whole("failureCount")
            found |= {"pause_after": failures} if failures else {}
        wanted: Document = {"schedule": schedule} if schedule else {}
        wanted |= {"time_zone": zone} if zone and schedule else {}
        # Image Builder's own default is to build only what has a newer base or component.
        always = when == "EXPRESSION_MATCH_ONLY" and schedule
        wanted |= {"when": "always"} if always else {}
        if off:
            one.drop("scheduleExpression", f"the pipeline is disabled; rebuild: {wanted} starts it")
        elif _fits(one, "scheduleExpression", wanted, Rebuild):
            found |= wanted
        one.finish({}, "Kiln has nothing like it")
    if not _fits(pipeline, "schedule", found, Rebuild):
        found = {}
    tests = pipeline.items("imageTestsConfiguration")
    if tests and tests[0].get("imageTestsEnabled") is False:
        pipeline.drop("imageTestsConfiguration", "Kiln proves every image on a clone")
    pipeline.finish(_KEPT | _PIPELINE, "Kiln has nothing like it")
    return {"rebuild": found} if found else {}


def scheduler_cron(text: str) -> str:
    """EventBridge Scheduler's form of an expression: six fields, and `?` in one of the two fields
    of days. Image Builder takes five fields and two asterisks as well."""
    found = re.fullmatch(r"cron\(([^()]*)\)", text.strip())
    fields = found[1].split() if found else []
    if len(fields) == 5:
        fields.append("*")
    if len(fields) != 6:
        return text.strip()
    if "?" not in (fields[2], fields[4]):
        fields[2 if fields[2] == "*" and fields[4] != "*" else 4] = "?"
    return f"cron({' '.join(fields)})"


def _fits(settings: Settings, key: str, value: Document, model: type[BaseModel]) -> bool:
    try:
        model.model_validate(value)
    except ValidationError as error:
        settings.drop(key, explain(error, model))
        return False
    return True


_UNITS = {"DAYS": 1, "WEEKS": 7, "MONTHS": 30, "YEARS": 365}


def lifecycle_of(recipe: Resource, estate: Estate, notes: Settings) -> Document:
    """The `lifecycle` of a blueprint, of all policies that choose its recipe."""
    found: Document = {}
    for policy in estate.of("lifecycle"):
        if not _chooses(policy, recipe):
            continue
        one = Settings(policy.said, policy.about, notes.notes)
        off = one.text("status") == "DISABLED"
        for number, detail in enumerate(one.items("policyDetails")):
            rule = _rule(Settings(detail, f"policyDetails.{number} of {policy.about}", one.notes))
            if off:
                one.drop("status", f"the policy is disabled; lifecycle: {rule} is what it says")
            elif rule and _fits(one, f"policyDetails.{number}", found | rule, Lifecycle):
                found |= rule
        why = {"resourceSelection": "", "resourceType": "", "executionRole": "Kiln has its own"}
        one.finish(_KEPT | why, "Kiln has nothing like it")
    return {"lifecycle": found} if found else {}


def _chooses(policy: Resource, recipe: Resource) -> bool:
    chosen = policy.said.get("resourceSelection")
    listed = chosen.get("recipes") if isinstance(chosen, dict) else None
    items = listed if isinstance(listed, list) else []
    names = [one.get("name") for one in items if isinstance(one, dict)]
    return any(
        name.reference[:1] == (recipe.id,)
        if isinstance(name, Open)
        else slug(str(name)) == slug(recipe.name)
        for name in names
    )


def _rule(detail: Settings) -> Document:
    action, rule = _one(detail, "action"), _one(detail, "filter")
    kind = (action.text("type") or "").lower()
    value, unit = rule.whole("value"), _UNITS.get(rule.text("unit") or "DAYS", 1)
    least = rule.whole("retainAtLeast")
    counted = rule.text("type") == "COUNT"
    action.take("includeResources")
    detail.drop_if("exclusionRules", "what uses an image keeps it anyway (docs/life-cycle.md)")
    if kind not in ("deprecate", "disable", "delete") or not value:
        detail.drop("action", f"{kind[:20] or 'nothing'} is no rule of Kiln's")
        return {}
    found: dict[str, Any] = {"keep_last": value} if counted else {"after": f"{value * unit}d"}
    return {kind: found | ({"keep_last": least} if least and not counted else {})}


def _one(settings: Settings, key: str) -> Settings:
    items = settings.items(key)
    return Settings(items[0] if items else {}, f"{key} of {settings.about}", settings.notes)
