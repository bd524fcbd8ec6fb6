"""What a statement consists of, by the shape of its syntax tree."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from kiln_local.windows.errors import NotHere
from kiln_local.windows.operators import numbers
from kiln_local.windows.parsing import child, named, words

PLAIN = (
    *("array_literal_expression", "unary_expression", "argument_expression"),
    *("range_expression", "format_expression", "for_condition", "while_condition"),
    *("string_literal", "integer_literal", "real_literal"),
    *("key_expression", "left_assignment_expression"),
)
STEPS = (
    *("post_increment_expression", "post_decrement_expression"),
    *("pre_increment_expression", "pre_decrement_expression"),
)
_ENDS = ("parenthesized_expression", "script_block_expression", *STEPS)
# Types of a catch clause that every error is.
_EVERY_ERROR = frozenset({"exception", "management.automation.runtimeexception"})


def parameters(node: Node) -> tuple[Node, ...]:
    """Parameters in parentheses."""
    listed = child(node, "parameter_list")
    return tuple(named(listed, "script_parameter")) if listed else ()


def statements_of(node: Node | None) -> list[Node]:
    """The statements of a block, in order."""
    if node is None:
        return []
    found: list[Node] = []
    for inner in named(node):
        if inner.type in ("statement_list", "script_block", "script_block_body"):
            found += statements_of(inner)
        elif inner.type not in ("comment", "param_block"):
            found.append(inner)
    return found


def catch_all(clauses: Node | None) -> Node | None:
    """The clause that catches everything; which error is of which type is not known here."""
    if clauses is None:
        return None
    clause = named(clauses)[0]
    listed = child(clause, "catch_type_list")
    types = [words(t)[1:-1].lower().removeprefix("system.") for t in named(listed or clause)]
    if listed is not None and not _EVERY_ERROR & set(types):
        raise NotHere("catch with types")
    return clause


def assigned(node: Node) -> Iterator[Node]:
    """Variables that a statement would have changed."""
    for inner in named(node):
        if inner.type == "left_assignment_expression":
            yield from _targets(inner)
        elif inner.type not in ("script_block", "function_statement"):
            yield from assigned(inner)


def _targets(node: Node) -> Iterator[Node]:
    if node.type == "variable":
        if not words(node).lower().startswith("$env:"):
            yield node
        return
    only_first = node.type in ("element_access", "member_access")
    for inner in named(node)[:1] if only_first else named(node):
        yield from _targets(inner)


def puts_out(statement: Node) -> bool:
    """Whether a statement puts something out."""
    return (
        statement.type == "pipeline"
        and named(statement)[0].type != "assignment_expression"
        and not words(statement).lower().endswith("out-null")
    )


def range_of(node: Node) -> list[int] | None:
    """`1..3` at the start of a pipeline, which the grammar takes for a command."""
    found = re.fullmatch(r"(\d+)\.\.(\d+)", words(node).strip())
    if node.type != "command" or not found:
        return None
    return numbers(int(found[1]), int(found[2]))


def bare(node: Node) -> Node:
    """What an expression consists of, where that is one thing."""
    while (node.type.endswith("_expression") or node.type in PLAIN) and node.type not in _ENDS:
        if len(node.children) != 1:
            break
        node = node.children[0]
    return node


def steps(node: Node) -> bool:
    """Whether it is `$i++` or one like it, which puts nothing out."""
    return node.type in STEPS or any(c.type in STEPS for c in named(node))
