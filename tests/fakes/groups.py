"""Auto Scaling groups and launch templates, in memory; a test moves their refreshes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kiln.domain.group import ALIAS, GroupFacts, TemplateUse, VersionFacts
from kiln.domain.hooks import Hook, LifecycleAction, Result
from kiln.domain.refreshing import RefreshFacts, RefreshOrder
from kiln.errors import AwsRefused
from kiln.ports import VersionOrder


@dataclass
class FakeGroups:
    """Groups by name, versions by template and number, refreshes the newest first.

    `orders` are what refreshes were started with, `answers` what lifecycle actions were answered;
    `waiting` are the tokens that somebody waits for.
    """

    groups: dict[str, GroupFacts] = field(default_factory=dict)
    versions: dict[str, dict[int, VersionFacts]] = field(default_factory=dict)
    defaults: dict[str, int] = field(default_factory=dict)
    labels: dict[tuple[str, str], int] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    told: dict[str, list[RefreshFacts]] = field(default_factory=dict)
    orders: list[RefreshOrder] = field(default_factory=list)
    kept_hooks: dict[str, dict[str, Hook]] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    answers: list[tuple[str, str]] = field(default_factory=list)
    beats: list[str] = field(default_factory=list)

    # ------------------------------------------------------------ made by a test

    def a_group(self, name: str, template: str, version: str = "1", **more: Any) -> GroupFacts:
        """A group of a template, which is made where there is none."""
        if template not in self.versions:
            self.a_template(template)
        use = TemplateUse(id=template, version=version)
        facts: dict[str, Any] = {"name": name, "size": 2, "templates": (use,)}
        self.groups[name] = GroupFacts(**(facts | more))
        return self.groups[name]

    def a_template(
        self, name: str, image: str = "ami-0000000000000ba5e", kind: str | None = "m7i.large"
    ) -> None:
        """A template of one version."""
        first = VersionFacts(
            template=name, number=1, image=image, resolved=image, instance_type=kind
        )
        self.versions[name], self.defaults[name] = {1: first}, 1

    def become(self, group: str, status: str, **more: Any) -> None:
        """The newest refresh of a group has a status; one that succeeds sets the group."""
        now = self.told[group][0]
        self.told[group][0] = now.model_copy(update={"status": status, **more})
        if status == "Successful":
            use = TemplateUse(id=now.template, version=now.version)
            facts = self.groups[group]
            self.groups[group] = facts.model_copy(update={"templates": (use, *facts.templates[1:])})

    # ------------------------------------------------------------ the port

    def describe(self, group: str) -> GroupFacts | None:
        return self.groups.get(group)

    def using(self, template: str) -> tuple[GroupFacts, ...]:
        return tuple(
            group
            for group in self.groups.values()
            if any(use.id == template for use in group.templates)
        )

    def set_launch(self, group: str, wanted: dict[str, dict[str, Any]]) -> None:
        use, policy = _wanted(wanted)
        change = {"templates": (TemplateUse(**use),), "policy": policy}
        self.groups[group] = self.groups[group].model_copy(update=change)

    def tag(self, group: str, tags: dict[str, str]) -> None:
        facts = self.groups[group]
        self.groups[group] = facts.model_copy(update={"tags": facts.tags | tags})

    def version(self, template: str, version: str) -> VersionFacts | None:
        known = self.versions.get(template, {})
        if version == "$Latest":
            number = max(known, default=0)
        else:
            number = self.defaults.get(template, 0) if version == "$Default" else int(version)
        found = known.get(number)
        if found and found.by_parameter:
            name = found.image.removeprefix(ALIAS)
            return found.model_copy(update={"resolved": self.parameters[name]})
        return found

    def labelled(self, template: str, label: str) -> int | None:
        return self.labels.get((template, label))

    def add_version(self, order: VersionOrder) -> int:
        key = (order.template, order.label)
        if key not in self.labels:
            known = self.versions[order.template]
            number = max(known) + 1
            known[number] = known[order.source].model_copy(
                update={"number": number, "image": order.image, "resolved": order.image}
            )
            self.labels[key] = number
        return self.labels[key]

    def delete_version(self, template: str, number: int) -> None:
        self.versions[template].pop(number, None)
        self.labels = {k: n for k, n in self.labels.items() if (k[0], n) != (template, number)}

    def start_refresh(self, order: RefreshOrder) -> str:
        known = self.told.setdefault(order.group, [])
        if known and known[0].is_active:
            said = "An Instance Refresh is already in progress"
            raise AwsRefused(
                "autoscaling", "StartInstanceRefresh", "InstanceRefreshInProgress", said
            )
        use, _ = _wanted(order.wanted)
        name = f"refresh-{len(known) + 1}"
        told = RefreshFacts(id=name, status="Pending", template=use["id"], version=use["version"])
        known.insert(0, told)
        self.orders.append(order)
        return name

    def refreshes(self, group: str) -> tuple[RefreshFacts, ...]:
        return tuple(self.told.get(group, ()))

    def refresh(self, group: str, refresh: str) -> RefreshFacts | None:
        return next((told for told in self.refreshes(group) if told.id == refresh), None)

    def roll_back(self, group: str) -> bool:
        active = next((told for told in self.refreshes(group) if told.is_active), None)
        if active is None:
            return True
        use = self.groups[group].template
        former = self.version(use.id, use.setting)
        if not use.pinned or (former and former.by_parameter):
            return False
        self.become(group, "RollbackInProgress")
        return True

    def cancel(self, group: str) -> None:
        if any(told.is_active for told in self.refreshes(group)):
            self.become(group, "Cancelling")

    def hooks(self, group: str) -> tuple[Hook, ...]:
        return tuple(self.kept_hooks.get(group, {}).values())

    def put_hook(self, group: str, hook: Hook) -> None:
        self.kept_hooks.setdefault(group, {})[hook.name] = hook

    def delete_hook(self, group: str, name: str) -> None:
        self.kept_hooks.get(group, {}).pop(name, None)

    def complete(self, action: LifecycleAction, result: Result) -> bool:
        self.answers.append((action.token, result))
        waited = action.token in self.waiting
        self.waiting.discard(action.token)
        return waited

    def beat(self, action: LifecycleAction) -> bool:
        self.beats.append(action.token)
        return action.token in self.waiting


def _wanted(wanted: dict[str, dict[str, Any]]) -> tuple[dict[str, str], dict[str, Any] | None]:
    """Template and version, and the mixed policy, of a launch setting."""
    policy = wanted.get("MixedInstancesPolicy")
    use = (
        policy["LaunchTemplate"]["LaunchTemplateSpecification"]
        if policy
        else wanted["LaunchTemplate"]
    )
    return {"id": use["LaunchTemplateId"], "version": use.get("Version", "")}, policy
