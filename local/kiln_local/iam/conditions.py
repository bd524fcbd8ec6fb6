"""The Condition element: every operator of IAM, with IfExists, ForAllValues, ForAnyValue and Null.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators". A key that a call does not
have makes a condition false, but for the operators with Not, those with IfExists and Null.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from kiln_local.iam.patterns import Keys, arn_like, filled, like, plain

Test = Callable[[str, str], bool]


class UnknownOperator(ValueError):
    """A policy names a condition operator that IAM does not have; it would not take the policy."""


def _ip(wanted: str, found: str) -> bool:
    return ipaddress.ip_address(found) in ipaddress.ip_network(wanted, strict=False)


def _moment(text: str) -> float:
    if text.replace(".", "").isdigit():
        return float(text)
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _compared(read: Callable[[str], float], test: Callable[[float, float], bool]) -> Test:
    """`test(found, wanted)` on numbers or moments; what is neither matches nothing."""

    def compare(wanted: str, found: str) -> bool:
        try:
            return test(read(found), read(wanted))
        except ValueError:
            return False

    return compare


_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda found, wanted: found == wanted,
    "LessThan": lambda found, wanted: found < wanted,
    "LessThanEquals": lambda found, wanted: found <= wanted,
    "GreaterThan": lambda found, wanted: found > wanted,
    "GreaterThanEquals": lambda found, wanted: found >= wanted,
}
_TESTS: dict[str, Test] = {
    "StringEquals": lambda wanted, found: plain(wanted) == found,
    "StringEqualsIgnoreCase": lambda wanted, found: plain(wanted).lower() == found.lower(),
    "StringLike": like,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "Bool": lambda wanted, found: wanted.lower() == found.lower(),
    "BinaryEquals": lambda wanted, found: wanted == found,
    "IpAddress": _ip,
    **{f"Numeric{name}": _compared(float, order) for name, order in _ORDERS.items()},
    **{f"Date{name}": _compared(_moment, order) for name, order in _ORDERS.items()},
}
_NEGATED: dict[str, str] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}


def hold(conditions: Mapping[str, Any], keys: Keys) -> bool:
    """Whether all conditions of a statement hold for a call's keys, which are in lower case."""
    return all(
        _holds(operator, key, listed(values), keys)
        for operator, wanted in conditions.items()
        for key, values in wanted.items()
    )


def listed(value: Any) -> list[str]:
    """A value or a list of values, as text: JSON's true is IAM's "true"."""
    values = value if isinstance(value, list | tuple) else [value]
    return [str(v).lower() if isinstance(v, bool) else str(v) for v in values]


def _holds(operator: str, key: str, wanted: list[str], keys: Keys) -> bool:
    given = keys.get(key.lower())
    if operator == "Null":
        return (given is None) == (wanted[0].lower() == "true")
    scope, _, name = operator.rpartition(":")
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = name in _NEGATED
    test = _TESTS.get(_NEGATED.get(name, name))
    if test is None or scope not in ("", "ForAllValues", "ForAnyValue"):
        raise UnknownOperator(f"{operator} is no condition operator of IAM")
    if given is None:
        return _without(scope, negated, optional)
    values = [given] if isinstance(given, str) else list(given)
    filled_in = [text for text in (filled(one, keys) for one in wanted) if text is not None]
    return _over(scope, (_one(test, filled_in, value) is not negated for value in values))


def _without(scope: str, negated: bool, optional: bool) -> bool:
    if scope == "ForAllValues":
        return True
    if scope == "ForAnyValue":
        return False
    return optional or negated


def _over(scope: str, results: Iterable[bool]) -> bool:
    return any(results) if scope == "ForAnyValue" else all(results)


def _one(test: Test, wanted: list[str], found: str) -> bool:
    return any(test(one, found) for one in wanted)
