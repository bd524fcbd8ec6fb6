"""Walks a script's syntax tree: statements, control flow and pipelines.

What the simulated Windows does not know is said on the output with its line, and the statement that
it stands in has no effect: what it had changed is undone, what it would have assigned is unknown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tree_sitter import Node

from kiln_local.windows import objects
from kiln_local.windows.errors import Exit, LoopEnd, NotHere, Return, ScriptError, Thrown
from kiln_local.windows.loops import Loops
from kiln_local.windows.parsing import child, field, named, need, parse, words
from kiln_local.windows.scope import Scope
from kiln_local.windows.shapes import assigned, catch_all, parameters, puts_out, statements_of
from kiln_local.windows.values import UNKNOWN, add, number, one, text, truth

# Python's calls for one of PowerShell's are some dozens.
_DEEPEST = 10_000


@dataclass(frozen=True)
class Block:
    """A function or a script block: its parameters and its body."""

    parameters: tuple[Node, ...]
    body: Node | None


class Evaluator(Loops):
    """One script on one machine. `out` takes what it puts out, `err` its errors."""

    # A statement that waits for its value takes what is put out; otherwise it is shown.
    sink: list[Any] | None = None
    depth = 0
    tries = 0
    caught: ScriptError | None = None

    def run(self, source: str) -> int:
        """The script's exit code; 1 for an error that nothing caught, as powershell.exe says."""
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _DEEPEST))
        try:
            program = parse(source)
            self.fill(self.block(program), self.variables.scope)
            self.statements(program)
        except Exit as ended:
            return ended.code
        except (Return, LoopEnd):
            return 0
        except ScriptError as error:
            self.err.append(str(error))
            return 1
        except RecursionError:
            self.err.append("The script failed due to call depth overflow.")
            return 1
        return 0

    def fill(self, block: Block, scope: Scope) -> None:
        """Defaults of a script's own parameters; of the other half."""
        raise NotImplementedError

    # ------------------------------------------------------------ output

    def emit(self, values: list[Any]) -> None:
        """Put values out."""
        if self.sink is not None:
            self.sink += values
        else:
            self.out += [line for value in values for line in objects.shown(value)]

    def captured(self, work: Callable[[], None]) -> list[Any]:
        """What some work puts out."""
        outer, self.sink = self.sink, []
        try:
            work()
            return self.sink
        finally:
            self.sink = outer

    # ------------------------------------------------------------ statements

    def statements(self, node: Node | None) -> None:
        """Run a list of statements, in order."""
        for statement in statements_of(node):
            self._one(statement)

    def _one(self, statement: Node) -> None:
        mark, said, put_out = self.journal.mark(), len(self.out), len(self.sink or ())
        self.depth += 1
        try:
            self.statement(statement)
        except NotHere as unknown:
            self.journal.undo(mark)
            del self.out[said:]
            if self.sink is not None:
                del self.sink[put_out:]
            self._not_here(statement, unknown)
        except ScriptError as error:
            self._failed(error)
        finally:
            self.depth -= 1
        if self.depth == 0:
            self.journal.clear()

    def _not_here(self, statement: Node, unknown: NotHere) -> None:
        line, said = statement.start_point[0] + 1, words(statement).splitlines()[0]
        self.out.append(f"not run here (line {line}): {said} [{unknown}]")
        self.unknown.append(str(unknown))
        for variable in assigned(statement):
            self.variables.forget(words(variable))
        if self.sink is not None and puts_out(statement):
            self.sink.append(UNKNOWN)

    def _failed(self, error: ScriptError) -> None:
        """An error ends its statement; the script only where it is to stop."""
        action = self.preference()
        if self.tries or isinstance(error, Thrown):
            raise error
        if action == "stop":
            raise Thrown(str(error)) from error
        self.variables.scope.set("?", False)
        if action == "continue":
            self.err.append(str(error))

    def preference(self) -> str:
        """$ErrorActionPreference; where it comes from what was not run, Windows' own."""
        found = self.variables.read("$ErrorActionPreference")
        return "continue" if found is UNKNOWN else text(found).lower()

    def statement(self, node: Node) -> None:
        """Run one statement."""
        handler = _STATEMENTS.get(node.type)
        if handler is None:
            raise NotHere(f"statement {node.type}")
        handler(self, node)

    def _function(self, node: Node) -> None:
        name, script = words(need(node, "function_name")), child(node, "script_block")
        declared = child(node, "function_parameter_declaration")
        block = self.block(script)
        if declared is not None:
            block = Block(parameters(declared), block.body)
        self.journal.keep(self.functions, name.lower())
        self.functions[name.lower()] = block

    def block(self, node: Node | None) -> Block:
        """A script block's parameters and body. `{ param(...) ... }` has its parameters beside the
        block that the grammar sees in it."""
        if node is None:
            return Block((), None)
        inner = child(node, "script_block") or node
        body = child(inner, "script_block_body")
        if body is not None and child(body, "named_block_list"):
            raise NotHere("begin, process and end blocks")
        listed = child(node, "param_block") or child(inner, "param_block")
        return Block(parameters(listed) if listed else (), body)

    def call(self, block: Block, given: Callable[[Scope], None]) -> None:
        """Run a block in a scope of its own, which `given` fills."""
        outside = self.variables.scope
        inner = Scope(outside)
        self.variables.scope = inner
        try:
            given(inner)
            self.statements(block.body)
        except Return:
            return
        finally:
            self.variables.scope = outside

    def _if(self, node: Node) -> None:
        if truth(self.value(field(node, "condition"))):
            return self.statements(child(node, "statement_block"))
        for clause in (c for group in named(node, "elseif_clauses") for c in named(group)):
            if truth(self.value(field(clause, "condition"))):
                return self.statements(child(clause, "statement_block"))
        last = child(node, "else_clause")
        return self.statements(child(last, "statement_block")) if last else None

    def _try(self, node: Node) -> None:
        clause, last = catch_all(child(node, "catch_clauses")), child(node, "finally_clause")
        body = child(node, "statement_block")
        try:
            if clause is None:
                self.statements(body)
            elif (error := self._attempted(body)) is not None:
                self._catch(clause, error)
        finally:
            if last is not None:
                self.statements(child(last, "statement_block"))

    def _attempted(self, body: Node | None) -> ScriptError | None:
        """The error that ended a try block."""
        self.tries += 1
        try:
            self.statements(body)
        except ScriptError as error:
            return error
        finally:
            self.tries -= 1
        return None

    def _catch(self, clause: Node, error: ScriptError) -> None:
        scope, outer = self.variables.scope, self.caught
        before = scope.get("_")
        scope.set("_", objects.error_record(error))
        self.caught = error
        try:
            self.statements(child(clause, "statement_block"))
        finally:
            self.caught = outer
            scope.set("_", before)

    def _flow(self, node: Node) -> None:
        word, rest = node.children[0].type.lower(), next(iter(named(node)), None)
        if word in ("break", "continue"):
            if rest is not None:
                raise NotHere("a label")
            raise LoopEnd(word == "continue")
        if word == "return":
            self.pipeline(rest)
            raise Return
        given = one(self.captured(lambda: self.pipeline(rest)))
        if word == "exit":
            raise Exit(int(number(given)))
        if rest is None and self.caught is not None:
            raise Thrown(str(self.caught))
        raise Thrown(text(given) or "ScriptHalted")

    def _pipeline(self, node: Node) -> None:
        inner = named(node)
        if inner and inner[0].type == "assignment_expression":
            self._assign(inner[0])
        else:
            self.pipeline(node)

    def _assign(self, node: Node) -> None:
        target, operator = named(node)[0], words(need(node, "assignement_operator"))
        source = field(node, "value")
        if source is not None and source.type in _STATEMENTS and source.type != "pipeline":
            value = one(self.captured(lambda: self.statement(source)))
        else:
            value = self.value(source)
        if operator != "=":
            old = self.value(target)
            value = add(old, value) if operator == "+=" else self.changed(old, operator, value)
        self.store(target, value)


def nothing(_: Evaluator, __: Node) -> None:
    """An empty statement, or a loop's name."""


_STATEMENTS: dict[str, Callable[[Evaluator, Node], None]] = {
    "pipeline": Evaluator._pipeline,
    "if_statement": Evaluator._if,
    "foreach_statement": Evaluator.foreach,
    "for_statement": Evaluator.for_,
    "while_statement": Evaluator.while_,
    "do_statement": Evaluator.do,
    "switch_statement": Evaluator.switch,
    "try_statement": Evaluator._try,
    "flow_control_statement": Evaluator._flow,
    "function_statement": Evaluator._function,
    "empty_statement": nothing,
    # Only `break` and `continue` to a label mean something, and they are not known here.
    "label": nothing,
}
__all__ = ["Block", "Evaluator"]
