"""What a check finds: a value, nothing more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from kiln.errors import AwsBusy, AwsRefused

# well: as it should be. note: works, and somebody should know. broken: does not work, or will not.
# unknown: AWS did not say.
State = Literal["well", "note", "broken", "unknown"]


@dataclass(frozen=True)
class Finding:
    """`check` is the check's name, `about` the thing that was looked at, `what` one sentence about
    it; `mend` is the command that mends it, or the permission that is lacking."""

    check: str
    about: str
    state: State
    what: str
    mend: str | None = None


def unknown(check: str, error: AwsRefused | AwsBusy) -> Finding:
    """What remains of a check that AWS refused to answer."""
    if isinstance(error, AwsBusy):
        return Finding(check, "aws", "unknown", str(error), "kiln doctor")
    if error.code == "NoOutputs":
        # Nothing that AWS refused: the template that is deployed is too old to say.
        return Finding(check, "template", "unknown", error.message, "make deploy")
    action = f"{error.service}:{error.operation}"
    why = f"AWS does not say: {error}"
    return Finding(check, action, "unknown", why, f"let whoever asks do {action}, then kiln doctor")


def status_of(findings: Iterable[Finding]) -> int:
    """The exit status: 1 where something is broken, else 3 where AWS did not say, else 0."""
    states = Counter(finding.state for finding in findings)
    if states["broken"]:
        return 1
    return 3 if states["unknown"] else 0
