"""The code blocks of the documentation: what each is says the line that opens it.

sh              commands, run as they stand
sh serving      a command that serves until it is interrupted
yaml blueprint  a part of a blueprint (stack, layer, faults, cloudformation likewise)
python, json    what they say
text            what something prints; not run
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.running import ROOT

_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block, by its page and line."""

    page: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Every page that is for users; decisions are history."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    return sorted(path for path in found if "decisions" not in path.parts)


def blocks(kind: str = "", page: str = "") -> list[Block]:
    """All of one kind and page, or simply all."""
    return [b for b in _all() if kind in ("", b.kind) and page in ("", b.page)]


def _all() -> Iterator[Block]:
    for path in pages():
        text = path.read_text()
        name = str(path.relative_to(ROOT))
        for match in _BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield Block(name, line, match[1], match[2])
