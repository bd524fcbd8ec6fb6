from __future__ import annotations

from kiln_local.latencies import Latencies


def test_a_seed_repeats_its_draws() -> None:
    one, other = Latencies(3), Latencies(4)
    drawn = [one.draw("image-available") for _ in range(3)]
    assert [other.draw("image-available") for _ in range(3)] != drawn
    other.reseed(3)
    assert [other.draw("image-available") for _ in range(3)] == drawn


def test_what_else_happens_does_not_change_a_draw() -> None:
    quiet, busy = Latencies(), Latencies()
    for _ in range(5):
        busy.draw("event-delivered")
    assert busy.draw("image-available") == quiet.draw("image-available")
