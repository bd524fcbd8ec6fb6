"""Loops and switch."""

from __future__ import annotations

from typing import Any

from tree_sitter import Node

from kiln_local.windows.errors import LoopEnd, NotHere
from kiln_local.windows.expressions import Expressions
from kiln_local.windows.operators import compare
from kiln_local.windows.parsing import child, field, named, need, words
from kiln_local.windows.values import items, one, truth

_MOST_ROUNDS = 20_000
_CONDITION = "switch_clause_condition"
_HOW = {"-regex": "match", "-wildcard": "like", "-exact": "eq"}


class Loops(Expressions):
    """The statements that run others several times."""

    def statement(self, node: Node) -> None:
        """Of the other half."""
        raise NotImplementedError

    def foreach(self, node: Node) -> None:
        """`foreach ($x in ...) {}`."""
        variable, body = words(need(node, "variable")), child(node, "statement_block")
        source = next(c for c in named(node) if c.type not in ("variable", "statement_block"))
        for item in items(self.value(source)):
            self.variables.write(variable, item)
            if self._round(body):
                break

    def for_(self, node: Node) -> None:
        """`for (...; ...; ...) {}`."""
        parts = {c.type: c for c in named(node)}
        self._part(parts.get("for_initializer"))
        self._loop(
            parts.get("for_condition"), parts.get("statement_block"), parts.get("for_iterator")
        )

    def while_(self, node: Node) -> None:
        """`while (...) {}`."""
        self._loop(field(node, "condition"), child(node, "statement_block"), None)

    def do(self, node: Node) -> None:
        """`do {} while (...)` and `do {} until (...)`."""
        body, condition = child(node, "statement_block"), child(node, "while_condition")
        until = any(c.type == "until" for c in node.children)
        for _ in range(_MOST_ROUNDS):
            if self._round(body) or truth(self.value(condition)) == until:
                return
        raise NotHere(f"a loop of more than {_MOST_ROUNDS} rounds")

    def _loop(self, condition: Node | None, body: Node | None, step: Node | None) -> None:
        for _ in range(_MOST_ROUNDS):
            if condition is not None and not truth(self.value(condition)):
                return
            if self._round(body):
                return
            self._part(step)
        raise NotHere(f"a loop of more than {_MOST_ROUNDS} rounds")

    def _part(self, node: Node | None) -> None:
        for inner in named(node) if node else ():
            self.statement(inner)

    def _round(self, body: Node | None) -> bool:
        """One round of a loop; whether it was the last."""
        try:
            self.statements(body)
        except LoopEnd as end:
            return not end.again
        return False

    # ------------------------------------------------------------ switch

    def switch(self, node: Node) -> None:
        """Every clause that fits runs, for each item; `default` where none does."""
        operator = self._how(child(node, "switch_parameters"))
        condition = child(node, "switch_condition")
        if condition is None or child(condition, "switch_filename"):
            raise NotHere("switch -File")
        body = need(node, "switch_body")
        clauses = [c for group in named(body, "switch_clauses") for c in named(group)]
        for item in items(self.value(named(condition)[0])):
            if self._switched(item, operator, clauses):
                return

    @staticmethod
    def _how(parameters: Node | None) -> str:
        given = [words(p).lower() for p in named(parameters)] if parameters else []
        case = "c" if "-casesensitive" in given else ""
        kinds = [word for word in given if word != "-casesensitive"]
        if len(kinds) > 1 or any(kind not in _HOW for kind in kinds):
            raise NotHere(f"switch {' '.join(given)}")
        return case + (_HOW[kinds[0]] if kinds else "eq")

    def _switched(self, item: Any, operator: str, clauses: list[Node]) -> bool:
        """The clauses for one item; whether it was the last. `continue` goes to the next item."""
        scope, conditions = self.variables.scope, [need(c, _CONDITION) for c in clauses]
        default = [words(condition).lower() == "default" for condition in conditions]
        before, fitted = scope.get("_"), False
        scope.set("_", item)
        try:
            for clause, condition, other in zip(clauses, conditions, default, strict=True):
                if not other and self._fits(item, operator, condition):
                    fitted = True
                    self.statements(child(clause, "statement_block"))
            if not fitted and any(default):
                self.statements(child(clauses[default.index(True)], "statement_block"))
        except LoopEnd as end:
            return not end.again
        finally:
            scope.set("_", before)
        return False

    def _fits(self, item: Any, operator: str, condition: Node) -> bool:
        inner = named(condition)
        if not inner:
            wanted: Any = words(condition)
            wanted = wanted.strip("\"'") if "$" not in wanted else self._not_plain(wanted)
        elif inner[0].type in ("script_block_expression", "statement_block", "script_block"):
            return truth(one(self.captured(lambda: self.statements(inner[0]))))
        else:
            wanted = self.value(inner[0])
        return truth(compare(item, operator, wanted, self.variables))

    @staticmethod
    def _not_plain(written: str) -> Any:
        raise NotHere(f"switch with {written}")
