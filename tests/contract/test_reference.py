"""The reference says what the code says."""

from __future__ import annotations

import pytest

from tools.reference import PAGES, TARGET


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_the_reference_is_fresh(page: str) -> None:
    """`make tables` writes them anew."""
    assert (TARGET / page).read_text() == PAGES[page]().rstrip() + "\n"


def test_no_other_page_is_there() -> None:
    assert {path.name for path in TARGET.iterdir()} == set(PAGES)
