"""Walks a script's syntax tree: statements, control flow and pipelines.

What the simulated Windows does not know is said on the output with its line, and the statement that
it stands in has no effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tree_sitter import Node

from kiln_local.windows import objects
from kiln_local.windows.errors import Exit, LoopEnd, NotHere, Return, ScriptError
from kiln_local.windows.expressions import Expressions
from kiln_local.windows.parsing import child, named, parse, words
from kiln_local.windows.scope import Scope
from kiln_local.windows.values import Bag, add, items, one, text, truth

_MOST_ROUNDS = 100_000


@dataclass(frozen=True)
class Block:
    """A function or a script block: its parameters and its body."""

    parameters: tuple[tuple[str, Node], ...]
    body: Node | None


class Evaluator(Expressions):
    """One script on one machine. `out` takes what it puts out, `err` its errors."""

    def run(self, source: str) -> int:
        """The script's exit code; 1 for an error that nothing caught, as powershell.exe says."""
        try:
            for value in self.statements(parse(source)):
                self.show(value)
        except Exit as ended:
            return ended.code
        except Return:
            return 0
        except ScriptError as error:
            self.err.append(str(error))
            return 1
        return 0

    def show(self, value: Any) -> None:
        """Put a value on standard output."""
        self.out.extend(objects.shown(value))

    # ------------------------------------------------------------ statements

    def statements(self, node: Node | None) -> list[Any]:
        """The output of a list of statements, in order."""
        output: list[Any] = []
        for statement in _statements(node):
            try:
                output += self.statement(statement)
            except NotHere as unknown:
                line = statement.start_point[0] + 1
                said = words(statement).splitlines()[0]
                self.out.append(f"not run here (line {line}): {said} [{unknown}]")
                self.unknown.append(str(unknown))
            except Return as returned:
                output += returned.args[0] if returned.args else []
                raise Return(output) from None
            except (Exit, ScriptError, LoopEnd):
                # What was put out before is out.
                for value in output:
                    self.show(value)
                raise
        return output

    def statement(self, node: Node) -> list[Any]:
        """The output of one statement."""
        handler = _STATEMENTS.get(node.type)
        if handler is None:
            raise NotHere(f"statement {node.type}")
        return handler(self, node)

    def _function(self, node: Node) -> list[Any]:
        name = words(_need(node, "function_name"))
        self.functions[name.lower()] = self.block(child(node, "script_block"))
        return []

    def block(self, node: Node | None) -> Block:
        """A script block's parameters and body."""
        if node is None:
            return Block((), None)
        block = child(node, "param_block")
        listed = child(block, "parameter_list") if block else None
        parameters = tuple(
            (words(_need(p, "variable")), p)
            for p in (named(listed, "script_parameter") if listed else [])
        )
        return Block(parameters, child(node, "script_block_body"))

    def call(self, block: Block, given: Callable[[Scope], None]) -> list[Any]:
        """Run a block in a scope of its own, which `given` fills."""
        outside = self.variables.scope
        inner = Scope(outside)
        given(inner)
        self.variables.scope = inner
        try:
            return self.statements(block.body)
        except Return as returned:
            return list(returned.args[0]) if returned.args else []
        finally:
            self.variables.scope = outside

    def _if(self, node: Node) -> list[Any]:
        if truth(self.value(_field(node, "condition"))):
            return self.statements(child(node, "statement_block"))
        for clause in (c for group in named(node, "elseif_clauses") for c in named(group)):
            if truth(self.value(_field(clause, "condition"))):
                return self.statements(child(clause, "statement_block"))
        last = child(node, "else_clause")
        return self.statements(child(last, "statement_block")) if last else []

    def _foreach(self, node: Node) -> list[Any]:
        variable = words(_need(node, "variable"))
        source = next(c for c in named(node) if c.type not in ("variable", "statement_block"))
        body = child(node, "statement_block")
        output: list[Any] = []
        for item in items(self.value(source)):
            self.variables.write(variable, item)
            if self._round(body, output):
                break
        return output

    def _for(self, node: Node) -> list[Any]:
        parts = {c.type: c for c in named(node)}
        self._part(parts.get("for_initializer"))
        return self._loop(
            parts.get("for_condition"), parts.get("statement_block"), parts.get("for_iterator")
        )

    def _while(self, node: Node) -> list[Any]:
        return self._loop(_field(node, "condition"), child(node, "statement_block"), None)

    def _loop(self, condition: Node | None, body: Node | None, step: Node | None) -> list[Any]:
        output: list[Any] = []
        for _ in range(_MOST_ROUNDS):
            if condition is not None and not truth(self.value(condition)):
                return output
            if self._round(body, output):
                return output
            self._part(step)
        raise ScriptError("a loop did not end")

    def _part(self, node: Node | None) -> None:
        for inner in named(node) if node else ():
            self.statement(inner)

    def _round(self, body: Node | None, output: list[Any]) -> bool:
        """One round of a loop; whether it was the last."""
        try:
            output += self.statements(body)
        except LoopEnd as end:
            return not end.again
        return False

    def _try(self, node: Node) -> list[Any]:
        try:
            return self.statements(child(node, "statement_block"))
        except ScriptError as error:
            clauses = child(node, "catch_clauses")
            if clauses is None:
                raise
            self.variables.scope.set("_", objects.error_record(error))
            return self.statements(child(named(clauses)[0], "statement_block"))
        finally:
            last = child(node, "finally_clause")
            if last is not None:
                for value in self.statements(child(last, "statement_block")):
                    self.show(value)

    def _flow(self, node: Node) -> list[Any]:
        word = node.children[0].type.lower()
        if word in ("break", "continue"):
            raise LoopEnd(word == "continue")
        rest = next(iter(named(node)), None)
        output = self.pipeline(rest) if rest is not None else []
        if word == "return":
            raise Return(output)
        if word == "exit":
            raise Exit(int(text(one(output)) or 0))
        raise ScriptError(text(one(output)) or "ScriptHalted")

    def _pipeline(self, node: Node) -> list[Any]:
        inner = named(node)
        if inner and inner[0].type == "assignment_expression":
            self._assign(inner[0])
            return []
        return self.pipeline(node)

    def _assign(self, node: Node) -> None:
        target, operator = named(node)[0], words(_need(node, "assignement_operator"))
        value = self.value(_field(node, "value"))
        if operator != "=":
            value = (
                add(self.value(target), value)
                if operator == "+="
                else self.changed(self.value(target), operator, value)
            )
        self.store(target, value)


def _statements(node: Node | None) -> list[Node]:
    if node is None:
        return []
    found: list[Node] = []
    for inner in named(node):
        if inner.type in ("statement_list", "script_block_body", "named_block_list"):
            found += _statements(inner)
        elif inner.type not in ("comment", "param_block"):
            found.append(inner)
    return found


def _need(node: Node, kind: str) -> Node:
    found = child(node, kind)
    if found is None:
        raise NotHere(f"{node.type} without {kind}")
    return found


def _field(node: Node, name: str) -> Node | None:
    return node.child_by_field_name(name)


def nothing(_: Evaluator, __: Node) -> list[Any]:
    """An empty statement."""
    return []


_STATEMENTS: dict[str, Callable[[Evaluator, Node], list[Any]]] = {
    "pipeline": Evaluator._pipeline,
    "if_statement": Evaluator._if,
    "foreach_statement": Evaluator._foreach,
    "for_statement": Evaluator._for,
    "while_statement": Evaluator._while,
    "try_statement": Evaluator._try,
    "flow_control_statement": Evaluator._flow,
    "function_statement": Evaluator._function,
    "empty_statement": nothing,
}
__all__ = ["Bag", "Block", "Evaluator"]
