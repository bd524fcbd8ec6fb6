"""Calling a function of Kiln's: its answer, or its error as what it is."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from kiln.errors import InvalidRequest
from kiln_cli.invoking import FunctionFailed, invoke
from kiln_cli.place import Place
from tests.fakes import FakeWorld


class Session:
    """A session whose Lambda answers with one thing."""

    def __init__(self, answer: Any, failed: bool = False) -> None:
        self.calls: list[dict[str, Any]] = []
        self._answer, self._failed = answer, failed

    def client(self, service: str, **_: Any) -> Session:
        assert service == "lambda"
        return self

    def invoke(self, **asked: Any) -> dict[str, Any]:
        """Lambda's Invoke."""
        self.calls.append(asked)
        payload = io.BytesIO(json.dumps(self._answer).encode())
        return {"Payload": payload} | ({"FunctionError": "Unhandled"} if self._failed else {})


def at(session: Session) -> Place:
    """A place with one function."""
    outputs = {"SweepFunctionName": "kiln-sweep"}
    return Place(FakeWorld().world, session, outputs)  # type: ignore[arg-type]


def test_the_answer_of_the_function_is_the_answer() -> None:
    session = Session({"leaks": []})
    assert invoke(at(session), "SweepFunctionName", {"dry_run": True}) == {"leaks": []}
    assert session.calls == [{"FunctionName": "kiln-sweep", "Payload": b'{"dry_run": true}'}]


def test_what_the_function_refuses_is_refused_with_its_words() -> None:
    told = {"errorType": "InvalidRequest", "errorMessage": "shop/web: no such layer"}
    with pytest.raises(InvalidRequest, match=r"^shop/web: no such layer$"):
        invoke(at(Session(told, failed=True)), "SweepFunctionName", {})


@pytest.mark.parametrize("name", ["ValidationError", "KeyError", "KilnError", ""])
def test_a_fault_of_the_function_names_it_and_its_log(name: str) -> None:
    told = {"errorType": name, "errorMessage": "x"}
    with pytest.raises(FunctionFailed, match=rf"kiln-sweep: {name}: x; its log"):
        invoke(at(Session(told, failed=True)), "SweepFunctionName", {})
