"""What is shown of two documents that differ."""

from __future__ import annotations

from kiln_cli.difference import differences


def test_a_difference_says_that_a_secret_has_changed_and_not_what_it_is() -> None:
    old = {"steps": [{"name": "a", "environment": {"DB_PASSWORD": "one", "WORKERS": "4"}}]}
    new = {
        "steps": [
            {"name": "a", "environment": {"DB_PASSWORD": "two", "WORKERS": "8"}},
            {"name": "b", "environment": {"API_TOKEN": "three"}},
        ]
    }
    assert [row.line for row in differences(old, new)] == [
        'steps.a.environment.DB_PASSWORD: "***" -> "***"',
        'steps.a.environment.WORKERS: "4" -> "8"',
        'steps.b: added {"environment": {"API_TOKEN": "***"}}',
    ]
    assert list(differences(new, new)) == []
