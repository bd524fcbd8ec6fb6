"""Which images have had their time in one Region, what becomes of them, and what holds them back.

An image goes the way of its rules step by step: deprecated, disabled, deleted. What is in use is
neither disabled nor deleted. It may be deprecated: EC2 goes on launching a deprecated image for who
names it, and so do launch templates and groups (EC2 User Guide, "Deprecate an AMI").
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from kiln.domain.model import Model
from kiln.domain.place import PlaceStatus
from kiln.domain.retention import STEPS, Rule, Step
from kiln.domain.uses import Use

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# `enable` takes a `disable` back; `finish` deletes what a deletion that broke off has left.
Action = Literal["none", "deprecate", "disable", "enable", "delete", "finish"]
# What EC2 calls an image that is there; in any other state it is none of ours to touch.
_THERE = ("available", "disabled")
# An image of which nothing is missing in its Region.
_WHOLE = ("available", "deprecated", "disabled")
# A deprecation that comes by itself so soon is as good as done.
_SOON = timedelta(minutes=10)
# How long a launch by another account protects where no rule names an age.
QUIET = timedelta(days=30)


class Standing(Model):
    """An image in one Region: `image` is its id in the Region where it was baked, `here` that of
    its copy. `state` is EC2's, or `gone`; `status` is what Kiln has written down; `protected`
    says that somebody has protected it from deregistration. `shared` says whether other accounts
    may launch it, `launched` when anybody last did."""

    image: str
    here: str
    region: str
    blueprint: str
    version: int
    bake: str
    name: str
    created: datetime
    state: str
    status: PlaceStatus
    protected: bool = False
    deprecated_at: datetime | None = None
    snapshots: tuple[str, ...] = ()
    bundle: str | None = None
    shared: bool = False
    launched: datetime | None = None
    uses: tuple[Use, ...] = ()

    @property
    def disabled_by_us(self) -> bool:
        """Whether Kiln has disabled it, and may take that back."""
        return self.state == "disabled" and self.status in ("disabled", "deleting")


class Verdict(Model):
    """What becomes of an image and why; `wanted` is the step that its rules have come to, `kept_by`
    what holds it back from that."""

    standing: Standing
    action: Action
    wanted: Step | None = None
    why: tuple[str, ...] = ()
    kept_by: tuple[str, ...] = ()


def decide(
    standings: Iterable[Standing], rules: Mapping[Step, Rule], now: datetime
) -> tuple[Verdict, ...]:
    """What becomes of the images of one blueprint in one Region, oldest first."""
    newest_first = sorted(standings, key=lambda s: (s.created, s.image), reverse=True)
    good = [s for s in newest_first if s.state in _THERE and s.status in _WHOLE]
    kept = next((s for s in good if s.state == "available"), None)
    found = []
    for standing in reversed(newest_first):
        newer = sum(1 for other in good if _key(other) > _key(standing))
        first = kept is None or _key(standing) >= _key(kept)
        found.append(_judge(standing, _Time(rules, now, newer), first))
    return tuple(found)


def _key(standing: Standing) -> tuple[datetime, str]:
    return standing.created, standing.image


class _Time:
    """The rules, as an image meets them that has so many newer ones."""

    def __init__(self, rules: Mapping[Step, Rule], now: datetime, newer: int) -> None:
        self.now = now
        self._rules = rules
        self._newer = newer

    def due(self, standing: Standing) -> list[tuple[Step, Rule]]:
        """The steps that it has come to, the last one first."""
        age = self.now - standing.created
        return [
            (step, self._rules[step])
            for step in reversed(STEPS)
            if step in self._rules and self._holds(self._rules[step], age)
        ]

    def _holds(self, rule: Rule, age: timedelta) -> bool:
        if rule.keep_last is not None and self._newer < rule.keep_last:
            return False
        return age >= timedelta(seconds=rule.after_s)

    def why(self, standing: Standing, rule: Rule) -> tuple[str, ...]:
        """Why a rule holds, in words."""
        said = []
        if rule.keep_last is not None:
            said.append(f"{self._newer} newer images, keep_last is {rule.keep_last}")
        if rule.after:
            days = (self.now - standing.created).total_seconds() / 86_400
            said.append(f"{days:.4g} days old, after is {rule.after}")
        return tuple(said)


def _judge(standing: Standing, time: _Time, first: bool) -> Verdict:
    if standing.state == "gone":
        broken_off = standing.status == "deleting"
        action: Action = "finish" if broken_off else "none"
        said = "its deletion broke off" if broken_off else "EC2 knows none that carries Kiln's tags"
        return Verdict(standing=standing, action=action, why=(said,))
    due = time.due(standing)
    wanted = due[0][0] if due else None
    if standing.state not in _THERE or standing.status == "pending":
        what = "is being distributed" if standing.status == "pending" else f"is {standing.state}"
        return Verdict(standing=standing, action="none", wanted=wanted, kept_by=(what,))
    if standing.disabled_by_us and standing.uses:
        why = tuple(use.label for use in standing.uses)
        return Verdict(standing=standing, action="enable", wanted=wanted, why=why)
    if first:
        by = ("is the newest of its blueprint here",) if due else ()
        return Verdict(standing=standing, action="none", wanted=wanted, kept_by=by)
    return _strongest(standing, time, due)


def _strongest(standing: Standing, time: _Time, due: list[tuple[Step, Rule]]) -> Verdict:
    """The last step that nothing holds back."""
    wanted = due[0][0] if due else None
    kept_by: tuple[str, ...] = ()
    for step, rule in due:
        guards = _guards(standing, step, rule, time.now)
        if guards:
            kept_by = kept_by or guards
            continue
        action: Action = "none" if _is_done(standing, step, time.now) else step
        why = time.why(standing, rule)
        return Verdict(standing=standing, action=action, wanted=wanted, why=why, kept_by=kept_by)
    return Verdict(standing=standing, action="none", wanted=wanted, kept_by=kept_by)


def _guards(standing: Standing, step: Step, rule: Rule, now: datetime) -> tuple[str, ...]:
    """What holds an image back from a step."""
    if step == "deprecate":
        return ()
    said: tuple[str, ...] = tuple(use.label for use in standing.uses)
    if step == "delete" and standing.protected:
        said += ("is protected from deregistration",)
    quiet = timedelta(seconds=rule.after_s) if rule.after else QUIET
    if standing.shared and standing.launched and now - standing.launched < quiet:
        said += (f"other accounts may launch it, and it was on {standing.launched:%Y-%m-%d}",)
    return said


def _is_done(standing: Standing, step: Step, now: datetime) -> bool:
    if step == "disable":
        return standing.state == "disabled"
    if step == "deprecate":
        at = standing.deprecated_at
        return standing.state == "disabled" or (at is not None and at <= now + _SOON)
    return False
