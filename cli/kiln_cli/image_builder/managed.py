"""Components and images of AWS's own, by the names that Image Builder lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln_cli.image_builder.estate import ARN

if TYPE_CHECKING:
    from kiln_cli.image_builder.components import Made

# What Kiln does anyway, or has a step for.
_NEEDLESS = ("simple-boot-test-linux", "simple-boot-test-windows", "reboot-test-linux")
_REBOOTS = ("reboot-linux", "reboot-windows")
UPDATE = """\
#!/bin/sh -e
if command -v dnf >/dev/null; then
    dnf -y upgrade
elif command -v yum >/dev/null; then
    yum -y update
else
    export DEBIAN_FRONTEND=noninteractive
    apt-get update
    apt-get -y dist-upgrade
fi
"""
_ANSWER = "Kiln boots a clone of every image and looks at it anyway"


def add_managed(arn: str, made: Made) -> bool:
    """Add what one of AWS's own components does; whether it is one that is known here."""
    found = ARN.match(arn)
    if not found or found["owner"] != "aws":
        return False
    name, steps = found["name"], made.steps
    about = f"component {name}"
    if name in _NEEDLESS:
        steps.notes.drop(about, "componentArn", _ANSWER)
    elif name in _REBOOTS:
        steps.add(about, "restart", {"reboot": True})
    elif name == "update-linux" and not steps.windows:
        steps.script(about, "update the system", UPDATE)
    elif name == "update-windows" and steps.windows:
        add_windows_update(about, steps)
    else:
        return False
    return True


def add_windows_update(about: str, steps: Any) -> None:
    """AWS's own document, which restarts by itself where it has to (AWS-InstallWindowsUpdates)."""
    document = {"name": "AWS-InstallWindowsUpdates", "parameters": {"Action": "Install"}}
    steps.add(about, "update the system", {"document": document})
    steps.notes.want(
        about, "UpdateOS", "let the template's ExtraDocuments name AWS-InstallWindowsUpdates"
    )
