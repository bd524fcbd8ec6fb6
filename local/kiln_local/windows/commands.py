"""Commands: arguments bound to names, functions, cmdlets and programs called."""

from __future__ import annotations

from typing import Any

from tree_sitter import Node

from kiln_local.windows import casts
from kiln_local.windows.binding import Call, Piece, Takes, bind, full_name, splatted
from kiln_local.windows.errors import Exit, NotHere, Refused, ScriptError, Thrown
from kiln_local.windows.evaluator import Block, Evaluator
from kiln_local.windows.parsing import child, named, parse, words
from kiln_local.windows.scope import Scope, Variables
from kiln_local.windows.values import Bag, text

# They run blocks, whose errors are the script's own.
_OF_BLOCKS = ("foreach-object", "where-object")
_SWITCH = ("switch", "switchparameter", "management.automation.switchparameter")


class Interpreter(Evaluator):
    """An evaluator with commands."""

    def __init__(self, machine: Any, environment: dict[str, str]) -> None:
        self.machine = machine
        self.journal = machine.journal
        self.variables = Variables(environment, self.journal)
        self.functions: dict[str, Any] = {}
        self.out: list[str] = []
        self.err: list[str] = []
        self.unknown: list[str] = []

    def command(self, node: Node, piped: list[Any]) -> None:
        """Run a command; what it puts out is emitted."""
        from kiln_local.windows.cmdlets import ALIASES, CMDLETS

        operator, elements = child(node, "command_invokation_operator"), _elements(node)
        if operator is not None and words(operator) == ".":
            raise NotHere("a script in this scope")
        called = self._called(node)
        if isinstance(called, Block):
            self._function_call("&", called, self._pieces(elements), piped)
            return
        word = called.lower()
        if word in self.functions:
            self._function_call(called, self.functions[word], self._pieces(elements), piped)
        elif (word := ALIASES.get(word, word)) in CMDLETS:
            wanted, cmdlet = CMDLETS[word]
            call = Call(word if called.lower() in ALIASES else called, piped=piped)
            bind(call, self._pieces(elements), wanted)
            self.emit(self._guarded(call, cmdlet))
        else:
            self._program(called, elements, piped)

    def _called(self, node: Node) -> Any:
        found = child(node, "command_name", "command_name_expr")
        if found is None:
            raise NotHere("a command without a name")
        while found.type in ("command_name_expr", "path_command_name") and named(found):
            found = named(found)[0]
        if found.type == "command_name":
            return words(found)
        value = self.value(found)
        return value if isinstance(value, Block) else text(value)

    # ------------------------------------------------------------ arguments

    def _pieces(self, elements: list[Node]) -> list[Piece]:
        pieces: list[Piece] = []
        for number, element in enumerate(elements):
            after = elements[number - 1] if number else None
            if element.type == "redirection":
                raise NotHere("a redirection")
            if element.type == "command_parameter":
                pieces.append(("name", words(element).lstrip("-").rstrip(":")))
            elif element.type == "command_argument_sep":
                continue
            elif words(element).startswith("@") and "variable" in _kinds(element):
                pieces += splatted(self.variable(words(element)))
            else:
                self._argument(pieces, element, ":" in words(after) if after else False)
        return pieces

    def _argument(self, pieces: list[Piece], element: Node, switched: bool) -> None:
        written = words(element)
        if element.type == "argument_list":
            # `New-Object Type(argument)`
            value: Any = self.arguments(element)
        elif element.type == "generic_token" and "," in written:
            value = [self.bare(part) for part in written.split(",") if part]
            if written[0] == "," and pieces and pieces[-1][0] == "value":
                before = pieces.pop()[1]
                value = [*(before if isinstance(before, list) else [before]), *value]
        else:
            value = self.value(element)
        if switched and pieces and pieces[-1][0] == "name":
            pieces[-1] = ("switched", (pieces[-1][1], value))
        else:
            pieces.append(("value", value))

    def _guarded(self, call: Call, cmdlet: Any) -> list[Any]:
        """Run a cmdlet; an error of its own ends it."""
        self.variables.scope.set("?", True)
        try:
            found: list[Any] = cmdlet(self, call)
        except Refused:
            raise
        except ScriptError as error:
            if call.name.lower() in _OF_BLOCKS:
                raise
            self.complain(call, error)
            return []
        return found

    def complain(self, call: Call, error: ScriptError) -> None:
        """An error of a cmdlet, as its action says: stop, go on, or say nothing."""
        action = text(call.get("erroraction")).lower() or self.preference()
        self.variables.scope.set("?", False)
        if action in ("stop", "1"):
            raise Thrown(str(error)) from error
        if action in ("continue", "2"):
            self.err.append(str(error))

    def for_each_path(self, call: Call, paths: list[str], work: Any) -> list[Any]:
        """What a cmdlet gives for each of its paths; one that fails does not keep the others."""
        found: list[Any] = []
        for path in paths:
            try:
                found += work(path) or []
            except Refused:
                raise
            except ScriptError as error:
                self.complain(call, error)
        return found

    # ------------------------------------------------------------ functions

    def _function_call(
        self, name: str, block: Block, pieces: list[Piece], piped: list[Any]
    ) -> None:
        call = Call(name)
        if block.parameters:
            bind(call, _unnamed(name, pieces, block), _taken(block))
        else:
            call.positional = [value for kind, value in pieces if kind == "value"]
            if len(call.positional) != len(pieces):
                raise NotHere(f"{name} with named arguments for no parameters")

        def given(scope: Scope) -> None:
            scope.set("input", piped)
            self.fill(block, scope, call)

        self.call(block, given)

    def fill(self, block: Block, scope: Scope, call: Call | None = None) -> None:
        """Parameters of a function: by name, by place, or their defaults."""
        left = list(call.positional) if call else []
        for node in block.parameters:
            name, default = _parameter(node), child(node, "script_parameter_default")
            if call and name in call.named:
                value = call.named[name]
            elif left and not _is_switch(node):
                value = left.pop(0)
            elif default is not None:
                value = self.value(named(default)[0])
            else:
                scope.set(name, self._typed(node, None))
                continue
            scope.set(name, self._typed(node, value))
        scope.set("args", left)

    def _typed(self, node: Node, value: Any) -> Any:
        for kind in _types(node):
            if value is not None or kind.lower() in ("string", "int", "bool", *_SWITCH):
                value = casts.cast(kind, value)
        return value

    def each(self, block: Any, item: Any) -> None:
        """A script block with `$_`."""
        if not isinstance(block, Block):
            raise Refused(f"Cannot convert {text(block)} to a script block.")
        self.call(block, lambda scope: scope.set("_", item))

    # ------------------------------------------------------------ programs

    def _program(self, name: str, elements: list[Node], piped: list[Any]) -> None:
        """`& C:\\...\\x.exe arguments`: what the machine knows."""
        if any(element.type == "redirection" for element in elements):
            raise NotHere("a redirection")
        if piped:
            raise NotHere(f"{name} in a pipeline")
        given = [
            words(element) if element.type == "command_parameter" else self.value(element)
            for element in elements
            if element.type != "command_argument_sep"
        ]
        code = self.machine.program(name, [text(argument) for argument in given], self)
        self.variables.scope.outermost.set("LASTEXITCODE", code)
        self.variables.scope.set("?", code == 0)

    def script(self, source: str) -> int:
        """A script file in this process, in a scope of its own; its exit code."""
        outside, functions = self.variables.scope, self.functions
        self.variables.scope, self.functions = Scope(outside), dict(functions)
        try:
            program = parse(source)
            self.fill(self.block(program), self.variables.scope)
            self.statements(program)
        except Exit as ended:
            return ended.code
        finally:
            self.variables.scope, self.functions = outside, functions
        return 0


