"""How programs on an instance ask, and that what they lay down leads the host nowhere."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from kiln_local.machines.asking import Answer, answering, nobody

DEADLINE_S = 5.0


class Question:
    """A folder as the stand-in leaves it."""

    def __init__(self, root: Path, name: str = "abcdef") -> None:
        self.folder = root / "run/kiln-local/asking" / name
        self.folder.mkdir(parents=True)

    def ask(self, *words: str) -> None:
        (self.folder / "asking").write_bytes("".join(f"{word}\0" for word in words).encode())
        (self.folder / "asking").rename(self.folder / "asked")

    def status(self) -> int:
        until = time.monotonic() + DEADLINE_S
        while not (self.folder / "status").exists():
            assert time.monotonic() < until
            time.sleep(0.005)
        return int((self.folder / "status").read_text())

    def unanswered(self) -> bool:
        time.sleep(0.1)
        return not (self.folder / "status").exists()


def echo(words: Sequence[str], sent: bytes | None) -> Answer:
    return Answer(3, " ".join(words), sent)


def test_words_and_a_file_reach_whoever_answers_and_the_answer_comes_back(tmp_path: Path) -> None:
    with answering(tmp_path, echo):
        question = Question(tmp_path)
        (question.folder / "sent").write_bytes(b"a\0b")
        question.ask("aws", "two words", "", "line\nbreak")
        assert question.status() == 3
    assert (question.folder / "said").read_text() == "aws two words  line\nbreak"
    assert (question.folder / "body").read_bytes() == b"a\0b"


def test_questions_are_answered_one_after_the_other(tmp_path: Path) -> None:
    with answering(tmp_path, nobody):
        for name in ("aaaaaa", "bbbbbb"):
            question = Question(tmp_path, name)
            question.ask("aws")
            assert question.status() == 1
            assert "has nobody to ask here" in (question.folder / "said").read_text()


def test_nothing_is_answered_after_the_end(tmp_path: Path) -> None:
    with answering(tmp_path, echo):
        pass
    question = Question(tmp_path)
    question.ask("aws")
    assert question.unanswered()


@pytest.mark.parametrize("part", ["run", "run/kiln-local", "run/kiln-local/asking"])
def test_a_folder_that_is_a_link_is_not_entered(tmp_path: Path, part: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    question = Question(outside)
    question.ask("aws")
    (root / part).parent.mkdir(parents=True, exist_ok=True)
    (root / part).symlink_to(outside / part)
    with answering(root, echo):
        assert question.unanswered()


def test_a_question_that_is_a_link_is_not_entered(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    question = Question(outside)
    question.ask("aws")
    place = root / "run/kiln-local/asking"
    place.mkdir(parents=True)
    (place / "abcdef").symlink_to(question.folder)
    with answering(root, echo):
        assert question.unanswered()


@pytest.mark.parametrize("name", ["asked", "sent"])
def test_a_file_of_the_host_is_not_read_through_a_link(tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret\0")
    question = Question(tmp_path)
    (question.folder / name).symlink_to(secret)
    if name == "sent":
        question.ask("aws")
    with answering(tmp_path, echo):
        assert question.unanswered()
    assert not (question.folder / "body").exists()


@pytest.mark.parametrize("name", ["body", "said", "status.new"])
def test_a_file_of_the_host_is_not_written_through_a_link(tmp_path: Path, name: str) -> None:
    target = tmp_path / "target"
    target.write_text("as it was")
    question = Question(tmp_path)
    (question.folder / "sent").write_bytes(b"evil")
    (question.folder / name).symlink_to(target)
    question.ask("aws")
    with answering(tmp_path, echo):
        assert question.unanswered()
    assert target.read_text() == "as it was"


def test_a_pipe_in_place_of_a_file_holds_nobody_up(tmp_path: Path) -> None:
    stuck, question = Question(tmp_path, "aaaaaa"), Question(tmp_path, "bbbbbb")
    os.mkfifo(stuck.folder / "asked")
    question.ask("aws")
    with answering(tmp_path, echo):
        assert question.status() == 3
