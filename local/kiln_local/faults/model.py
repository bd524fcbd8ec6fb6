"""A fault as its file gives it, checked: one frozen value each, one clear line for what is wrong.

Nothing here looks at a running local AWS; what a fault does is in the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from kiln.domain.model import Model, Text, explain
from kiln.errors import InvalidRequest
from kiln_local.faults import names

Kind = Literal["call", "invocation", "event", "state"]
Act = Literal[
    "stop-execution", "time-out-execution", "terminate-instance", "silence-agent", "fail-image"
]
# What each kind of fault can do. The first of several keys that a fault has is its effect.
EFFECTS: dict[Kind, tuple[str, ...]] = {
    "call": ("error", "crash", "drop", "double", "delay_s"),
    "invocation": ("error", "crash", "double", "delay_s"),
    "event": ("drop", "double", "delay_s"),
    "state": ("act",),
}
_WHERE = {
    "call": "a call",
    "invocation": "lambda/Invoke",
    "event": "an event",
    "state": "a fault without service and operation",
}
# These may be given beside an effect: how much later it comes.
_LATER = {("event", "double"), ("state", "act")}
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


def _true(given: bool) -> bool:
    if not given:
        raise ValueError("false is what it is without the key; leave it out")
    return given


Yes = Annotated[bool, Field(strict=True), AfterValidator(_true)]


def _times(given: Any) -> Any:
    if given != "always" and (not isinstance(given, int) or isinstance(given, bool) or given < 1):
        raise ValueError(f"must be a whole number from 1, or always, not {given!r}")
    return given


class Refusal(Model):
    """What AWS answers: a code, and what it says with it; without `http` the code's own status."""

    code: Text
    message: Text = "A fault on request."
    http: Annotated[int, Field(ge=400, le=599, strict=True)] | None = None


def _refusal(given: Any) -> Any:
    return {"code": given} if isinstance(given, str) else given


class When(Model):
    """Where in the state machines: a state, a machine, an execution by its name or a pattern of it
    (`web-*`)."""

    state: Text | None = None
    machine: Text | None = None
    execution: Text | None = None


class Fault(Model):
    """One fault. It acts on the nth occurrence that fits, and on `times` of them in all, or on each
    for so many simulated seconds."""

    service: Text | None = None
    operation: Text | None = None
    function: Text | None = None
    when: When = When()
    nth: Count = 1
    times: Annotated[Count | Literal["always"] | None, BeforeValidator(_times)] = None
    for_s: Seconds | None = None
    error: Annotated[Refusal, BeforeValidator(_refusal)] | None = None
    delay_s: Seconds | None = None
    crash: Literal["before", "after"] | None = None
    by: Literal["exit", "time-out"] | None = None
    drop: Yes | None = None
    double: Yes | None = None
    act: Act | None = None
    role: Literal["builder", "clone"] | None = None

    @property
    def kind(self) -> Kind:
        """What it happens to."""
        if self.service is None:
            return "state"
        if (self.service, self.operation) == ("lambda", "Invoke"):
            return "invocation"
        return "event" if names.is_event(self.service, self.operation or "") else "call"

    @property
    def effect(self) -> str:
        """The key that says what it does."""
        return next(key for key in EFFECTS[self.kind] if getattr(self, key) is not None)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self._check_target()
        self._check_effect()
        if self.error:
            names.check_word(str(self.service), self.error.code)
        if self.times is not None and self.for_s is not None:
            raise ValueError("times, for_s: give one of them")
        if self.by and not self.crash:
            raise ValueError("by: says how a function crashes; give crash too")
        if self.role and self.act not in ("terminate-instance", "silence-agent"):
            raise ValueError("role: tells which instance; it goes with acts on one alone")
        return self

    def _check_target(self) -> None:
        if self.act:
            if self.service or self.operation or self.function:
                raise ValueError("act: goes with when.state, not with service, operation, function")
            if not self.when.state:
                raise ValueError("when.state: is required with act: which state is entered")
            return
        if not self.service:
            raise ValueError("service: is required, or act with when.state")
        if not self.operation:
            raise ValueError("operation: is required")
        names.check_operation(self.service, self.operation)

    def _check_effect(self) -> None:
        kind, known = self.kind, {key for keys in EFFECTS.values() for key in keys}
        given = sorted(key for key in known if getattr(self, key) is not None)
        allowed = EFFECTS[kind]
        wrong = [key for key in given if key not in allowed and key != "delay_s"]
        if wrong:
            raise ValueError(f"{wrong[0]}: {_WHERE[kind]} has none; allowed: {', '.join(allowed)}")
        effects = [key for key in given if key in allowed]
        if len(effects) == 2 and "delay_s" in effects:
            effects.remove("delay_s")
        if len(effects) != 1:
            what = f"{', '.join(effects)}: give" if effects else "it does nothing; give"
            raise ValueError(f"{what} exactly one of {', '.join(allowed)}")
        if self.delay_s and effects != ["delay_s"] and (kind, effects[0]) not in _LATER:
            raise ValueError(f"delay_s: does not go with {effects[0]}; make it a fault of its own")

    def acts_at(self, count: int, since_s: float | None) -> bool:
        """Whether it acts on an occurrence, the `count`-th, `since_s` after it has first acted."""
        if count < self.nth:
            return False
        if self.for_s is not None:
            return since_s is None or since_s < self.for_s
        return self.times == "always" or count < self.nth + (self.times or 1)

    def __str__(self) -> str:
        """As one line: what it happens to, which occurrences, what it does."""
        where = [f"{self.service}/{self.operation}"] if self.service else []
        where += [f"of {self.function}"] if self.function else []
        where += [f"{key} {value}" for key, value in self.when if value]
        often = f"for {self.for_s:g} s" if self.for_s else f"times {self.times or 1}"
        return f"{' '.join(where)}, nth {self.nth}, {often}: {self._what()}"

    def _what(self) -> str:
        value = getattr(self, self.effect)
        text = value.code if isinstance(value, Refusal) else "" if value is True else f"{value}"
        parts = [self.effect, text] if self.effect != "act" else [text, self.role or ""]
        parts += [f"by {self.by}"] if self.by else []
        later = f" {self.delay_s:g} s later" if self.delay_s and self.effect != "delay_s" else ""
        return " ".join(part for part in parts if part) + later


class _File(BaseModel):
    faults: tuple[Fault, ...]


def faults_from(document: Any, project: Path | None = None) -> tuple[Fault, ...]:
    """The faults of a parsed file: a list, or a mapping with the list under `faults`.

    With a project's folder its functions, machines and states are checked too. Raises
    InvalidRequest, one line that names the fault by its place in the list, from 0.
    """
    given = document.get("faults") if isinstance(document, dict) else document
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise InvalidRequest("faults: must be a list with at least one fault in it")
    found = tuple(_fault(row, f"faults.{place}") for place, row in enumerate(given))
    if project:
        known = names.Project(project)
        for place, fault in enumerate(found):
            try:
                known.check(fault)
            except ValueError as error:
                raise InvalidRequest(f"faults.{place}.{error}") from error
    return found


_ADAPTER = TypeAdapter(Fault)


def _fault(given: Any, where: str) -> Fault:
    try:
        return _ADAPTER.validate_python(given)
    except ValidationError as error:
        said = explain(error, Fault).removeprefix("the file: ")
        key = said.partition(":")[0].partition(",")[0].partition(".")[0]
        raise InvalidRequest(
            f"{where}{'.' if key in Fault.model_fields else ': '}{said}"
        ) from error
