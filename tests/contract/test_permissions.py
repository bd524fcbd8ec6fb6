"""The template's policies against the code and AWS's own reference: nothing that no code comes to,
nothing forgotten, nothing on all of a kind without a reason. What these cannot see, calls that are
really made, tests/e2e/test_permissions.py does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from kiln_local.iam import reference
from tools import permissions, service_reference
from tools.permissions import IMPLIED, REASONS, Allowed, functions, machines, reasons
from tools.step_calls import reached

FUNCTIONS = functions()
# Only who names an account besides the Region assumes a role, which the source does not tell.
SELDOM = {"sts:AssumeRole"}


def test_the_page_and_the_reference_are_fresh() -> None:
    assert permissions.TARGET.read_text() == permissions.rendered()
    assert service_reference.TARGET.read_text() == service_reference.rendered()


@pytest.mark.parametrize("step", FUNCTIONS)
def test_a_step_can_come_to_whatever_its_function_may_do(step: str) -> None:
    assert [one.action for one in FUNCTIONS[step] if not reasons(step, one.action)] == []


@pytest.mark.parametrize("step", FUNCTIONS)
def test_a_function_may_do_whatever_its_step_can_come_to(step: str) -> None:
    actions = {one.action for one in FUNCTIONS[step]}
    missing = {
        operation
        for operation in reached(step).keys() - actions - SELDOM
        # What AWS does not know is no call of AWS's: a certificate is fetched from its address.
        if reference.action(operation) or operation in IMPLIED
    }
    assert {o for o in missing if not actions & set(IMPLIED.get(o, ()))} == set()


def every() -> Iterator[tuple[str, Allowed]]:
    """Everything that is allowed, with whose it is."""
    for name, allowed in {**FUNCTIONS, **machines()}.items():
        for one in allowed:
            yield name, one


def test_every_action_is_one_of_aws() -> None:
    assert [one.action for _, one in every() if reference.action(one.action) is None] == []


def test_no_change_is_allowed_on_all_of_a_kind_without_a_reason() -> None:
    assert [f"{name}: {one.action}" for name, one in every() if not one.excused] == []


def test_every_reason_is_needed() -> None:
    used = {(one.action, kind) for _, one in every() for kind in one.wide}
    assert {(a, kind) for a, (kinds, _) in REASONS.items() for kind in kinds} <= used


def test_a_statement_that_grows_wide_is_noticed() -> None:
    """Each change that AWS has resources for, on everything and then without its condition: nothing
    passes but what touches a kind that has a reason."""
    changing = [(name, one) for name, one in every() if _is_held(one)]
    wider = [(name, replace(one, resources=("*",), condition="")) for name, one in changing]
    assert [name for name, one in wider if one.excused] == []
    free = [(name, replace(one, condition="")) for name, one in changing if one.condition]
    assert [f"{name}: {one.action}" for name, one in free if one.wide and one.excused] == []
    assert len(wider) > 100
    assert len(free) > 40


def _is_held(one: Allowed) -> bool:
    known = reference.action(one.action)
    return known is not None and known.changes and bool(known.kinds)


def test_a_role_is_passed_by_name_and_to_one_service() -> None:
    passed = [one for _, one in every() if one.action == "iam:PassRole"]
    assert passed
    for one in passed:
        assert "iam:PassedToService = " in one.condition
        assert all("*" not in resource for resource in one.resources)
