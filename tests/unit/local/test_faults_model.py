"""Faults on request: what a file may say, what is said of one that is wrong, and which occurrences
a fault acts on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from kiln.errors import InvalidRequest
from kiln_local.clock import SimClock
from kiln_local.fastyaml import load
from kiln_local.faults import Fault, Faults, answers, faults_from, names
from kiln_local.faults.engine import Occasion
from kiln_local.faults.model import Refusal
from kiln_local.scenes import Scene

ROOT = Path(__file__).parents[3]
RUN: dict[str, Any] = {"service": "ec2", "operation": "RunInstances"}
INVOKE: dict[str, Any] = {"service": "lambda", "operation": "Invoke"}
NEWS: dict[str, Any] = {"service": "events", "operation": "EC2 AMI State Change"}
STOP: dict[str, Any] = {"act": "stop-execution", "when": {"state": "AwaitBuilder"}}
CALL = "give exactly one of error, crash, drop, double, delay_s"


def a_fault(**given: Any) -> Fault:
    """A fault of RunInstances, or as given."""
    (fault,) = faults_from([(RUN | {"drop": True}) | given])
    return fault


WRONG: list[tuple[dict[str, Any], str]] = [
    (
        RUN | {"operation": "RunInstance", "drop": True},
        "ec2 has no operation 'RunInstance'; did you mean RunInstances?",
    ),
    (RUN | {"service": "ec3", "drop": True}, "service: AWS has no service 'ec3'; did you mean"),
    (RUN | {"nth": 0, "drop": True}, "nth: "),
    (RUN | {"nth": "1", "drop": True}, "nth: must be a whole number, not '1'"),
    (RUN | {"times": "forever", "drop": True}, "times: must be a whole number from 1, or always"),
    (RUN | {"times": 0, "drop": True}, "times: must be a whole number from 1, or always"),
    (RUN | {"times": 2, "for_s": 3, "drop": True}, "times, for_s: give one of them"),
    (RUN, f"it does nothing; {CALL}"),
    (RUN | {"error": "X", "crash": "after"}, f"crash, error: {CALL}"),
    (RUN | {"drop": False}, "drop: false is what it is without the key"),
    (RUN | {"drop": True, "delay_s": 3}, "delay_s: does not go with drop"),
    (RUN | {"delay_s": 0}, "delay_s: "),
    (RUN | {"error": {"cod": "X"}}, "error.cod: is not a known key; did you mean code? allowed:"),
    (RUN | {"error": {"code": "X", "http": 200}}, "error.http: "),
    (RUN | {"error": "throtling"}, "error: ec2 has no word 'throtling'; did you mean throttling?"),
    (
        RUN | {"service": "ssm", "operation": "SendCommand", "error": "capacity"},
        "error: ssm has no word 'capacity'",
    ),
    (RUN | {"drop": True, "by": "exit"}, "by: says how a function crashes; give crash too"),
    (RUN | {"dropp": True}, "dropp: is not a known key; did you mean drop? allowed: service,"),
    (
        RUN | {"function": "launch_bilder", "drop": True},
        "function: the project has no function 'launch_bilder'; did you mean launch",
    ),
    (
        INVOKE | {"drop": True},
        "drop: lambda/Invoke has none; allowed: error, crash, double, delay_s",
    ),
    (NEWS | {"crash": "before"}, "crash: an event has none; allowed: drop, double, delay_s"),
    (
        NEWS | {"operation": "EC2 AMI State Chang", "drop": True},
        "operation: events has no event or call",
    ),
    (STOP | {"act": "stop"}, "act: 'stop' is not allowed; allowed: 'stop-execution'"),
    (STOP | RUN, "act: goes with when.state, not with service, operation, function"),
    ({"act": "stop-execution"}, "when.state: is required with act"),
    (STOP | {"role": "clone"}, "role: tells which instance"),
    (
        STOP | {"when": {"state": "AwaitBilder"}},
        "when.state: the project has no state 'AwaitBilder'; did you mean Await",
    ),
    (
        STOP | {"when": {"state": "Clean", "machine": "rollout"}},
        "when.state: rollout has no state 'Clean'",
    ),
    (
        STOP | {"when": {"state": "Clean", "machine": "bak"}},
        "when.machine: the project has no machine 'bak'; did you mean bake?",
    ),
    ({"operation": "RunInstances", "drop": True}, "service: is required, or act with when.state"),
    ({"service": "ec2", "drop": True}, "operation: is required"),
]


@pytest.mark.parametrize(("row", "said"), WRONG, ids=[said[:40] for _, said in WRONG])
def test_a_wrong_fault_is_one_clear_line(row: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest) as told:
        faults_from([RUN | {"drop": True}, row], ROOT)
    text = str(told.value)
    assert text.startswith("faults.1")
    assert said in text
    assert "\n" not in text


@pytest.mark.parametrize("document", [None, {}, [], "x", {"faults": []}, {"faults": "x"}, 3])
def test_what_is_no_list_of_faults_is_refused(document: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^faults: must be a list with at least one fault"):
        faults_from(document)


@pytest.mark.parametrize(
    ("row", "kind", "said"),
    [
        (
            RUN | {"error": "throttling"},
            "call",
            "ec2/RunInstances, nth 1, times 1: error throttling",
        ),
        (
            RUN | {"operation": "*", "error": "X", "for_s": 60},
            "call",
            "ec2/*, nth 1, for 60 s: error X",
        ),
        (
            INVOKE | {"function": "wake", "crash": "after", "by": "time-out", "times": "always"},
            "invocation",
            "lambda/Invoke of wake, nth 1, times always: crash after by time-out",
        ),
        (
            NEWS | {"double": True, "delay_s": 5, "nth": 2},
            "event",
            "events/EC2 AMI State Change, nth 2, times 1: double 5 s later",
        ),
        (
            {"service": "events", "operation": "PutEvents", "drop": True},
            "call",
            "events/PutEvents, nth 1, times 1: drop",
        ),
        (
            STOP | {"delay_s": 2},
            "state",
            "state AwaitBuilder, nth 1, times 1: stop-execution 2 s later",
        ),
        (
            STOP | {"act": "terminate-instance", "role": "clone"},
            "state",
            "state AwaitBuilder, nth 1, times 1: terminate-instance clone",
        ),
    ],
)
def test_a_fault_says_what_it_is(row: dict[str, Any], kind: str, said: str) -> None:
    (fault,) = faults_from({"faults": [row]}, ROOT)
    assert (fault.kind, str(fault)) == (kind, said)


@pytest.mark.parametrize(
    ("often", "acts"),
    [
        ({}, [1]),
        ({"nth": 3}, [3]),
        ({"nth": 2, "times": 2}, [2, 3]),
        ({"nth": 4, "times": "always"}, [4, 5, 6]),
    ],
)
def test_a_fault_acts_on_the_occurrences_that_it_names(
    often: dict[str, Any], acts: list[int]
) -> None:
    fault = a_fault(**often)
    assert [n for n in range(1, 7) if fault.acts_at(n, None)] == acts


def test_a_fault_for_a_time_begins_at_the_nth_and_ends_by_the_clock() -> None:
    fault = a_fault(nth=2, for_s=60)
    assert not fault.acts_at(1, None)
    assert fault.acts_at(2, None)
    assert fault.acts_at(9, 59.9)
    assert not fault.acts_at(9, 60.0)


@given(nth=st.integers(1, 20), times=st.integers(1, 20), seen=st.integers(0, 60))
def test_a_fault_never_acts_more_often_than_it_may(nth: int, times: int, seen: int) -> None:
    fault = a_fault(nth=nth, times=times)
    acted = [n for n in range(1, seen + 1) if fault.acts_at(n, None)]
    assert len(acted) == max(0, min(times, seen - nth + 1))


def test_every_example_of_the_page_is_valid() -> None:
    page = (ROOT / "docs/faults.md").read_text()
    examples = re.findall(r"```yaml faults\n(.*?)```", page, re.S)
    assert len(examples) >= 5
    for text in examples:
        assert faults_from(load(text), ROOT)


# ---------------------------------------------------------------- what counts


@pytest.mark.parametrize(
    ("row", "occasion", "fits"),
    [
        (RUN | {"drop": True}, ("call", "ec2", "RunInstances", "launch_builder"), True),
        (RUN | {"drop": True}, ("call", "ec2", "StopInstances", "launch_builder"), False),
        (RUN | {"operation": "*", "drop": True}, ("call", "ec2", "StopInstances", "x"), True),
        (RUN | {"drop": True, "function": "teardown"}, ("call", "ec2", "RunInstances", "x"), False),
        (
            {"service": "states", "operation": "StartExecution", "drop": True},
            ("call", "stepfunctions", "StartExecution", ""),
            True,
        ),
        # A state machine has no process that could crash.
        (RUN | {"crash": "after"}, ("call", "ec2", "RunInstances", ""), False),
        (
            RUN | {"drop": True, "when": {"state": "LaunchBuilder"}},
            ("call", "ec2", "RunInstances", "x"),
            True,
        ),
        (
            RUN | {"drop": True, "when": {"machine": "rollout"}},
            ("call", "ec2", "RunInstances", "x"),
            False,
        ),
        (
            RUN | {"drop": True, "when": {"execution": "web-*"}},
            ("call", "ec2", "RunInstances", "x"),
            True,
        ),
        (
            RUN | {"drop": True, "when": {"execution": "app-*"}},
            ("call", "ec2", "RunInstances", "x"),
            False,
        ),
    ],
)
def test_a_fault_counts_what_fits_it(
    row: dict[str, Any], occasion: tuple[Any, ...], fits: bool
) -> None:
    clock = SimClock(1000)
    faults = Faults(clock)
    faults.use(faults_from([row]))
    there = Scene("bake", "LaunchBuilder", "web-1")
    assert bool(faults.due(Occasion(*occasion, scene=there))) == fits
    clock.end()


def test_a_new_list_begins_to_count_anew() -> None:
    clock = SimClock(1000)
    faults, told = Faults(clock), []
    faults.told = lambda fault, firing: told.append((str(fault), firing.operation))
    wanted = faults_from([RUN | {"drop": True, "nth": 2}])
    call = Occasion("call", "ec2", "RunInstances", "launch_builder")
    for _ in range(2):
        faults.use(wanted)
        assert [bool(faults.due(call)) for _ in range(3)] == [False, True, False]
    assert told == [("ec2/RunInstances, nth 2, times 1: drop", "ec2/RunInstances")] * 2
    assert [(row["seen"], len(row["fired"])) for row in faults.report()] == [(3, 1)]
    clock.end()


# ---------------------------------------------------------------- answers

SERVICES = (
    *("ec2", "ssm", "dynamodb", "s3", "events", "stepfunctions", "elbv2", "cloudwatch"),
    *("autoscaling", "sts", "lambda", "sqs"),
)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("code", ["throttling", "internal", "denied", "SomethingElse"])
def test_botocore_reads_the_code_from_the_answer_of_each_protocol(service: str, code: str) -> None:
    refusal = Refusal(code=code, message="a < b & c")
    status, headers, body = answers.serialized(service, refusal)
    parser = create_parser(names.model_of(service).resolved_protocol)
    response = {"status_code": status, "headers": headers, "body": body.encode()}
    parsed = parser.parse(response, None)
    wanted = names.code_of(service, code)
    assert parsed["Error"]["Code"] == wanted
    assert parsed["Error"]["Message"] == "a < b & c"
    assert 400 <= status <= 599
    assert (status >= 500) == (code == "internal" or wanted in ("RequestLimitExceeded", "SlowDown"))


def test_a_status_is_the_one_that_is_asked_for() -> None:
    refusal = Refusal(code="InsufficientInstanceCapacity", http=503)
    assert answers.serialized("ec2", refusal)[0] == 503
    assert answers.serialized("ec2", Refusal(code="capacity"))[0] == 500


def test_every_event_that_a_rule_of_the_template_listens_to_may_be_named() -> None:
    known = names.Project(ROOT).events
    assert {"Image Available", "Rollout Rolled Back", "EC2 AMI State Change"} <= known
    text = (ROOT / "template.yaml").read_text()
    listed = [
        line.partition("[")[2].rstrip("]") for line in text.splitlines() if "detail-type: [" in line
    ]
    heard = {name.strip() for line in listed for name in line.split(",") if "{" not in name}
    assert heard
    assert heard <= known
