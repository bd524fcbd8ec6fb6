"""The stand-ins of programs that fetch: what they ask for, and where they put the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from kiln_local.machines import StepRun
from kiln_local.machines.asking import Answer, nobody
from tests.sandbox.bakery import Bakery, Row
from tests.sandbox.test_run_shell import b64

ROW = Row("amazon-linux-2023")
Asked = list[tuple[list[str], bytes | None]]


@pytest.fixture
def asked(room: Bakery) -> Iterator[Asked]:
    """What was asked; everything is answered with a file that says `body`."""
    found: Asked = []

    def answer(words: Sequence[str], sent: bytes | None) -> Answer:
        found.append((list(words), sent))
        return Answer(0, "", b"body\n" if sent is None else None)

    room.room.answer = answer
    yield found
    room.room.answer = nobody


def ran(room: Bakery, script: str) -> StepRun:
    instance = room.shared(ROW)
    return room.run(instance, "run-shell", Script=b64(script), Environment="").steps[0]


def test_aws_sends_a_file_and_fetches_one(room: Bakery, asked: Asked) -> None:
    step = ran(
        room, "printf up >/root/a; aws s3 cp /root/a s3://b/k; printf in | aws s3 cp - s3://b/i"
    )
    assert (step.exit_code, step.stderr) == (0, "")
    assert [sent for _, sent in asked] == [b"up", b"in"]
    assert asked[0][0] == ["aws", "s3", "cp", "/root/a", "s3://b/k"]
    assert ran(room, "aws s3 cp s3://b/k /root/c; cat /root/c; stat -c %a /root/c").stdout == (
        "body\n644\n"
    )
    assert ran(room, "aws s3 cp s3://b/k -").stdout == "body\n"
    fetch = "aws s3api get-object --bucket b --key k /root/d >/dev/null; cat /root/d"
    assert ran(room, fetch).stdout == "body\n"


@pytest.mark.parametrize(
    "fetch",
    [
        "curl -fsSL -o /root/e http://127.0.0.1/b/k",
        "curl --retry 3 -H 'X: y' http://127.0.0.1/b/k >/root/e",
        "printf 'url = \"http://127.0.0.1/b/k\"\\n' | curl -s -o /root/e -K -",
        "wget -q -O /root/e http://127.0.0.1/b/k",
        "echo http://127.0.0.1/b/k | wget -q -O /root/e -i -",
        "cd /root && wget http://127.0.0.1/b/k && mv k e",
    ],
)
def test_curl_and_wget_ask_for_an_address(room: Bakery, asked: Asked, fetch: str) -> None:
    step = ran(room, f"rm -f /root/e; {fetch}; cat /root/e")
    assert (step.exit_code, step.stdout, step.stderr) == (0, "body\n", "")
    assert asked == [(["curl", "http://127.0.0.1/b/k"], None)]


def test_a_file_of_the_instance_needs_nobody(room: Bakery, asked: Asked) -> None:
    assert ran(room, "echo own >/root/o; curl -s file:///root/o").stdout == "own\n"
    assert asked == []


def test_without_a_local_aws_around_it_the_answer_says_so(room: Bakery) -> None:
    step = ran(room, "aws s3 ls")
    assert (step.exit_code, step.stderr) == (1, "local AWS: aws has nobody to ask here\n")


@pytest.mark.parametrize("url", ["https://h.example/a", "git@h.example:a", "ssh://h.example/a"])
def test_git_says_what_it_cannot_reach(room: Bakery, url: str) -> None:
    step = ran(room, f"git ls-remote {url}")
    assert step.exit_code == 128
    assert "there is no network here" in step.stderr


def test_git_is_the_real_one_on_the_instance(room: Bakery) -> None:
    assert ran(
        room, "cd /root; git init -q r; git -C r rev-parse --is-inside-work-tree"
    ).stdout == ("true\n")
