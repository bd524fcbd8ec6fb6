"""Commands: arguments bound to names, functions, cmdlets and programs called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tree_sitter import Node

from kiln_local.windows import dotnet
from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.evaluator import Block, Evaluator
from kiln_local.windows.parsing import child, named, words
from kiln_local.windows.scope import Scope
from kiln_local.windows.values import Bag, text, truth

_SWITCHES = frozenset(
    {
        *("force", "recurse", "raw", "unique", "passthru", "list", "append", "nonewline", "quiet"),
        *("asplaintext", "descending", "directory", "file", "compress", "utc", "wait", "verbose"),
        *("noclobber", "allusers", "strict"),
    }
)


@dataclass
class Call:
    """One call of a cmdlet. `named` is by lower-case name."""

    name: str
    named: dict[str, Any] = field(default_factory=dict)
    positional: list[Any] = field(default_factory=list)
    piped: list[Any] = field(default_factory=list)

    def get(self, names: str, position: int | None = None, default: Any = None) -> Any:
        """An argument by one of its names (`path|literalpath`), else by its place."""
        for name in names.split("|"):
            if name in self.named:
                return self.named[name]
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return default

    def need(self, names: str, position: int | None = None) -> Any:
        """An argument that must be there. Raises ScriptError."""
        found = self.get(names, position)
        if found is None:
            first = names.partition("|")[0]
            raise ScriptError(f"{self.name}: the parameter {first} is missing or null.")
        return found

    def has(self, name: str) -> bool:
        """Whether a switch is on."""
        return truth(self.named.get(name, False))


class Interpreter(Evaluator):
    """An evaluator with commands."""

    def __init__(self, machine: Any, environment: dict[str, str]) -> None:
        from kiln_local.windows.scope import Variables

        self.machine = machine
        self.variables = Variables(environment)
        self.functions: dict[str, Any] = {}
        self.out: list[str] = []
        self.err: list[str] = []
        self.unknown: list[str] = []

    def command(self, node: Node, piped: list[Any]) -> list[Any]:
        """What a command puts out."""
        from kiln_local.windows.cmdlets import CMDLETS

        name = self._called(node)
        call = self._bound(name, child(node, "command_elements"), piped)
        word = name.lower()
        if word in self.functions:
            return self._function_call(self.functions[word], call)
        if word in CMDLETS:
            return self._guarded(call, CMDLETS[word])
        return self._program(name, child(node, "command_elements"))

    def _called(self, node: Node) -> str:
        found = child(node, "command_name", "command_name_expr")
        if found is None:
            raise NotHere("a command without a name")
        while found.type == "command_name_expr":
            found = named(found)[0]
        if found.type == "command_name":
            return words(found)
        return text(self.value(named(found)[0] if named(found) else found))

    def _bound(self, name: str, elements: Node | None, piped: list[Any]) -> Call:
        call, waiting = Call(name, piped=piped), ""
        for element in named(elements) if elements else []:
            if element.type == "command_argument_sep":
                continue
            if element.type == "command_parameter":
                if waiting:
                    call.named[waiting] = True
                waiting = words(element).lstrip("-").rstrip(":").lower()
                if waiting in _SWITCHES:
                    call.named[waiting], waiting = True, ""
                continue
            if element.type == "redirection":
                raise NotHere("a redirection")
            value = self.value(element)
            if waiting:
                call.named[waiting], waiting = value, ""
            else:
                call.positional.append(value)
        if waiting:
            call.named[waiting] = True
        return call

    def _guarded(self, call: Call, cmdlet: Any) -> list[Any]:
        """Errors as the action says: stop, go on, or say nothing."""
        action = text(call.get("erroraction")).lower()
        action = action or text(self.variables.read("$ErrorActionPreference")).lower()
        try:
            found: list[Any] = cmdlet(self, call)
        except ScriptError as error:
            self.variables.scope.set("?", False)
            if action == "stop":
                raise
            if action == "continue":
                self.err.append(str(error))
            return []
        self.variables.scope.set("?", True)
        return found

    def _function_call(self, block: Block, call: Call) -> list[Any]:
        given, left = dict(call.named), list(call.positional)

        def fill(scope: Scope) -> None:
            for written, node in block.parameters:
                name = written.lstrip("$").lower()
                value = given.pop(name, None) if name in given else (left.pop(0) if left else None)
                scope.set(name, self._typed(node, value))
            scope.set("args", left)
            scope.set("input", call.piped)

        return self.call(block, fill)

    def _typed(self, node: Node, value: Any) -> Any:
        listed = child(node, "attribute_list")
        for attribute in named(listed) if listed else []:
            kind = words(attribute)[1:-1]
            if value is None and kind.lower() != "string":
                return None
            return dotnet.cast(kind, value)
        return value

    def each(self, block: Block, item: Any) -> list[Any]:
        """A script block with `$_`."""
        return self.call(block, lambda scope: scope.set("_", item))

    def _argument(self, element: Node) -> Any:
        return words(element) if element.type == "command_parameter" else self.value(element)

    def _program(self, name: str, elements: Node | None) -> list[Any]:
        """`& C:\\...\\x.exe arguments`: what the machine knows."""
        given = [
            words(element) if element.type == "command_parameter" else self.value(element)
            for element in (named(elements) if elements else [])
            if element.type != "command_argument_sep"
        ]
        code = self.machine.program(name, [text(argument) for argument in given], self)
        self.variables.scope.outermost.set("LASTEXITCODE", code)
        return []


__all__ = ["Bag", "Call", "Interpreter"]
