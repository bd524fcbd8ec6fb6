"""Which values may be secrets, and a text without them."""

from __future__ import annotations

import pytest

from kiln.domain.blueprint import blueprint_from
from kiln.domain.confidential import hidden, is_secret, masked, secrets_in
from kiln.errors import InvalidBlueprint
from tests.builders import a_document


@pytest.mark.parametrize(
    "name",
    [
        *("PASSWORD", "DB_PASSWORD", "db-password", "dbPassword", "API_TOKEN", "apiKey", "APIKey"),
        *("AWS_SECRET_ACCESS_KEY", "private_key", "LICENSE_KEY", "auth", "credentials", "pw"),
    ],
)
def test_a_name_tells_a_secret(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["WORKERS", "keyboard", "author", "PATH", "tokenizer", "kms_key", "passenger", ""]
)
def test_other_names_are_none(name: str) -> None:
    assert not is_secret(name)


def test_all_that_is_below_a_secret_name_is_secret() -> None:
    given = {"db": {"password": "one", "host": "h"}, "tokens": ["two", {"x": "three"}], "n": 1}
    assert set(secrets_in(given)) == {"one", "two", "three"}
    assert hidden(given) == {
        "db": {"password": "***", "host": "h"},
        "tokens": ["***", {"x": "***"}],
        "n": 1,
    }


def test_a_text_is_without_secrets_and_otherwise_as_it_was() -> None:
    assert (
        masked("login of bob with hunter2! failed", ["hunter2!"]) == "login of bob with *** failed"
    )


def test_a_secret_that_another_begins_with_leaves_no_rest() -> None:
    assert masked("it is hunter22", ["hunter2", "hunter22"]) == "it is ***"


def test_each_line_of_a_secret_is_one() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----\n"
    assert masked("bad line MIIEvQIBADANBg in it", [key]) == "bad line *** in it"


def test_what_is_short_would_spoil_the_text() -> None:
    assert masked("4 workers on port 443", ["4", "443", ""]) == "4 workers on port 443"


@pytest.mark.parametrize(
    "environment",
    [{"TOKEN": ["hunter2!"]}, {"PLAIN": 31337}, "TOKEN=hunter2!", {"x y": "hunter2!"}],
)
def test_an_error_never_repeats_what_may_be_a_secret(environment: object) -> None:
    step = {"name": "s", "shell": "true", "environment": environment}
    with pytest.raises(InvalidBlueprint, match="environment") as refused:
        blueprint_from(a_document(steps=[step]))
    assert "hunter2" not in str(refused.value)
    assert "31337" not in str(refused.value)


def test_an_error_of_the_whole_step_hides_the_secrets_in_it() -> None:
    step = {"name": "s", "shel": {"TOKEN": "hunter2!"}, "password": "hunter2!"}
    with pytest.raises(InvalidBlueprint) as refused:
        blueprint_from(a_document(steps=[[step]]))
    assert "hunter2" not in str(refused.value)
