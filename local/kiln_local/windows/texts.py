"""Strings of a script: what in double quotes, here-strings and bare words is expanded."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from kiln_local.windows import strings
from kiln_local.windows.errors import NotHere
from kiln_local.windows.parsing import named, words
from kiln_local.windows.values import text


class Texts:
    """The part of the evaluator that makes strings."""

    def value(self, node: Node | None) -> Any:
        """Of another part."""
        raise NotImplementedError

    def variable(self, written: str) -> Any:
        """Of another part."""
        raise NotImplementedError

    def expandable(self, node: Node) -> str:
        """In double quotes."""
        return self._expanded(node, 1, 1, strings.unescaped)

    def here_string(self, node: Node) -> str:
        """Between `@"` and `"@`."""
        raw = node.text or b""
        first, last = raw.index(b"\n") + 1, len(raw) - raw.rindex(b"\n")
        if first > len(raw) - last:
            return ""
        last += raw[-last - 1 : -last] == b"\r"
        return self._expanded(node, first, last, strings.escapes)

    def _expanded(self, node: Node, first: int, last: int, plain: Callable[[str], str]) -> str:
        """A node's text from its `first` byte up to its `last`, with what stands in it expanded."""
        raw, start = node.text or b"", node.start_byte
        parts, at = [], first
        for inner in named(node):
            parts.append(plain(raw[at : inner.start_byte - start].decode()))
            parts.append(text(self.value(inner)))
            at = inner.end_byte - start
        parts.append(plain(raw[at : len(raw) - last].decode()))
        return "".join(parts)

    def verbatim_here_string(self, node: Node) -> str:
        """Between `@'` and `'@`."""
        return "\n".join(words(node).split("\n")[1:-1]).removesuffix("\r")

    def token(self, node: Node) -> str:
        """A bare word of a command."""
        return self.bare(words(node))

    def bare(self, written: str) -> str:
        """A bare word: variables in it are expanded."""
        if set("`'\"(") & set(written):
            raise NotHere(f"the bare word {written}")
        return re.sub(r"\$(?:\w+:)?\w+", lambda m: text(self.variable(m[0])), written)