def _elements(node: Node) -> list[Node]:
    elements = child(node, "command_elements")
    return named(elements) if elements else []


def _kinds(node: Node) -> set[str]:
    found = {node.type}
    while len(named(node)) == 1:
        node = named(node)[0]
        found.add(node.type)
    return found


def _parameter(node: Node) -> str:
    return words(named(node, "variable")[0]).lstrip("$").lower()


def _types(node: Node) -> list[str]:
    """Types of a parameter. Of attributes only [Parameter()] is known."""
    listed, found = child(node, "attribute_list"), []
    for attribute in named(listed) if listed else []:
        written = words(attribute)[1:-1]
        if child(attribute, "type_literal"):
            found.append(written)
        elif not written.lower().startswith("parameter("):
            raise NotHere(f"the attribute {written}")
    return found


def _is_switch(node: Node) -> bool:
    return any(kind.lower() in _SWITCH for kind in _types(node))


def _taken(block: Block) -> Takes:
    switches = [_parameter(node) for node in block.parameters if _is_switch(node)]
    values = [_parameter(node) for node in block.parameters if not _is_switch(node)]
    return Takes(values, switches, 99)


def _unnamed(name: str, pieces: list[Piece], block: Block) -> list[Piece]:
    """What is given. Raises Refused for a name that the function does not have."""
    for kind, value in pieces:
        if kind in ("name", "switched"):
            given = str(value if kind == "name" else value[0])
            try:
                full_name(name, given, _taken(block))
            except NotHere:
                raise Refused(
                    f"{name}: A parameter cannot be found that matches parameter name '{given}'."
                ) from None
    return pieces


__all__ = ["Bag", "Call", "Interpreter"]
