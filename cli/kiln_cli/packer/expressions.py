"""Expressions of HCL2 as values, as far as a file alone says what they are."""

from __future__ import annotations

import json
import re
from typing import Any, Protocol

from lark import Token, Tree

from kiln.errors import InvalidRequest
from kiln_cli.elsewhere.values import Budget, Open, opened, reasons
from kiln_cli.packer.functions import FUNCTIONS, Unknown
from kiln_cli.packer.grammar import Node, parts, token_of, tree_of
from kiln_cli.packer.operators import operate

_LARGEST = 2**53
_ESCAPE = re.compile(r'\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[nrt"\\])')
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_NOT_WORKED_OUT = "is not worked out; write its value"


class Names(Protocol):
    """What a name stands for."""

    budget: Budget

    def named(self, path: tuple[str, ...], text: str) -> Any:
        """`var.x` as ("var", "x"): its value, or an Open."""

    def file(self, name: str) -> str:
        """The text of a file beside the template, or an Open."""


class Expressions:
    """The expressions of one text."""

    def __init__(self, text: str, names: Names) -> None:
        self.text = text
        self.names = names

    def value(self, node: Node) -> Any:
        """What an expression is worth: text, number, flag, None, list, dict, or an Open."""
        self.names.budget.step()
        found = getattr(self, _RULES.get(str(node.data), "_unknown"))(node)
        if isinstance(found, str):
            self.names.budget.step(found)
        return found

    def source(self, node: Node) -> str:
        """An expression as it was written."""
        meta = node.meta
        return "" if meta.empty else self.text[meta.start_pos : meta.end_pos]

    def open(self, node: Node, *why: str, reference: tuple[str, ...] = ()) -> Open:
        """An expression that is not known."""
        text = self.source(node)
        return opened(
            f"${{{text}}}", *(why or (f"{text[:80]} {_NOT_WORKED_OUT}",)), reference=reference
        )

    def _unknown(self, node: Node) -> Any:
        return self.open(node)

    def _first(self, node: Node) -> Any:
        return self.value(next(parts(node)))

    def _identifier(self, node: Node) -> Any:
        # A bare word is an attribute's name or a type: `string`.
        return self.open(node, reference=(token_of(node),))

    def _literal(self, node: Node) -> Any:
        return {"true": True, "false": False, "null": None}[token_of(node)]

    def _whole(self, node: Node) -> Any:
        text = token_of(node)
        return int(text) if len(text) < 16 else self.open(node)

    def _float(self, node: Node) -> Any:
        found = float(token_of(node))
        return found if abs(found) < _LARGEST else self.open(node)

    def _negated(self, node: Node) -> Any:
        found = self._first(node)
        if str(node.children[0]) == "!" and isinstance(found, bool):
            return not found
        if isinstance(found, int | float) and not isinstance(found, bool):
            return -found
        return self.open(node, *reasons(found))

    def _tuple(self, node: Node) -> Any:
        return [self.value(part) for part in parts(node)]

    def _object(self, node: Node) -> Any:
        found: dict[str, Any] = {}
        for element in parts(node, "object_elem"):
            key, value = parts(element)
            found[str(self._key(next(parts(key))))] = self.value(value)
        return found

    def _key(self, node: Node) -> Any:
        inner = next(parts(node), None)
        bracketed = isinstance(node.children[0], Token) and node.children[0] == "("
        if inner is not None and inner.data == "identifier" and not bracketed:
            return token_of(inner)
        return token_of(node) if node.data == "keyword" else self.value(node)

    def _conditional(self, node: Node) -> Any:
        condition, yes, no = parts(node)
        decided = self.value(condition)
        if isinstance(decided, bool):
            return self.value(yes if decided else no)
        return self.open(node, *reasons(decided))

    def _binary(self, node: Node) -> Any:
        left, term = parts(node)
        operator, right = parts(term)
        values = [self.value(left), self.value(right)]
        found = operate(token_of(operator).strip(), *values)
        return self.open(node, *reasons(values)) if found is None else found

    def _call(self, node: Node) -> Any:
        name = token_of(node)
        arguments = next(parts(node, "arguments"), None)
        given = [self.value(part) for part in parts(arguments)] if arguments else []
        if any(str(child) == "..." for child in (arguments.children if arguments else ())):
            given = [*given[:-1], *(given[-1] if isinstance(given[-1], list) else ())]
        function = FUNCTIONS.get(name)
        why = reasons(given)
        if name == "file" and len(given) == 1 and isinstance(given[0], str) and not why:
            return self.names.file(given[0])
        if function is None or (why and name not in ("try", "coalesce", "can")):
            return self.open(node, *why)
        try:
            found = function(*given)
        except (Unknown, TypeError, ValueError, KeyError, IndexError, AttributeError):
            return self.open(node)
        self.names.budget.whole(found)
        return found

    # ------------------------------------------------------------ names

    def _attribute(self, node: Node) -> Any:
        path = self._path(node)
        if path and path[0] in ("var", "local", "data", "source", "build", "path", "packer"):
            return self.names.named(path, self.source(node))
        term, attribute = parts(node)
        return self._within(node, self.value(term), token_of(next(parts(attribute))))

    def _path(self, node: Node) -> tuple[str, ...]:
        """`a.b.c` as its words; empty for anything else."""
        words: list[str] = []
        found = node
        while found.data in ("expr_term", "get_attr_expr_term"):
            inner = list(parts(found))
            if found.data == "get_attr_expr_term":
                words.append(token_of(next(parts(inner[1]))))
            found = inner[0]
        return (token_of(found), *reversed(words)) if found.data == "identifier" else ()

    def _index(self, node: Node) -> Any:
        term, index = parts(node)
        if index.data == "short_index":
            return self._within(node, self.value(term), int(str(index.children[-1])[:9]))
        return self._within(node, self.value(term), self.value(next(parts(index))))

    def _within(self, node: Node, value: Any, key: Any) -> Any:
        if isinstance(value, Open) and value.reference:
            return self.names.named((*value.reference, str(key)), self.source(node))
        listed = isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value)
        if listed or (isinstance(value, dict) and key in value):
            return value[key]
        return self.open(node, *reasons([value, key]))

    # ------------------------------------------------------------ texts

    def _string(self, node: Node) -> Any:
        inner = list(parts(node, "string_part"))
        if len(inner) == 1 and isinstance(inner[0].children[0], Tree):
            return self._part(inner[0])
        found = [self._part(part) for part in inner]
        if all(isinstance(part, str) and not isinstance(part, Open) for part in found):
            return "".join(found)
        texts = [_text(part) for part in found]
        unclear = [
            self.source(part) for part, text in zip(inner, texts, strict=True) if text is None
        ]
        why = (*reasons(found), *(f"{text[:80]} {_NOT_WORKED_OUT}" for text in unclear))
        whole = "".join(
            self.source(part) if text is None else text
            for part, text in zip(inner, texts, strict=True)
        )
        return opened(whole, *why) if why else whole

    def _part(self, part: Node) -> Any:
        child = part.children[0]
        if isinstance(child, Token):
            text = str(child)
            if child.type.startswith("ESCAPED"):
                return text[1:]
            return _ESCAPE.sub(_unescaped, text)
        if child.data == "interpolation":
            return self._first(child)
        text = self.source(child)
        return opened(text, f"{text[:80]} {_NOT_WORKED_OUT}")

    def _heredoc(self, node: Node) -> Any:
        lines = token_of(node).replace("\r\n", "\n").rstrip("\n").split("\n")[1:-1]
        if node.data == "heredoc_template_trim":
            # The last line, which ends it, counts as well where it is indented least.
            widths = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
            lines = [line[min(widths, default=0) :] for line in lines]
        text = "".join(f"{line}\n" for line in lines)
        if "${" not in text and "%{" not in text:
            return text.replace("$${", "${").replace("%%{", "%{")
        return self._template(text)

    def _template(self, text: str) -> Any:
        """A heredoc's text as that of a string in quotes, which has the same interpolations."""
        quoted = f"x = {quoted_template(text)}"
        try:
            tree = tree_of(quoted)
        except InvalidRequest:
            return opened(text, "a part of it in ${ } is not worked out; write its value")
        (attribute,) = parts(next(parts(tree)))
        return Expressions(quoted, self.names).value(list(parts(attribute))[-1])


