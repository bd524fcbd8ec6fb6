"""The steps of a blueprint: each has a name and exactly one action."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from kiln.domain.app import App
from kiln.domain.durations import RunTime
from kiln.domain.model import Model, Text
from kiln.domain.platforms import Family

# A document is at most 64 KB with its parameters (SSM User Guide); base64 costs a third of that.
LONGEST_SCRIPT = 36_000
ACTIONS = ("shell", "powershell", "script", "chef", "ansible", "document", "app", "reboot")

StepName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]


def _script(text: str) -> str:
    if not text.strip():
        raise ValueError("the script is empty; give at least one command")
    if len(text.encode()) > LONGEST_SCRIPT:
        raise ValueError(
            f"the script is longer than {LONGEST_SCRIPT} bytes; put it in S3 and use script: "
            f"{{s3: ...}}"
        )
    if "\0" in text:
        raise ValueError("the script holds a NUL character, which no shell can read")
    return text


Script = Annotated[str, AfterValidator(_script)]
Source = Annotated[dict[str, Any], Field(min_length=1)]


class ShellFile(Model):
    """A script beside the blueprint; the `kiln` command reads it when it reads the blueprint."""

    file: Text


class S3Script(Model):
    """A script in S3; `version` pins one version of the object."""

    s3: Annotated[str, StringConstraints(pattern=r"^s3://[a-z0-9.-]{3,63}/.+$")]
    version: Text | None = None


class Chef(Model):
    """Recipes run by AWS-ApplyChefRecipes. `source` is the document's SourceInfo with its type."""

    source: Source
    run_list: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_:.\[\]@-]+$")], ...],
        Field(min_length=1),
    ]
    attributes: dict[str, Any] = {}


class Ansible(Model):
    """A playbook run by AWS-ApplyAnsiblePlaybooks."""

    source: Source
    playbook: Text


class Document(Model):
    """Any Systems Manager command document of the account."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/-]{3,200}$")]
    parameters: dict[str, str | list[str]] = {}


class Step(Model):
    """One step. Exactly one of `ACTIONS` says what it does."""

    name: StepName
    shell: Script | ShellFile | None = None
    powershell: Script | ShellFile | None = None
    script: S3Script | None = None
    chef: Chef | None = None
    ansible: Ansible | None = None
    document: Document | None = None
    app: App | None = None
    reboot: Literal[True] | None = None
    environment: dict[EnvironmentName, str] = {}
    timeout: RunTime = "1h"

    @model_validator(mode="before")
    @classmethod
    def _not_empty(cls, given: Any) -> Any:
        if given is None or given == {}:
            raise ValueError(
                "the step is empty; it must be a mapping with a name and exactly one of "
                f"{', '.join(ACTIONS)}"
            )
        return given

    @field_validator("name")
    @classmethod
    def _printable(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("the name is blank")
        return name

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        given = [action for action in ACTIONS if getattr(self, action) is not None]
        if len(given) != 1:
            said = f"has {' and '.join(given)}" if given else "has no action"
            raise ValueError(
                f"step {self.name!r} {said}; it needs exactly one of {', '.join(ACTIONS)}"
            )
        if self.environment and given[0] not in ("shell", "powershell", "script"):
            raise ValueError(
                f"step {self.name!r}: environment goes with shell, powershell and script"
            )
        return self

    @property
    def action(self) -> str:
        """Which of `ACTIONS` this step has."""
        return next(action for action in ACTIONS if getattr(self, action) is not None)

    def check_family(self, family: Family, key: str) -> None:
        """Raise ValueError where the action cannot run on the platform's family; `key` is the
        step's place in the blueprint."""
        windows = family is Family.WINDOWS
        refused = ("shell", "chef", "ansible", "app") if windows else ("powershell",)
        if self.action in refused:
            where = "Windows" if windows else "Linux"
            allowed = ", ".join(action for action in ACTIONS if action not in refused)
            raise ValueError(
                f"{key}.{self.action}: step {self.name!r}: {self.action} does not run on {where}; "
                f"allowed: {allowed}"
            )
