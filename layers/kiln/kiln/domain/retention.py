"""How long a blueprint's images live: the rules by which they are deprecated, disabled and deleted.

The rules only: which image they reach and what holds it back is decided in `pruning`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from kiln.domain.distribution import Region
from kiln.domain.durations import Duration, seconds
from kiln.domain.model import Model

Step = Literal["deprecate", "disable", "delete"]
# From the mildest to the last.
STEPS: tuple[Step, ...] = ("deprecate", "disable", "delete")


class Rule(Model):
    """When an image has had its time: once it is none of the newest `keep_last` of its blueprint,
    once it is older than `after`; where both are said, both must hold."""

    keep_last: Annotated[int, Field(ge=1, le=1000)] | None = None
    after: Duration | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.keep_last is None and self.after is None:
            raise ValueError("needs keep_last, after, or both")
        return self

    @property
    def after_s(self) -> int:
        """The age that it asks for, in seconds; 0 where it asks for none."""
        return seconds(self.after) if self.after else 0


def _branch(given: Any) -> str:
    # Of a rule that is wrong the user reads what is wrong with it, not that it is no `never`.
    return "Never" if isinstance(given, str) else "Rule"


Never = Literal["never"]
RuleOrNever = Annotated[
    Annotated[Rule, Tag("Rule")] | Annotated[Never, Tag("Never")], Discriminator(_branch)
]


class Rules(Model):
    """The three rules. One that is left out is that of every Region; `never` switches it off."""

    deprecate: RuleOrNever | None = None
    disable: RuleOrNever | None = None
    delete: RuleOrNever | None = None

    def said(self) -> dict[Step, Rule | Never]:
        """Those that are said."""
        found = {step: getattr(self, step) for step in STEPS}
        return {step: rule for step, rule in found.items() if rule is not None}


class Lifecycle(Rules):
    """The rules of a blueprint's images, and what is otherwise in some Regions. Without a rule an
    image stays for ever."""

    regions: dict[Region, Rules] = {}

    def in_region(self, region: str) -> dict[Step, Rule]:
        """The rules that hold in a Region."""
        said = self.said() | self.regions.get(region, Rules()).said()
        found = ((step, said.get(step)) for step in STEPS)
        return {step: rule for step, rule in found if isinstance(rule, Rule)}

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        # What is said of one Region may contradict what is said of all.
        for region in ("", *self.regions):
            _check_order(self.in_region(region), f"regions.{region}." if region else "")
        return self


_PAST = {"deprecate": "deprecated", "disable": "disabled", "delete": "deleted"}


def _check_order(rules: dict[Step, Rule], where: str) -> None:
    """Raise ValueError where an image could reach a later step before an earlier one.

    A later rule holds only where every earlier one does if it asks for all that they ask for, and
    for no less of it.
    """
    for at, earlier in enumerate(STEPS):
        for later in STEPS[at + 1 :]:
            if earlier in rules and later in rules:
                key = _fallen_short(rules[earlier], rules[later])
                if key:
                    least = getattr(rules[earlier], key)
                    raise ValueError(
                        f"{where}{later}: {key} must be {least} or more, as {earlier} has it, or "
                        f"an image would be {_PAST[later]} before it is {_PAST[earlier]}"
                    )


def _fallen_short(earlier: Rule, later: Rule) -> str:
    """The key of which a later rule asks for less than an earlier one."""
    if (later.keep_last or 0) < (earlier.keep_last or 0):
        return "keep_last"
    return "after" if later.after_s < earlier.after_s else ""
