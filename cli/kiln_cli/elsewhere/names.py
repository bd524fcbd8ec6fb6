"""Names as Kiln's files may hold them, made from those of other tools."""

from __future__ import annotations

import re

from kiln_cli.elsewhere.values import DATE, STAMP, TIME

# EC2 API, CreateImage, parameter Name.
_REFUSED = re.compile(r"[^A-Za-z0-9()\[\] ./\-'@_]+")
_FIELDS = {STAMP: "{date}-{time}", DATE: "{date}", TIME: "{time}"}
_MARKS = re.compile(f"([{STAMP}{DATE}{TIME}])")
# What is filled in is longer than what stands for it, and 128 characters are the most.
_LONGEST = 100


def plain_name(name: str, otherwise: str, others: str, longest: int = 48) -> str:
    """A name made of what is allowed, never empty."""
    made = re.sub(others, "-", name.lower()).strip("-._")[:longest].strip("-._")
    return made or otherwise


def unique(name: str, taken: set[str], longest: int = 48) -> str:
    """The name, or the first of name-2, name-3, ... that is free."""
    found, number = name, 1
    while found in taken:
        number += 1
        ending = f"-{number}"
        found = name[: longest - len(ending)] + ending
    taken.add(found)
    return found


def blueprint_name(name: str, otherwise: str, taken: set[str]) -> str:
    """A blueprint's name that is not taken yet."""
    return unique(plain_name(name, otherwise, r"[^a-z0-9-]+"), taken)


def image_name(wanted: str) -> tuple[str, str]:
    """The template of an image's name, and what of it had to be assumed, if anything."""
    said = []
    parts = _MARKS.split(wanted[:1000])
    plain = [part if part in _FIELDS else _REFUSED.sub("-", part) for part in parts]
    if plain != parts:
        said.append("a character that EC2 refuses became -")
    if not any(part in _FIELDS for part in plain):
        plain = [f"{''.join(plain).strip()}-", STAMP]
        said.append("each image needs a name of its own, so the time was added")
    made, left = "", _LONGEST
    for part in plain:
        made += _FIELDS.get(part, part[: max(0, left)])
        left -= 0 if part in _FIELDS else len(part)
    if left < 0:
        said.append("it was cut, for EC2 takes 128 characters")
    return made.strip(), "; ".join(said)
