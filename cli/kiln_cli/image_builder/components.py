"""What components do, as steps and tests of a blueprint.

AWSTOE user guide, "Component documents" and "Action modules": phases build, validate and test, each
with steps in order; `{{ name }}` stands for a parameter or a constant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kiln_cli.elsewhere.settings import Settings
from kiln_cli.elsewhere.steps import Steps, duration
from kiln_cli.elsewhere.values import Budget, Open, each_text, opened, reasons
from kiln_cli.image_builder.actions import add_action
from kiln_cli.image_builder.estate import ARN, Estate, Resource
from kiln_cli.image_builder.managed import add_managed

_WORD = re.compile(r"\{\{\s*([^{}]{1,200}?)\s*\}\}")
MOST_STEPS = 1_000
_SAVE = (
    "no file says what it does; save it with `aws imagebuilder get-component "
    "--component-build-version-arn ARN` and give that file too"
)


@dataclass
class Made:
    """The steps and the tests of one blueprint; `folder` is where its commands run."""

    steps: Steps
    tests: Steps
    folder: str = ""
    budget: Budget = field(default_factory=Budget)


def add_components(listed: Any, recipe: Resource, estate: Estate, made: Made) -> None:
    """Add what a recipe's components do, in its order."""
    notes = made.steps.notes
    for number, one in enumerate(listed if isinstance(listed, list) else []):
        about = f"components.{number} of {recipe.about}"
        link = one.get("componentArn") if isinstance(one, dict) else None
        found = estate.linked("component", link)
        if found and "document" in found.said:
            given = dict(_given(one.get("parameters")))
            add_document(found, given, made)
        elif found is None and add_managed(str(link), made):
            continue
        else:
            called = ARN.match(str(link))
            name = called["name"] if called else str(link)[:80]
            uri = found.said.get("uri") if found else None
            why = f"its document is {str(uri)[:100]}; fetch it and give that file" if uri else _SAVE
            notes.want(about, name, why)


def _given(listed: Any) -> Iterator[tuple[str, Any]]:
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and isinstance(one.get("name"), str):
            value = one.get("value")
            yield one["name"], value[0] if isinstance(value, list) and value else value


def add_document(component: Resource, given: dict[str, Any], made: Made) -> None:
    """Add the steps of a component's document; `given` are values of its parameters."""
    document = component.said["document"]
    for why in reasons(component.said.get("data")):
        made.steps.notes.want(component.about, "data", why)
    words = Words(_constants(document) | _defaults(document) | given, made.budget)
    for phase in document["phases"]:
        if not isinstance(phase, dict):
            continue
        name = str(phase.get("name"))
        about = f"{name[:40]} of {component.about}"
        if name not in ("build", "validate", "test"):
            made.steps.notes.drop(component.about, f"phases.{name[:40]}", "Kiln runs no such phase")
            continue
        if name == "validate":
            reason = "its steps run on a clone of the image, beside the tests"
            made.steps.notes.assume(component.about, "phases.validate", reason)
        steps = made.steps if name == "build" else made.tests
        listed = phase.get("steps")
        for step in listed if isinstance(listed, list) else []:
            if isinstance(step, dict):
                _add_step(step, about, words, steps, made)


def _add_step(step: dict[str, Any], about: str, words: Words, steps: Steps, made: Made) -> None:
    called = str(step.get("name") or "step")
    about = f"step {called[:60]} in {about}"
    settings = Settings({k: v for k, v in step.items() if k != "inputs"}, about, steps.notes)
    settings.take("name")
    action = settings.text("action") or ""
    if len(made.steps.made) + len(made.tests.made) >= MOST_STEPS:
        settings.drop("action", f"a blueprint has more than {MOST_STEPS} steps; split it")
        return
    for key, what in (("loop", "write the loop in a script"), ("if", "test for it in a script")):
        if settings.take(key) is not None:
            settings.want(key, f"{what}; the step is left out")
            return
    if settings.text("onFailure") in ("Continue", "Ignore"):
        settings.drop("onFailure", "a step that fails ends the bake; end its script with `|| true`")
    if (settings.whole("maxAttempts") or 1) > 1:
        settings.drop("maxAttempts", "a step runs once; let the script try again")
    more = {"timeout": _timeout(settings)}
    settings.finish({}, "a step has nothing like it")
    inputs = words.filled(step.get("inputs"))
    add_action((action, called, about), inputs, steps, made.folder, more)


def _timeout(settings: Settings) -> str:
    given = settings.text("timeoutSeconds")
    if given is None or not re.fullmatch(r"-?\d{1,9}", given, re.ASCII):
        return ""
    # -1 is no limit; 48 hours are the most that Systems Manager gives a step.
    return duration(int(given) if int(given) > 0 else 172_800)


def _defaults(document: dict[str, Any]) -> dict[str, Any]:
    """Parameters as AWSTOE writes them: a list of {NAME: {type, default}}."""
    found: dict[str, Any] = {}
    for name, one in _named(document.get("parameters")):
        if isinstance(one, dict) and "default" in one:
            found[name] = one["default"]
    return found


def _constants(document: dict[str, Any]) -> dict[str, Any]:
    return {
        name: one.get("value")
        for name, one in _named(document.get("constants"))
        if isinstance(one, dict)
    }


def _named(listed: Any) -> Iterator[tuple[str, Any]]:
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict):
            yield from one.items()


@dataclass
class Words:
    """What `{{ name }}` stands for in a document."""

    known: dict[str, Any]
    budget: Budget

    def filled(self, value: Any) -> Any:
        """A value with every text in it worked out, Open where something is not known."""
        return each_text(value, self.budget, self._text)

    def _text(self, text: str) -> str:
        self.budget.step(text)
        why = list(reasons(text))

        def one(found: re.Match[str]) -> str:
            value = self.known.get(found[1])
            if isinstance(value, Open) or not isinstance(value, bool | int | float | str):
                shown = found[0][:80]
                why.extend(reasons(value) or (f"{shown} is known only while it runs",))
                return found[0]
            made = str(value).lower() if isinstance(value, bool) else str(value)
            self.budget.step(made)
            return made

        made = _WORD.sub(one, text)
        return opened(made, *why) if why else made
