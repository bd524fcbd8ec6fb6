"""Checkov over one expanded template, for tools/check_template.py: prints findings as JSON.

Runs in .venv-scan, which has checkov and not Kiln. Checkov's command would ask its vendor's service
for guidelines and for a newer version of itself; its library does not, and here no connection can
be made at all.
"""

from __future__ import annotations

import json
import sys
from typing import Any

_CONNECTS = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname")


def refuse_connections(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook (sys.addaudithook): a scan that calls home ends."""
    # Checkov's workers talk to it by pipes and by sockets with a path.
    if event in _CONNECTS and not isinstance(arguments[-1], str):
        raise PermissionError(f"the scan asked for {event} {arguments!r}; it may not")


def main() -> None:
    """`scan_template.py FILE`: one object with the findings and with how much was looked at."""
    sys.addaudithook(refuse_connections)
    # After the hook, so that nothing is asked by the import either.
    from checkov.cloudformation.runner import Runner  # noqa: PLC0415
    from checkov.runner_filter import RunnerFilter  # noqa: PLC0415

    only = RunnerFilter(framework=["cloudformation"])
    report = Runner().run(root_folder=None, files=[sys.argv[1]], runner_filter=only)
    found = [
        {"check": one.check_id, "name": one.check_name, "resource": one.resource}
        for one in (*report.failed_checks, *report.skipped_checks)
    ]
    looked = {"findings": found, "passed": len(report.passed_checks)}
    print(json.dumps(looked | {"unread": list(report.parsing_errors)}))


if __name__ == "__main__":
    main()
