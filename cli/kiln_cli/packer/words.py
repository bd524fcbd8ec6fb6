"""Packer's template language in texts: `{{user `x`}}`, `{{timestamp}}`, `{{isotime "2006"}}`.

Worked out where the file alone says what they are.

Functions: Packer documentation, "Template Engine". What follows `{{ .` is known to Packer only
while it builds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kiln.errors import InvalidRequest
from kiln_cli.elsewhere.values import STAMP, Budget, Open, each_text, opened, reasons
from kiln_cli.packer.functions import Unknown, cleaned, formatted, replaced

# Packer interpolates every text of a template; one with more of these is no template.
_MOST = 2_000
_EXPRESSION = re.compile(r"\{\{-?\s*((?:`[^`]*`|\"(?:[^\"\\]|\\.)*\"|[^`\"{}]){0,4000}?)\s*-?\}\}")
_WORD = re.compile(r"`([^`]*)`|\"((?:[^\"\\]|\\.)*)\"|([^\s|`\"]+)|(\|)")
_DEEPEST = 20


@dataclass
class Words:
    """What the words of a template stand for. `given` are its user variables, resolved once each;
    `here` the names that differ from builder to builder."""

    given: Mapping[str, Any] = field(default_factory=dict)
    secret: frozenset[str] = frozenset()
    here: Mapping[str, str] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    resolved: dict[str, str] = field(default_factory=dict)
    _resolving: list[str] = field(default_factory=list)
    _seen: int = 0

    def filled(self, value: Any) -> Any:
        """A value with every text in it worked out."""
        return each_text(value, self.budget, self.text)

    def text(self, text: str) -> str:
        """A text, Open where something in it is not known."""
        if "{{" not in text:
            self.budget.step(text)
            return text
        why: list[str] = list(reasons(text))
        made: list[str] = []
        at = 0
        for found in _EXPRESSION.finditer(text):
            self._count()
            value = self._value(found[1])
            why += reasons(value)
            made += [text[at : found.start()], str(found[0] if isinstance(value, Open) else value)]
            at = found.end()
            self.budget.step(made[-1])
        whole = "".join([*made, text[at:]])
        self.budget.step(whole)
        return opened(whole, *why) if why else whole

    def _count(self) -> None:
        self._seen += 1
        if self._seen > _MOST:
            raise InvalidRequest(f"holds more than {_MOST} expressions in {{{{ }}}}")

    def _value(self, expression: str) -> str:
        """What stands between the braces: words, each pipe hands what is before it to the next."""
        words = [
            (m[1] or m[2] or m[3] or m[4] or "", bool(m[3])) for m in _WORD.finditer(expression)
        ]
        piped: list[str] = []
        call: list[tuple[str, bool]] = []
        for word, bare in [*words, ("|", False)]:
            if word != "|":
                call.append((word, bare))
                continue
            result = self._call(expression, call, piped)
            if isinstance(result, Open):
                return result
            piped, call = [result], []
        return piped[0]

    def _call(self, expression: str, call: list[tuple[str, bool]], piped: list[str]) -> str:
        shown = f"{{{{{' '.join(expression.split())[:80]}}}}}"
        if not call:
            return opened(shown, f"{shown} is no expression of Packer's")
        (name, bare), arguments = call[0], [word for word, _ in call[1:]] + piped
        if not bare:
            return name
        if name == "user":
            return self._user(arguments[0] if arguments else "")
        if name in self.here:
            return self.here[name]
        if name in _REASONS or name.startswith("."):
            return opened(shown, f"{shown} {_REASONS.get(name, _LATER)}")
        try:
            return _FUNCTIONS[name](*arguments)
        except (KeyError, TypeError, Unknown):
            return opened(shown, f"{shown} is not worked out; write its value")

    def _user(self, name: str) -> str:
        if name in self.secret:
            return opened(name, f"variable {name[:60]} {SECRET}")
        if name in self.resolved:
            return self.resolved[name]
        found = self.given.get(name)
        if found is None:
            return opened(name, no_value(name[:60]))
        if name in self._resolving or len(self._resolving) > _DEEPEST:
            return opened(name, f"variable {name[:60]} depends on too much, or on itself")
        self._resolving.append(name)
        value = self.text(found if isinstance(found, str) else f"{found}")
        self._resolving.pop()
        self.resolved[name] = value
        return value


def no_value(name: str) -> str:
    """Why a variable is not known."""
    return f"variable {name} has no value; give it with --var {name}=VALUE, or write it here"


SECRET = "is sensitive, and a blueprint holds no secret: let the step fetch it (docs/security.md)"
_LATER = "is known only while an image is built"
_REASONS = {
    "env": "is of the environment, which is not read; write its value, or give the variable "
    "with --var",
    "build": "is of the builder while it runs",
    "consul_key": "is fetched by Packer; let the step fetch it",
    "vault": "is a secret; let the step fetch it (docs/security.md)",
    "aws_secretsmanager": "is a secret; let the step fetch it (docs/security.md)",
    "packer_version": _LATER,
    "pwd": "is a folder of the machine that ran Packer",
}


def _split(text: str, by: str, at: str) -> str:
    found = text.split(by) if by else []
    number = int(at) if at.isascii() and at.isdigit() and len(at) < 6 else len(found)
    if number >= len(found):
        raise Unknown
    return found[number]


def _isotime(*layout: str) -> str:
    return formatted(layout[0]) if layout else STAMP


_FUNCTIONS: dict[str, Callable[..., str]] = {
    "timestamp": lambda: STAMP,
    "isotime": _isotime,
    "strftime": lambda *_layout: STAMP,
    # A bake's time is as good as a random id: no two images of a blueprint share one.
    "uuid": lambda: STAMP,
    "clean_resource_name": cleaned,
    "clean_ami_name": cleaned,
    "upper": lambda text: text.upper(),
    "lower": lambda text: text.lower(),
    "split": _split,
    # {{replace "old" "new" "at most" text}}; a regular expression is not run.
    "replace": lambda old, new, _most, text: replaced(text, old, new),
    "replace_all": lambda old, new, text: replaced(text, old, new),
}
