"""Any schedule of bakes, rollouts, faults, events and other people's doings, and no promise broken.

`make promises` tries two hundred schedules, others each time; `make long` a few that stay the same.
A schedule that breaks a promise is printed, with the simulated second of each thing that was done.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.e2e.promises import KINDS, Account, an_account
from tests.faults import kinds

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]
# `make promises` tries so many in one account, one after the other, then in another one: what an
# account has seen grows with each, and so does the time that a look at it takes.
SHARE = 20
MANY = int(os.environ.get("SCHEDULES", "0"))
FEW = 3
CALLS = (
    *("ec2:RunInstances", "ec2:CreateImage", "ec2:TerminateInstances", "ec2:StopInstances"),
    *("ec2:DescribeInstances", "ec2:DescribeImages", "ec2:CreateTags", "ec2:DeregisterImage"),
    *("ssm:SendCommand", "ssm:ListCommandInvocations", "ssm:DescribeInstanceInformation"),
    *("dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:Query"),
    *("states:StartExecution", "states:SendTaskSuccess", "events:PutEvents"),
)
PASSING = ("throttled-once", "throttled-for-a-minute", "internal-error", "answer-lost", "timed-out")
CRASHES = ("crash-before", "crash-after")
EVENTS = (
    "EC2 Instance State-change Notification",
    "EC2 AMI State Change",
    "EC2 Command Invocation Status-change Notification",
    "EC2 Command Status-change Notification",
    "Step Functions Execution Status Change",
    "Instance State Change",
)
FUNCTIONS = (
    *("launch_builder", "run_step", "create_image", "teardown", "await_resource", "wake"),
    *("advance_rollout", "finish_rollout", "start_instance", "end_change", "run_recipes"),
)
numbers = st.integers(0, 50)
nth = st.integers(1, 6)
deaths = st.sampled_from(tuple(kinds.ON_STARTED))


class Schedules(RuleBasedStateMachine):
    """One schedule in an account that others have used before."""

    account: Account

    @initialize(kind=st.sampled_from(KINDS))
    def begin(self, kind: str) -> None:
        """Something is to go on."""
        self.account.open()
        self._did(f"bake {self.account.bake(kind)}")

    def _did(self, what: str) -> None:
        self.account.did(what)
        self._check()

    def _check(self) -> None:
        account = self.account
        told = "\n".join([*account.broken, "after this schedule:", *account.schedule])
        assert not account.broken, told

    @rule(kind=st.sampled_from(KINDS))
    def bake(self, kind: str) -> None:
        """A bake, perhaps the second of its blueprint."""
        self._did(f"bake {self.account.bake(kind)}")

    @rule()
    def roll_out(self) -> None:
        """A rollout, perhaps while another one is under way."""
        self._did(f"roll out {self.account.roll_out()}")

    @rule(call=st.sampled_from(CALLS), kind=st.sampled_from(PASSING + CRASHES), nth=nth)
    def break_a_call(self, call: str, kind: str, nth: int) -> None:
        """A call goes wrong, whoever makes it."""
        service, _, operation = call.partition(":")
        fault = {"service": service, "operation": operation, "nth": nth} | kinds.ON_CALLS[kind]
        self.account.go_wrong(fault)
        self._did(f"{kind} {call}, nth {nth}")

    @rule(function=st.sampled_from(FUNCTIONS), kind=deaths, nth=nth)
    def break_a_function(self, function: str, kind: str, nth: int) -> None:
        """A function ends early, or runs twice."""
        fault = {"service": "lambda", "operation": "Invoke", "function": function, "nth": nth}
        self.account.go_wrong(fault | kinds.ON_STARTED[kind])
        self._did(f"{kind} {function}, nth {nth}")

    @rule(event=st.sampled_from(EVENTS), kind=st.sampled_from(tuple(kinds.ON_EVENTS)), nth=nth)
    def break_events(self, event: str, kind: str, nth: int) -> None:
        """Some events get lost, come twice, or late and so out of order."""
        fault = {"service": "events", "operation": event, "nth": nth}
        self.account.go_wrong(fault | kinds.ON_EVENTS[kind] | {"times": 5})
        self._did(f"{kind} {event}, 5 from {nth}")

    @rule(call=st.sampled_from(("ec2:RunInstances", "ec2:CreateImage", "ssm:SendCommand")))
    def refuse(self, call: str) -> None:
        """A bake is refused something for good."""
        service, _, operation = call.partition(":")
        fault = {"service": service, "operation": operation, "when": {"machine": "bake"}}
        self.account.go_wrong(fault | {"error": "denied"})
        self._did(f"refuse {call}")

    @rule(number=numbers, how=st.sampled_from(("stop", "time out")))
    def end_an_execution(self, number: int, how: str) -> None:
        """Somebody stops an execution in the console, or its time is over."""
        self._did(f"{how} {self.account.end_execution(number, how)}")

    @rule(number=numbers)
    def terminate(self, number: int) -> None:
        """Somebody terminates an instance."""
        self._did(f"terminate {self.account.terminate(number)}")

    @rule(seconds=st.sampled_from((1, 10, 30, 60, 120, 300)))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.account.aws.clock.sleep(seconds)
        self._did(f"wait {seconds} s")

    @rule()
    def sweep(self) -> None:
        """A sweep, which leaves alone what belongs to what runs."""
        self.account.ground.sweep()
        self._did("sweep")

    def teardown(self) -> None:
        """Everything ends; a schedule that has broken something already is not looked at again."""
        if self.account.broken:
            return
        self.account.close()
        self._check()


@pytest.fixture
def account() -> Iterator[Account]:
    """One account for all schedules of a share."""
    with ExitStack() as stack:
        yield stack.enter_context(an_account())


@pytest.mark.parametrize("share", range(-(-MANY // SHARE) or 1))
def test_no_promise_is_broken_whatever_happens(account: Account, share: int) -> None:
    mine = type(f"Schedules{share}", (Schedules,), {"account": account})
    some = settings(
        max_examples=min(SHARE, MANY) or FEW,
        stateful_step_count=8,
        derandomize=not MANY,
        deadline=None,
        # What is simulated by threads is not the same again: a smaller schedule proves nothing.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(mine, settings=some)