def quoted_template(text: str) -> str:
    """A text in quotes, what is inside `${ }` and `%{ }` as it is."""
    made, at = ['"'], 0
    for found in re.finditer(r"\$\$\{|%%\{|[$%]\{", text):
        if found.start() < at:
            continue
        made.append(json.dumps(text[at : found.start()], ensure_ascii=False)[1:-1])
        end = found.end() if len(found[0]) == 3 else _closing(text, found.end())
        made.append(text[found.start() : end])
        at = end
    made += [json.dumps(text[at:], ensure_ascii=False)[1:-1], '"']
    return "".join(made)


_BRACES = re.compile(r'[{}"]')


def _closing(text: str, at: int) -> int:
    """Behind the brace that closes one which is open at `at`."""
    depth, quoted = 1, False
    for found in _BRACES.finditer(text, at):
        if found[0] == '"':
            quoted = not quoted
        elif not quoted:
            depth += 1 if found[0] == "{" else -1
            if depth == 0:
                return found.end()
    return len(text)


def _unescaped(found: re.Match[str]) -> str:
    what = found[1]
    if what[0] in "uU":
        number = int(what[1:], 16)
        return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
    return _LETTERS[what]


def _text(value: Any) -> str | None:
    """A value inside a text; None for what is no text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:.15g}"
    return value if isinstance(value, str) else None


_RULES = {
    "expr_term": "_first",
    "identifier": "_identifier",
    "literal_value": "_literal",
    "int_lit": "_whole",
    "float_lit": "_float",
    "unary_op": "_negated",
    "tuple": "_tuple",
    "object": "_object",
    "conditional": "_conditional",
    "binary_op": "_binary",
    "function_call": "_call",
    "get_attr_expr_term": "_attribute",
    "index_expr_term": "_index",
    "string": "_string",
    "heredoc_template": "_heredoc",
    "heredoc_template_trim": "_heredoc",
}
