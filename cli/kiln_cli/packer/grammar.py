"""HCL2 as a tree, by python-hcl2; what is too much for its parser is refused before it begins.

The tree is lark's, with the rules of python-hcl2's grammar; only this room knows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hcl2 import parses_to_tree
from lark import Token, Tree, UnexpectedInput
from lark.exceptions import LarkError

from kiln.errors import InvalidRequest

LARGEST_TEMPLATE = 128 * 1024
# The parser takes some 25 microseconds a token.
_MOST_TOKENS = 30_000
_TOKEN = re.compile(r"[A-Za-z0-9_]+|[^ \t\rA-Za-z0-9_]")
# The end of a heredoc is looked for anew from each blank.
_BLANKS = re.compile(r"\s{500}")
# Three levels of a tree, or two, for each level of brackets or blocks.
_DEEPEST = 120
Node = Tree[Token]


def tree_of(text: str) -> Node:
    """A file's tree. Raises InvalidRequest with the line."""
    check_tokens(text)
    try:
        found: Node = parses_to_tree(text)
    except UnexpectedInput as error:
        where = f"line {error.line}, column {error.column}: " if error.line > 0 else ""
        raise InvalidRequest(f"{where}is not HCL2: {_seen(text, error)}") from error
    except (LarkError, RecursionError) as error:
        raise InvalidRequest("is not HCL2") from error
    _check_depth(found)
    return found


def check_tokens(text: str) -> None:
    """Raise InvalidRequest for what takes the parser too long."""
    if sum(1 for _ in _TOKEN.finditer(text)) > _MOST_TOKENS:
        raise InvalidRequest("holds too much; import its builds in parts")
    if _BLANKS.search(text):
        raise InvalidRequest("has more than 500 blanks or empty lines in a row")


def _seen(text: str, error: UnexpectedInput) -> str:
    at = error.pos_in_stream
    if at is None or at >= len(text):
        return "it ends too soon"
    seen = text[at:].split("\n", 1)[0][:40]
    return f"{seen!r} is not expected there" if seen else "a line ends too soon"


def _check_depth(tree: Node) -> None:
    left: list[tuple[Node, int]] = [(tree, 1)]
    while left:
        found, depth = left.pop()
        if depth > _DEEPEST:
            raise InvalidRequest(f"line {line_of(found)}: is nested too deep")
        left += ((child, depth + 1) for child in found.children if isinstance(child, Tree))


def line_of(node: Node) -> int:
    """The line in which something begins."""
    return 0 if node.meta.empty else node.meta.line


def parts(node: Node, *names: str) -> Iterator[Node]:
    """The children that are trees of these rules, or of any but line ends."""
    for child in node.children:
        if not isinstance(child, Tree) or child.data == "new_line_or_comment":
            continue
        if not names or child.data in names:
            yield child


def token_of(node: Node) -> str:
    """The first token below a node: an identifier's name, a number's digits."""
    found = node.children[0]
    while isinstance(found, Tree):
        found = found.children[0]
    return str(found)


def key_of(node: Node) -> str:
    """A label, or the name of a block or an attribute: bare or in quotes."""
    if node.data == "string":
        return "".join(token_of(part) for part in parts(node, "string_part"))
    return token_of(node)
