"""Hostile values, and what they make of a valid document: each key gone, doubled, renamed, wrapped,
or with something in it that nobody expects there."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import reduce
from typing import Any

from hypothesis import strategies as st

MARK = "/srv/executed"
# What a shell, a path, a tag, an ARN, an address or a page may take for something else.
STRINGS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\ufeff",
    "\u202egnp.exe",
    "w\u0435b",
    "\uff57\uff45\uff42",
    "../../../etc/passwd",
    "..",
    "/",
    "-rf",
    "--help",
    f"$(touch {MARK})",
    f"`touch {MARK}`",
    f"; touch {MARK} #",
    "'\"\\\n\r\t",
    "{{ ssm:/x }}",
    "{% $states.input %}",
    "${AWS::AccountId}",
    "<script>alert(1)</script>",
    "a" * 1025,
    "a" * 70_000,
    "\u00e9" * 400,
    "9" * 5000,
    "*",
    "?",
    "#",
    "#/#",
    "arn:aws:iam::123456789012:root",
    "s3://bucket/../key",
    "2026-02-30T00:00:00Z",
    "2026-01-01T00:00:00",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "nan",
    "null",
    "__proto__",
    "__class__",
)
DEEP: Any = reduce(lambda inner, _: {"a": [inner]}, range(40), 1)
OTHERS: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**53 + 1, 2**63, 10**30, -(10**400)),
    *(0.1, -0.0, 1e308, float("inf"), float("nan")),
    *([], {}, [[]], [None], {"": ""}, {"a": None}, ["a"] * 2000, DEEP),
)
hostile = st.one_of(
    st.sampled_from(STRINGS),
    st.sampled_from(OTHERS),
    st.text(max_size=40),
    st.integers(),
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=6,
    ),
)
_WAYS = ("replace", "replace", "replace", "remove", "rename", "add", "wrap", "double")


def paths(document: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value of a document, the document itself left out."""
    if isinstance(document, dict):
        items: Any = document.items()
    else:
        items = enumerate(document) if isinstance(document, list) else ()
    for key, value in items:
        yield (*here, key)
        yield from paths(value, (*here, key))


@st.composite
def mutated(draw: Any, document: Any, most: int = 3) -> Any:
    """A valid document with one to `most` things wrong."""
    found = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, most))):
        ways = list(paths(found))
        if not ways:
            return draw(hostile)
        _spoil(found, draw(st.sampled_from(ways)), draw)
    return found


def _spoil(document: Any, path: tuple[Any, ...], draw: Any) -> None:
    holder = reduce(lambda inner, key: inner[key], path[:-1], document)
    key, way = path[-1], draw(st.sampled_from(_WAYS))
    if way == "replace":
        # A copy, for the next change may be one of it.
        holder[key] = copy.deepcopy(draw(hostile))
    elif way == "wrap":
        holder[key] = draw(st.sampled_from([[holder[key]], {"a": holder[key]}]))
    elif isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key])) if way == "double" else holder.pop(key)
    elif way == "remove":
        del holder[key]
    else:
        name = draw(st.sampled_from(STRINGS) | st.text(max_size=20))
        holder[name] = copy.deepcopy(holder[key])
        if way == "rename":
            holder.pop(key, None)
