"""Parameters are put into a document as the agent does it, traps included."""

from __future__ import annotations

import pytest

from kiln_local.machines.parameters import resolve, values_for


def test_a_quote_in_a_value_is_put_in_as_it_is() -> None:
    assert resolve("echo '{{ P }}'", {"P": "'; id; '"}) == "echo ''; id; ''"


@pytest.mark.parametrize("mention", ["{{ P }}", "{{P}}", "{{   P   }}"])
def test_spaces_around_a_name_do_not_count(mention: str) -> None:
    assert resolve(f"a {mention} b", {"P": "v"}) == "a v b"


def test_two_dollars_become_one_where_the_mention_is_a_part_of_a_text() -> None:
    assert resolve("x {{ P }}", {"P": "cost: $$5 $name ${other}"}) == "x cost: $5  "


def test_a_mention_that_stands_alone_takes_the_value_as_it_is() -> None:
    assert resolve("{{ P }}", {"P": "$$ <b>"}) == "$$ <b>"
    assert resolve(["{{ P }}"], {"P": ["a", "b"]}) == [["a", "b"]]


def test_lists_inside_a_text_become_json_that_is_safe_in_html() -> None:
    assert resolve("x={{ P }}", {"P": ["a&b", "<c>"]}) == r'x=["a\u0026b","\u003cc\u003e"]'


def test_a_document_that_takes_anything_declares_no_value() -> None:
    assert values_for({"parameters": None}, {"RunList": ["recipe[web]"]}) == {}


def test_a_missing_value_becomes_null() -> None:
    assert resolve("x={{ P }}", {"P": None}) == "x=null"


def test_a_name_that_the_document_does_not_know_stays() -> None:
    assert resolve("{{ Other }} {{ ssm:x }}", {"P": "v"}) == "{{ Other }} {{ ssm:x }}"


def test_a_value_that_looks_like_a_mention_inside_an_environment_is_not_looked_at_again() -> None:
    inputs = {"environment": {"P": "{{ P }}"}}
    assert resolve(inputs, {"P": "{{ Q }}", "Q": "no"}) == {"environment": {"P": "{{ Q }}"}}


def test_a_parameter_with_another_character_in_its_name_keeps_its_default() -> None:
    document = {"parameters": {"a_b": {"type": "String", "default": "d"}, "c": {"type": "String"}}}
    assert values_for(document, {"a_b": ["x"], "c": ["y"]}) == {"a_b": "d", "c": "y"}


def test_only_a_list_parameter_takes_more_than_one_value() -> None:
    document = {"parameters": {"L": {"type": "StringList"}, "S": {"type": "String"}}}
    assert values_for(document, {"L": ["a", "b"], "S": ["a", "b"]}) == {"L": ["a", "b"], "S": "a"}
