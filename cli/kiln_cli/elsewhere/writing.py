"""Blueprint and stack files as text: what the reader of YAML 1.2 reads back is what was written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml

from kiln.errors import Refused
from kiln_cli.yaml12 import read_yaml

# What means the same in YAML 1.1, which PyYAML writes, and in 1.2, which is read.
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]{0,80}")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


class _Dumper(yaml.SafeDumper):
    """Quotes every text that is not plainly one."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Equal values are written twice: a person will change one of them."""
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
    # PyYAML falls back to quotes by itself for a text that no block can hold.
    style = None if plain else "|" if "\n" in value.strip("\n") else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(value), style=style)


_Dumper.add_representer(str, _text)


def as_yaml(document: Any) -> str:
    """A document as block text."""
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True))


def survives(value: Any) -> bool:
    """Whether a value reads back as it was written."""
    try:
        return bool(read_yaml(as_yaml(value)) == value)
    except (Refused, yaml.YAMLError, RecursionError, ValueError):
        return False


def file_text(document: dict[str, Any], comments: Iterable[str]) -> str:
    """A blueprint or stack file that begins with what it does not hold."""
    head = [f"# yaml-language-server: $schema=../schemas/{document['kind']}.json", "#"]
    head += [f"# {_one_line(line)}" for line in comments]
    return "\n".join(head) + "\n" + as_yaml(document)


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
