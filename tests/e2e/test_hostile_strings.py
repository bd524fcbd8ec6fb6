"""Quotes, substitutions and braces in every string of a blueprint and a stack: data, never code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kiln_cli import opening
from kiln_cli.opening import Opened
from tests.e2e.running import bake, write

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]

MARK = "/srv/executed"
HOSTILE = (
    f'it\'s "quoted" $(touch {MARK}) `touch {MARK}` ; touch {MARK} & | > {MARK}\n'
    f"second line {{{{ ssm:x }}}} {{{{ Script }}}} {{% $states %}} ${{HOME}} $$ \\n \\ %s !x é 字"
)
LINE = " ".join(HOSTILE.split())


def hostile_steps(script: str) -> list[dict[str, Any]]:
    """Each way for a text to reach a builder."""
    return [
        {
            "name": f"`touch {MARK}` $(x) {{{{ Name }}}} '\"\n$$",
            "environment": {"VALUE": HOSTILE, "EMPTY": ""},
            "shell": 'mkdir -p /srv && printf %s "$VALUE" > /srv/value && test -z "$EMPTY"',
        },
        {"name": "from S3", "script": {"s3": script}, "environment": {"VALUE": HOSTILE}},
        {"name": "a script", "shell": f"cat > /srv/script <<'END'\n{HOSTILE}\nEND\n"},
    ]


def proofs() -> list[dict[str, Any]]:
    """On the clone: what arrived is what was written, and nothing else happened."""

    def same(name: str, file: str, text: str) -> dict[str, Any]:
        shell = f'printf %s "$VALUE" | cmp - /srv/{file}'
        return {"name": name, "environment": {"VALUE": text}, "shell": shell}

    return [
        same(f"'\"$(touch {MARK})", "value", HOSTILE),
        same("the script from S3 ran", "from-s3", HOSTILE),
        same("the script is as it was written", "script", HOSTILE + "\n"),
        {"name": "nothing was executed", "shell": f"! test -e {MARK}"},
    ]


def hostile_blueprint(script: str) -> dict[str, Any]:
    """Every text of a blueprint that may hold any character holds the worst ones."""
    return {
        "description": HOSTILE,
        "steps": hostile_steps(script),
        "clean": {
            "also_remove": [f"/srv/r$(touch {MARK})'\"`x` {{{{ Keep }}}}"],
            "keep": [f"/srv/k$(touch {MARK})'\"`x` {{{{ Keep }}}}"],
        },
        "verify": {"steps": proofs()},
        "image": {
            "name": "it's [a] (b) ./-@_ {blueprint}-{date}-{time}",
            "tags": {LINE[:100]: LINE[:200], "team": HOSTILE},
        },
        "layers": [{"layer": "hostile/web", "strategy": "add"}],
    }


def hostile_stack() -> dict[str, Any]:
    """The same for a stack."""
    layer = {
        "name": "web",
        "kind": "instances",
        "platform": "amazon-linux-2023",
        "instance_type": "m7i.large",
        "custom_json": {HOSTILE: [HOSTILE]},
        # A recipe is a script: what it quotes stays quoted, and what it reads is what was written.
        "recipes": {
            "setup": [f"mkdir -p /srv && cat > /srv/recipe <<'END'\n{HOSTILE}\nEND\n"],
            "deploy": [
                f"cmp /srv/recipe - <<'END'\n{HOSTILE}\nEND\n",
                'grep -q "executed" "$KILN_ATTRIBUTES"',
                f"! test -e {MARK}",
            ],
        },
    }
    return {
        "kind": "stack",
        "name": "hostile",
        "custom_json": {HOSTILE: HOSTILE},
        "layers": [layer],
    }


def test_no_string_is_executed_and_none_breaks_a_bake(at: Opened, tmp_path: Path) -> None:
    stack = tmp_path / "stack.yaml"
    stack.write_text(yaml.safe_dump(hostile_stack()))
    opening.apply_stacks({"local": True, "stacks": [stack]}, None, at.place)
    key, bucket = f'it\'s $(touch {MARK})/`a` "b" {{{{ c }}}}.sh', at.place.outputs["BucketName"]
    body = b'printf %s "$VALUE" > /srv/from-s3\n'
    at.place.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    document = hostile_blueprint(f"s3://{bucket}/{key}")
    result = bake(write(tmp_path, name="hostile", **document), at)
    assert (result.bake.status, result.bake.cause) == ("SUCCEEDED", None)
    assert result.succeeded
    assert result.image is not None
    assert result.image.tags["team"] == HOSTILE
    assert result.image.tags[LINE[:100]] == LINE[:200]
    assert result.leaks == ()
    assert not Path(MARK).exists()


def test_a_failure_of_a_hostile_step_is_told_as_it_is(at: Opened, tmp_path: Path) -> None:
    steps = [{"name": "say it", "environment": {"V": LINE}, "shell": 'printf %s "$V" >&2; exit 7'}]
    result = bake(write(tmp_path, steps=steps), at)
    assert result.bake.error == "StepFailed"
    assert LINE in (result.bake.cause or "")
