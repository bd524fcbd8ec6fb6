from __future__ import annotations

from bench.cold import First, summary


def test_times_have_a_middle_memory_a_peak_and_errors_are_told() -> None:
    found = summary(
        {
            "wake": [First(300, 80.2, ""), First(500, 81.7, ""), First(400, 80, "")],
            "create_image": [First(600, 90, "InvalidBlueprint")],
            "floor": [First(400, 70, "")],
        }
    )
    assert found["functions"] == {"create_image": 600, "wake": 400}
    assert found["functions_spread"]["wake"] == [300, 500]
    assert found["peak_mb"] == {"create_image": 90, "wake": 82}
    assert found["answered_with"] == {"create_image": "InvalidBlueprint"}
    assert found["floor_ms"] == 400
