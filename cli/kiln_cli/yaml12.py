"""Reading YAML 1.2 as JSON knows it, or one line that says where it is wrong.

PyYAML reads YAML 1.1, in which `no` is false, `010` is eight and `2026-11-01` is a date. Its parser
serves both versions; what a plain scalar means is decided here, by the core schema of YAML 1.2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from kiln.errors import InvalidBlueprint

# Far above what a blueprint needs; a few aliases of aliases would make millions of values.
MOST_VALUES = 50_000
# So many keys and values may be written down: to read twice as many takes seconds.
MOST_WRITTEN = 40_000
DEEPEST = 50
_TOO_DEEP = f"is nested deeper than {DEEPEST} levels"
# JSON numbers travel as doubles through a state machine.
_LARGEST = 2**53
_PREFIX = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """PyYAML's reader with the plain scalars of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, Any] = {}
    _written = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """A key, a value or what holds them."""
        self._written += 1
        if self._written > MOST_WRITTEN:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise InvalidBlueprint(
                f"{_place(mark)}: more than {MOST_WRITTEN} keys and values "
                "are written down; split the file, or keep data in S3"
            )
        return super().compose_node(parent, index)

    def fetch_flow_collection_start(self, token: Any) -> None:
        """An opening bracket."""
        self._not_deeper_than(self.flow_level)
        super().fetch_flow_collection_start(token)

    def add_indent(self, column: int) -> bool:
        """Whether a line is indented deeper than the one before."""
        self._not_deeper_than(len(self.indents))
        return bool(super().add_indent(column))

    def _not_deeper_than(self, depth: int) -> None:
        # Here, for to read on and on for what ends all of them takes most of a minute.
        if depth > DEEPEST:
            raise InvalidBlueprint(f"{_place(self.get_mark())}: {_TOO_DEEP}")


_INT = re.compile(r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$")
_FLOAT = re.compile(r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)$")


def _plain(tag: str, pattern: str, first: str) -> None:
    _Loader.add_implicit_resolver(_PREFIX + tag, re.compile(rf"^(?:{pattern})$"), list(first))


_plain("null", r"~|null|Null|NULL|", "~nN")
_Loader.yaml_implicit_resolvers.setdefault("", []).append((_PREFIX + "null", re.compile(r"^$")))
_plain("bool", r"true|True|TRUE|false|False|FALSE", "tTfF")
# Against the core schema: a number with leading zeros is a text, for it is an account's id.
_plain("str", r"0[0-9]+", "0")
_plain("int", _INT.pattern[1:-1], "-+0123456789")
_plain("float", _FLOAT.pattern[1:-1], "-+.0123456789")
_plain("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+.")


def read_yaml(
    text: str,
    needs: str = "it needs `kind: blueprint` or `kind: stack`",
    tags: Mapping[str, str] | None = None,
) -> Any:
    """The one document of a text. Raises InvalidBlueprint with line and column; `needs` is what an
    empty one lacks. Of `tags`, a value with the tag `!Ref` becomes a mapping of what that tag
    stands for to the value."""
    node = compose(text)
    if node is None:
        raise InvalidBlueprint(f"is empty; {needs}")
    return _Values(tags or {}).value(node, 0)


def compose(text: str) -> yaml.Node | None:
    """The nodes of the one document of a text, with their places; None for an empty one. Raises
    InvalidBlueprint with line and column."""
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise InvalidBlueprint(_syntax(error)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InvalidBlueprint(
            f"line {line}: holds U+{int(error.character):04X}, which YAML does not allow"
        ) from error
    except RecursionError as error:
        raise InvalidBlueprint(_TOO_DEEP) from error
    return node


def _syntax(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"{_place(mark)}: " if mark else ""
    problem = " ".join(str(error.problem or error.context).split())[:200]
    if "a single document" in str(error.context):
        return f"{where}a second document begins; a file holds one blueprint or one stack"
    return f"{where}is not YAML: {problem}"


class _Values:
    """From nodes to values, counted as they would be written out without aliases."""

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._count = 0
        self._tags = tags

    def value(self, node: yaml.Node, depth: int) -> Any:
        """The value of a node."""
        self._count += 1
        if self._count > MOST_VALUES:
            raise _wrong(
                node, f"holds more than {MOST_VALUES} values; aliases count as what they stand for"
            )
        if depth > DEEPEST:
            raise _wrong(node, _TOO_DEEP)
        tag = node.tag.removeprefix(_PREFIX)
        if tag in self._tags:
            return {self._tags[tag]: self._untagged(node, depth)}
        if isinstance(node, yaml.MappingNode) and tag == "map":
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode) and tag == "seq":
            return [self.value(item, depth + 1) for item in node.value]
        if isinstance(node, yaml.ScalarNode) and tag in _SCALARS:
            return _scalar(node, tag)
        raise _wrong(node, f"the tag {node.tag.replace(_PREFIX, '!!')[:60]} is not allowed")

    def _untagged(self, node: yaml.Node, depth: int) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node, "str")
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, depth + 1) for item in node.value]
        assert isinstance(node, yaml.MappingNode)
        return self._mapping(node, depth + 1)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.value(key_node, depth + 1)
            if not isinstance(key, str):
                raise _wrong(key_node, "a key must be text; quote it")
            if key in found:
                raise _wrong(key_node, f"the key {key[:60]!r} is given twice")
            found[key] = self.value(value_node, depth + 1)
        return found


def _scalar(node: yaml.ScalarNode, tag: str) -> Any:
    try:
        return _SCALARS[tag](node.value)
    except ValueError as error:
        raise _wrong(node, str(error)) from error


def _wrong(node: yaml.Node, what: str) -> InvalidBlueprint:
    return InvalidBlueprint(f"{_place(node.start_mark)}: {what}")


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


def _text(value: str) -> str:
    if "\0" in value:
        raise ValueError("the text holds a NUL character, which no shell and no tag can hold")
    try:
        # JSON escapes a character beyond U+FFFF as two surrogates; together they are one again.
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise ValueError("the text holds half a surrogate pair, which is no character") from error


def _bool(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise ValueError(f"{value[:40]!r} is neither true nor false")
    return value.lower() == "true"


def _int(value: str) -> int:
    if not _INT.match(value):
        raise ValueError(f"{value[:40]!r} is not a whole number")
    base = {"0o": 8, "0x": 16}.get(value[:2], 10)
    number = int(value[2:] if base != 10 else value, base) if len(value) < 40 else _LARGEST + 1
    if abs(number) > _LARGEST:
        raise ValueError(f"{value[:40]} is larger than a JSON number can be; quote it")
    return number


def _float(value: str) -> float:
    if not _FLOAT.match(value) or math.isinf(float(value)):
        raise ValueError(f"{value[:40]!r} is no number that JSON knows; quote it")
    return float(value)


_SCALARS: dict[str, Callable[[str], Any]] = {
    "str": _text,
    "null": lambda _: None,
    "bool": _bool,
    "int": _int,
    "float": _float,
}
