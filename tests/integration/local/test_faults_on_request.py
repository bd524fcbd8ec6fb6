"""Faults on request really occur: what has taken effect, what a function and its machine see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.local.trouble import Trouble, in_trouble
from tests.integration.local.worlds import until

PUT: dict[str, Any] = {"service": "ssm", "operation": "PutParameter"}
KEEP: dict[str, Any] = {"service": "lambda", "operation": "Invoke", "function": "keep"}
NEWS: dict[str, Any] = {"service": "events", "operation": "EC2 AMI State Change"}


@pytest.fixture(scope="module")
def trouble() -> Iterator[Trouble]:
    with in_trouble() as made:
        yield made


def test_without_a_fault_the_machine_succeeds(trouble: Trouble) -> None:
    ran = trouble.run()
    assert (ran.status, ran.errors, trouble.written(ran.name)) == ("SUCCEEDED", [], (1, 1))
    assert trouble.aws.faults.report() == []


def test_what_is_throttled_once_the_sdk_tries_again(trouble: Trouble) -> None:
    ran = trouble.run(PUT | {"error": "throttling"})
    assert (ran.status, ran.errors, trouble.written(ran.name)) == ("SUCCEEDED", [], (1, 1))
    (row,) = trouble.aws.faults.report()
    # Two calls, three requests: the first was sent again.
    assert (row["seen"], len(row["fired"])) == (3, 1)
    (fired,) = row["fired"]
    assert (fired["operation"], fired["function"]) == ("ssm/PutParameter", "keep")
    assert (fired["machine"], fired["state"]) == ("keep", "Keep")
    assert fired["execution"] == ran.name


def test_what_is_throttled_for_a_time_passes_after_it(trouble: Trouble) -> None:
    ran = trouble.run(PUT | {"error": "throttling", "for_s": 1})
    assert (ran.status, trouble.written(ran.name)) == ("SUCCEEDED", (1, 1))
    assert trouble.fired()[0] >= 1


def test_an_error_is_the_one_that_the_function_sees(trouble: Trouble) -> None:
    said = {"code": "TooManyUpdates", "message": "Not so fast."}
    ran = trouble.run(PUT | {"error": said, "times": "always"})
    assert (ran.status, ran.errors) == ("FAILED", ["TooManyUpdates"])
    assert "Not so fast." in ran.described["cause"]
    assert trouble.written(ran.name) == (0, 0)


def test_the_nth_of_one_function_in_one_state_alone(trouble: Trouble) -> None:
    there = {"function": "keep", "when": {"state": "Keep", "execution": "run-*"}}
    elsewhere = {"when": {"execution": "other-*"}}
    ran = trouble.run(
        PUT | there | {"nth": 2, "error": "AccessDeniedException"},
        PUT | elsewhere | {"error": "AccessDeniedException"},
    )
    assert (ran.status, trouble.written(ran.name)) == ("FAILED", (1, 0))
    assert trouble.fired() == [1, 0]
    assert [row["seen"] for row in trouble.aws.faults.report()] == [2, 0]


def test_a_crash_before_a_call_leaves_nothing_and_is_retried(trouble: Trouble) -> None:
    ran = trouble.run(PUT | {"crash": "before"})
    # Nothing of the first attempt: neither its call nor that of its `finally`.
    assert (ran.status, ran.errors) == ("SUCCEEDED", ["Runtime.ExitError"])
    assert trouble.written(ran.name) == (1, 1)


def test_a_crash_after_a_call_leaves_what_the_call_did(trouble: Trouble) -> None:
    ran = trouble.run(PUT | {"crash": "after"})
    assert (ran.status, ran.errors) == ("SUCCEEDED", ["Runtime.ExitError"])
    assert trouble.written(ran.name) == (2, 1)


def test_a_crash_by_time_out_comes_at_the_function_s_limit(trouble: Trouble) -> None:
    before = trouble.aws.clock.seconds()
    ran = trouble.run(PUT | {"crash": "after", "by": "time-out"})
    assert (ran.status, ran.errors) == ("SUCCEEDED", ["Sandbox.Timedout"])
    assert trouble.written(ran.name) == (2, 1)
    assert trouble.aws.clock.seconds() - before >= 60


@pytest.mark.parametrize("how", [{"drop": True}, {"double": True}, {"delay_s": 31}])
def test_a_call_takes_effect_twice(trouble: Trouble, how: dict[str, Any]) -> None:
    ran = trouble.run(PUT | how)
    assert (ran.status, ran.errors, trouble.written(ran.name)) == ("SUCCEEDED", [], (2, 1))


def test_a_late_answer_costs_the_function_its_time(trouble: Trouble) -> None:
    ran = trouble.run(PUT | {"delay_s": 20})
    assert (ran.status, trouble.written(ran.name)) == ("SUCCEEDED", (1, 1))
    # Of 60 s; adaptive retries may hold up a client that was throttled before.
    assert 20_000 < ran.left_ms <= 40_000


def test_a_function_that_waits_past_its_limit_times_out(trouble: Trouble) -> None:
    # 29 s and 30 s, at which the client gives up and asks again: a minute is over.
    ran = trouble.run(PUT | {"delay_s": 29}, PUT | {"nth": 2, "delay_s": 40, "times": 2})
    assert (ran.status, ran.errors) == ("SUCCEEDED", ["Sandbox.Timedout"])
    assert trouble.written(ran.name) == (2, 3)


# ---------------------------------------------------------------- invocations


def test_a_function_that_crashes_before_it_begins_does_nothing(trouble: Trouble) -> None:
    ran = trouble.run(KEEP | {"crash": "before", "times": 2})
    assert (ran.status, ran.errors) == ("SUCCEEDED", ["Runtime.ExitError"] * 2)
    assert trouble.written(ran.name) == (1, 1)


def test_a_function_that_crashes_when_it_is_done_has_done_it(trouble: Trouble) -> None:
    ran = trouble.run(KEEP | {"crash": "after", "by": "time-out"})
    assert (ran.status, ran.errors) == ("SUCCEEDED", ["Sandbox.Timedout"])
    assert trouble.written(ran.name) == (2, 2)


def test_a_doubled_invocation_runs_twice_for_one_state(trouble: Trouble) -> None:
    ran = trouble.run(KEEP | {"double": True})
    assert (ran.status, ran.errors, trouble.written(ran.name)) == ("SUCCEEDED", [], (2, 2))


@pytest.mark.parametrize(("delay_s", "errors"), [(50, []), (60, ["Sandbox.Timedout"])])
def test_a_late_invocation_ends_at_the_function_s_limit(
    trouble: Trouble, delay_s: float, errors: list[str]
) -> None:
    ran = trouble.run(KEEP | {"delay_s": delay_s})
    assert (ran.status, ran.errors, trouble.written(ran.name)) == ("SUCCEEDED", errors, (1, 1))


def test_an_invocation_that_lambda_refuses_is_an_error_of_lambda(trouble: Trouble) -> None:
    ran = trouble.run(KEEP | {"error": "throttling"})
    assert (ran.status, ran.errors) == ("SUCCEEDED", ["Lambda.TooManyRequestsException"])
    assert trouble.written(ran.name) == (1, 1)


# ---------------------------------------------------------------- events


@pytest.mark.parametrize(
    ("how", "times"),
    [({"drop": True}, 0), ({"double": True, "delay_s": 5}, 2), ({"delay_s": 5}, 1)],
)
def test_an_event_is_lost_doubled_or_late(
    trouble: Trouble, how: dict[str, Any], times: int
) -> None:
    state = f"s{len(how)}{times}"
    trouble.use(NEWS | {"function": "keep"} | how)
    trouble.aws._events.image_changed("ami-1", state)
    assert trouble.fired() == [1]
    # A second one goes through, and tells that the first had its time.
    trouble.aws._events.image_changed("ami-1", f"{state}-next")
    until(lambda: trouble.written(f"{state}-next") == (1, 1))
    until(lambda: trouble.written(state) == (times, times))


def test_a_late_event_comes_after_the_next(trouble: Trouble) -> None:
    trouble.use(NEWS | {"delay_s": 30})
    trouble.aws._events.image_changed("ami-1", "first")
    trouble.aws._events.image_changed("ami-1", "second")
    until(lambda: trouble.written("second")[1])
    assert trouble.written("first") == (0, 0)
    until(lambda: trouble.written("first")[1])


# ---------------------------------------------------------------- as a state is entered


def test_an_execution_that_is_stopped_does_not_begin_its_state(trouble: Trouble) -> None:
    ran = trouble.run({"act": "stop-execution", "when": {"state": "Keep"}})
    assert (ran.status, ran.last, trouble.written(ran.name)) == (
        "ABORTED",
        "ExecutionAborted",
        (0, 0),
    )
    (told,) = [
        event
        for event in trouble.aws.sent("Step Functions Execution Status Change")
        if event["detail"]["name"] == ran.name and event["detail"]["status"] != "RUNNING"
    ]
    assert told["detail"]["status"] == "ABORTED"
    assert trouble.fired() == [1]


def test_an_execution_times_out_in_the_middle_of_a_state(trouble: Trouble) -> None:
    ran = trouble.run({"act": "time-out-execution", "when": {"state": "Pause"}, "delay_s": 1})
    assert (ran.status, ran.last, trouble.written(ran.name)) == (
        *("TIMED_OUT", "ExecutionTimedOut"),
        (1, 1),
    )
    assert ran.described["stopDate"] > ran.described["startDate"]


def test_an_act_that_finds_nothing_has_not_acted(trouble: Trouble) -> None:
    ran = trouble.run({"act": "terminate-instance", "when": {"state": "Pause"}})
    assert (ran.status, trouble.fired()) == ("SUCCEEDED", [0])
    assert trouble.aws.faults.report()[0]["seen"] == 1


def test_an_agent_is_silenced_and_an_instance_terminated(trouble: Trouble) -> None:
    instance, other = trouble.an_instance(), trouble.an_instance()
    when = {"when": {"state": "Pause"}}
    trouble.run({"act": "silence-agent"} | when, instance=instance)
    assert trouble.state(instance) == "running"
    assert trouble.fired() == [1]
    assert not trouble.aws.agents._agents[instance].reaches.is_set()
    trouble.run({"act": "terminate-instance"} | when, instance=instance)
    assert trouble.state(instance) in ("shutting-down", "terminated")
    assert trouble.state(other) == "running"


def test_an_image_of_the_execution_turns_failed(trouble: Trouble) -> None:
    instance = trouble.an_instance()
    trouble.use({"act": "fail-image", "when": {"state": "Pause"}, "delay_s": 5})
    tags = [{"Key": "kiln:bake", "Value": "making"}]
    trouble.start("making")
    made = trouble.ec2.create_image(
        InstanceId=instance,
        Name="failing",
        TagSpecifications=[{"ResourceType": "image", "Tags": tags}],
    )["ImageId"]
    until(lambda: trouble.fired() == [1])
    (image,) = trouble.ec2.describe_images(ImageIds=[made])["Images"]
    assert (image["State"], image["StateReason"]["Message"]) == ("failed", "A fault on request.")
    (told,) = trouble.sent("EC2 AMI State Change", ImageId=made)
    assert (told["detail"]["State"], told["detail"]["ErrorMessage"]) == (
        *("failed", "A fault on request."),
    )


# ---------------------------------------------------------------- who is spared


def test_a_client_outside_meets_no_fault(trouble: Trouble) -> None:
    trouble.use(PUT | {"error": "denied", "times": "always"})
    trouble.ssm.put_parameter(Name="/outside", Value="1", Type="String")
    assert trouble.aws.faults.report()[0]["seen"] == 0


def test_of_two_faults_the_first_of_the_list_acts(trouble: Trouble) -> None:
    ran = trouble.run(PUT | {"double": True}, PUT | {"error": "denied"})
    assert (ran.status, trouble.written(ran.name)) == ("SUCCEEDED", (2, 1))
    assert trouble.fired() == [1, 0]
