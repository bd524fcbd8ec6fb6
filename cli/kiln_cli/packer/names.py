"""What names of an HCL2 template stand for: variables, locals, data, the source of the moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiln.errors import InvalidBlueprint
from kiln_cli.elsewhere.beside import LARGEST_SCRIPT, read_beside, script_text
from kiln_cli.elsewhere.values import Budget, opened, reasons
from kiln_cli.packer.grammar import Node
from kiln_cli.packer.words import SECRET, no_value

if TYPE_CHECKING:
    from kiln_cli.packer.expressions import Expressions
    from kiln_cli.packer.hcl import Block

# One value stands for another, and so on: each takes some calls of Python's.
_DEEPEST = 40


@dataclass(frozen=True)
class Written:
    """An expression and the file that it stands in."""

    node: Node
    text: Expressions

    def value(self) -> Any:
        """What it is worth."""
        return self.text.value(self.node)


@dataclass
class Scope:
    """The names of all files of a template. `defaults` and `given` are of variables, `here` of the
    source whose build is being read; `folder` is the template's."""

    budget: Budget
    folder: Path = Path()
    defaults: dict[str, Written | None] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    locals: dict[str, Written] = field(default_factory=dict)
    secret: set[str] = field(default_factory=set)
    data: dict[tuple[str, ...], Block] = field(default_factory=dict)
    here: dict[tuple[str, str], str] = field(default_factory=dict)
    _known: dict[tuple[str, ...], Any] = field(default_factory=dict)
    _resolving: list[tuple[str, ...]] = field(default_factory=list)

    def named(self, path: tuple[str, ...], text: str) -> Any:
        """The value of a name, an Open for one that is not known."""
        if path[:2] in self.here:
            return self.here[path[0], path[1]]
        written = f"${{{text}}}"
        if path == ("path", "root"):
            return "."
        if path[0] == "data" and path[1:3] in self.data:
            why = f"{'.'.join(path)[:80]} is looked up while an image is built"
            return opened(written, why, reference=path)
        if path[0] not in ("var", "local") or len(path) < 2:
            return opened(written, f"{text[:80]} is known only to Packer; write its value")
        if path[1] in self.secret:
            return opened(written, f"{'.'.join(path[:2])[:80]} {SECRET}")
        found = self._value(path[:2], written)
        for key in path[2:]:
            if not isinstance(found, dict) or key not in found:
                return opened(written, *(reasons(found) or (f"{text[:80]} is not there",)))
            found = found[key]
        self.budget.whole(found)
        return found

    def file(self, name: str) -> str:
        """A file's text, where it lies beside the template and is no larger than a script."""
        found = read_beside(name, self.folder, LARGEST_SCRIPT)
        try:
            if found.content is not None:
                return script_text(found)
            why = found.why
        except InvalidBlueprint as error:
            why = str(error)
        return opened(f'${{file("{name}")}}', f"{name[:100]} {why}")

    def _value(self, path: tuple[str, ...], written: str) -> Any:
        if path in self._known:
            return self._known[path]
        if path in self._resolving or len(self._resolving) >= _DEEPEST:
            return opened(written, f"{'.'.join(path)[:80]} depends on too much, or on itself")
        self._resolving.append(path)
        name = path[1]
        found = (
            self.given.get(name, self.defaults.get(name))
            if path[0] == "var"
            else self.locals.get(name)
        )
        if found is None:
            value: Any = opened(written, no_value(name[:60]))
        else:
            # `null` is a value: the setting is left out.
            value = found.value() if isinstance(found, Written) else found
        self._resolving.pop()
        self._known[path] = value
        return value
