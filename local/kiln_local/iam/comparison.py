"""What roles allow beside what they were used for, statement by statement, action by action."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kiln_local.iam.ledger import Use
from kiln_local.iam.principals import identity, role_of
from kiln_local.iam.statements import Statement, of


@dataclass(frozen=True)
class Row:
    """One action of one statement of a caller's role, and the operations that it was used by."""

    caller: str
    statement: Statement
    action: str
    used_by: tuple[str, ...]

    @property
    def where(self) -> str:
        """The row as a failing test names it."""
        return f"{self.caller}: statement {self.statement.index}, {self.action}"


def compared(roles: Mapping[str, str], uses: Iterable[Use]) -> list[Row]:
    """Every action that the roles of a run allow, in the order of the template."""
    used: dict[tuple[str, str, int, str], dict[str, None]] = {}
    for use in uses:
        for grant in use.grants:
            place = use.caller, grant.policy, grant.index, grant.action
            used.setdefault(place, {})[use.operation] = None
    return [
        Row(caller, one, action, tuple(used.get((caller, one.policy, one.index, action), ())))
        for caller, role in roles.items()
        for one in _allowed(role)
        for action in one.actions
    ]


def _allowed(role: str) -> Iterator[Statement]:
    found = role_of(role)
    yield from of(identity(found) if found else [], "Allow")


def unused_resources(rows: Iterable[Row], uses: Iterable[Use]) -> list[str]:
    """Resources that a statement names and that none of its actions was used on."""
    used = {(u.caller, g.policy, g.index, g.resource) for u in uses for g in u.grants}
    statements = {(row.caller, row.statement.policy, row.statement.index): row for row in rows}
    return [
        f"{caller}: statement {index}, {', '.join(row.statement.actions)} on {resource}"
        for (caller, policy, index), row in statements.items()
        for resource in row.statement.resources
        if (caller, policy, index, resource) not in used
    ]
