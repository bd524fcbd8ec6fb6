"""The dashboard's server answers this machine's browser and nobody else."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from kiln.errors import AwsBusy
from kiln_cli.pages import board
from kiln_cli.pages.serving import serving
from tests.unit.cli.test_pages import Home


@pytest.fixture
def port() -> Iterator[int]:
    with serving(Home().place, 0) as address:
        yield urlsplit(address).port or 0


def ask(port: int, path: str, method: str = "GET", host: str = "") -> tuple[int, str, str]:
    """Status, policy and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers={"Host": host or f"127.0.0.1:{port}"})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.headers.get("Content-Security-Policy", ""), body


def test_the_page_is_there_and_may_ask_nobody_else(port: int) -> None:
    status, policy, body = ask(port, "/")
    assert (status, "<h1>Kiln in eu-west-1</h1>" in body) == (200, True)
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy


def test_a_page_under_another_name_is_refused(port: int) -> None:
    assert ask(port, "/", host="evil.example")[0] == 421
    assert ask(port, "/", host=f"evil.example:{port}")[0] == 421
    assert ask(port, "/", host=f"localhost:{port}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_changed(port: int, method: str) -> None:
    assert ask(port, "/", method)[0] == 501


def test_head_says_what_get_would_and_sends_nothing(port: int) -> None:
    assert (ask(port, "/", "HEAD")[0], ask(port, "/", "HEAD")[2]) == (200, "")


@pytest.mark.parametrize("path", ["/x", "/bakes/x", "/bakes/..%2f..%2fetc", "/templates/live.js"])
def test_what_is_not_there_is_a_page_that_says_so(port: int, path: str) -> None:
    status, _, body = ask(port, path)
    assert status == 404
    assert "There is n" in body


def test_an_aws_that_does_not_answer_is_told_and_the_server_goes_on(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_: object) -> None:
        raise AwsBusy("dynamodb is <busy>")

    with monkeypatch.context() as broken:
        broken.setattr(board, "look", busy)
        status, _, body = ask(port, "/")
        assert (status, "dynamodb is &lt;busy&gt;" in body) == (502, True)
    assert ask(port, "/")[0] == 200
