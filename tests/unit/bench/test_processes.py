from __future__ import annotations

from bench.processes import family, share_kb

ROLLUP = """55d0-7ffd ---p 00000000 00:00 0    [rollup]
Rss:               10240 kB
Pss:                8192 kB
Pss_Anon:           4096 kB
"""


def test_a_family_is_a_process_with_all_below_it() -> None:
    parents = {10: 1, 11: 10, 12: 11, 13: 1}
    assert family(10, parents) == [10, 11, 12]


def test_a_share_is_the_whole_proportional_one() -> None:
    assert share_kb(ROLLUP.splitlines()) == 8192
    assert share_kb([]) == 0
