"""Both READMEs say the same: sections, commands, links."""

from __future__ import annotations

import re

from tests.docs.blocks import blocks
from tests.e2e.running import ROOT

ENGLISH, JAPANESE = "README.md", "README.ja.md"


def sections(page: str) -> list[int]:
    """The levels of a page's headings."""
    return [len(level) for level in re.findall(r"^(#+) ", (ROOT / page).read_text(), re.MULTILINE)]


def links(page: str) -> list[str]:
    """Where a page leads to, in its order."""
    found = re.findall(r"\]\(([^)]+)\)", (ROOT / page).read_text())
    return [target for target in found if target not in (ENGLISH, JAPANESE)]


def test_they_have_the_same_sections() -> None:
    assert sections(ENGLISH) == sections(JAPANESE)
    assert len(sections(ENGLISH)) > 4


def test_they_have_the_same_commands_and_the_same_record() -> None:
    english, japanese = ([(b.kind, b.text) for b in blocks(page=p)] for p in (ENGLISH, JAPANESE))
    assert english == japanese


def test_they_lead_to_the_same_pages() -> None:
    assert links(ENGLISH) == links(JAPANESE)


def test_each_leads_to_the_other() -> None:
    assert f"]({JAPANESE})" in (ROOT / ENGLISH).read_text()
    assert f"]({ENGLISH})" in (ROOT / JAPANESE).read_text()


def test_what_a_section_names_in_code_the_other_names_too() -> None:
    """A command in a sentence is one in both."""
    english, japanese = (
        set(re.findall(r"`([^`\n]+)`", (ROOT / page).read_text())) for page in (ENGLISH, JAPANESE)
    )
    assert english == japanese
