"""What the scan of the template and the audit of the pins make of what their tools say."""

from __future__ import annotations

from typing import Any

from tools import audit
from tools.check_template import problems

WHY = "Nothing of the kind can happen here, for what it asks about is not there."


def a_scan(*resources: str, **overrides: Any) -> dict[str, Any]:
    found = [{"check": "CKV_AWS_1", "name": "Ensure", "resource": one} for one in resources]
    return {"findings": found, "passed": 10, "unread": []} | overrides


def a_reason(resources: str, reason: str = WHY, check: str = "CKV_AWS_1") -> dict[str, str]:
    return {"check": check, "resources": resources, "reason": reason}


def test_a_finding_with_a_reason_is_no_problem() -> None:
    assert list(problems(a_scan("A::B.One", "A::B.Two"), [a_reason("A::B.*")])) == []


def test_a_finding_without_a_reason_is_named() -> None:
    (said,) = problems(a_scan("A::B.One", "A::C.Two"), [a_reason("A::B.*")])
    assert said.startswith("A::C.Two: CKV_AWS_1: Ensure")


def test_a_reason_explains_its_own_check_alone() -> None:
    said = list(problems(a_scan("A::B.One"), [a_reason("A::B.*", check="CKV_AWS_2")]))
    assert len(said) == 2


def test_a_reason_without_a_finding_is_named() -> None:
    (said,) = problems(a_scan(), [a_reason("A::B.*")])
    assert "take it out" in said


def test_a_reason_is_a_sentence() -> None:
    (said,) = problems(a_scan("A::B.One"), [a_reason("A::B.*", reason="n/a")])
    assert "say why" in said


def test_a_template_that_was_not_read_is_no_clean_template() -> None:
    assert list(problems(a_scan(unread=["template.json"]), []))
    assert list(problems(a_scan(passed=0), []))


def a_package(**overrides: Any) -> dict[str, Any]:
    return {"name": "left", "version": "1.0", "vulns": []} | overrides


def test_pins_without_a_known_vulnerability_are_clean() -> None:
    status, lines = audit.judged({"dependencies": [a_package()]}, "")
    assert (status, lines) == (audit.CLEAN, ["1 of 1 packages looked up, 0 vulnerabilities"])


def test_a_vulnerability_is_named_with_what_mends_it() -> None:
    known = {"id": "PYSEC-1", "fix_versions": ["1.1"]}
    skipped = {"name": "right", "skip_reason": "not there"}
    status, lines = audit.judged({"dependencies": [a_package(vulns=[known]), skipped]}, "")
    assert status == audit.FOUND
    assert lines[0] == "left 1.0: PYSEC-1, mended in 1.1"


def test_what_was_not_looked_up_is_never_clean() -> None:
    skipped = {"name": "right", "skip_reason": "not there"}
    assert audit.judged({"dependencies": [a_package(), skipped]}, "")[0] == audit.UNASKED
    assert audit.judged({"dependencies": []}, "")[0] == audit.UNASKED


def test_a_database_that_cannot_be_had_is_said_plainly() -> None:
    status, (line,) = audit.judged(None, "Traceback\nConnectionError: no way there\n")
    assert status == audit.UNASKED
    assert line.startswith("NOT looked up")
    assert line.endswith("no way there")


def test_every_file_of_pins_is_audited() -> None:
    assert {str(path) for path in audit.files_of_pins()} >= {
        "requirements/dev.txt",
        "requirements/scan.txt",
        "layers/deps/requirements.txt",
    }
