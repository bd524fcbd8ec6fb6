"""A machine on which applications are put in place, and where they come from."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from kiln_local.machines import StepRun
from kiln_local.machines.asking import Answer
from tests.sandbox.bakery import BUILDER, Bakery, Row, parsed, text_of

ROW = Row("ubuntu-22.04")
PLACE = parsed(text_of("place-app"))
PATH = "/srv/shop"
REPOSITORY = "file:///srv/git/shop"
COMMIT = """
set -eu
mkdir -p /srv/git; cd /srv/git; export HOME=/root
[ -d shop ] || git init -q --template= shop
cd shop; git config user.name a; git config user.email a@example.org
mkdir -p bin; printf '#!/bin/sh\\necho %s\\n' "$1" >bin/shop; chmod 755 bin/shop
ln -sf shop bin/link
git add -A; git commit -q -m "$1"; git rev-parse HEAD
"""


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def git(revision: str, repository: str = REPOSITORY) -> dict[str, str]:
    """A source in git."""
    return {"type": "git", "repository": repository, "revision": revision}


class Machine:
    """An instance on which applications are put in place."""

    def __init__(self, bakery: Bakery, instance: str = BUILDER) -> None:
        self.bakery, self.instance = bakery, instance

    def place(self, source: dict[str, Any], path: str = PATH) -> StepRun:
        """Run the document."""
        text = json.dumps(source, sort_keys=True)
        run = self.bakery.run(self.instance, PLACE, Source=encoded(text), Path=encoded(path))
        return run.steps[0]

    def placed(self, source: dict[str, Any], path: str = PATH) -> str:
        """What it says; it must end well."""
        step = self.place(source, path)
        assert step.exit_code == 0, step
        return step.stdout

    def refused(self, source: dict[str, Any], path: str = PATH) -> str:
        """Why it fails, the last line of it."""
        step = self.place(source, path)
        assert step.exit_code != 0, step
        return step.stderr.splitlines()[-1]

    def sh(self, script: str) -> str:
        """What a shell prints there."""
        return self.bakery.sh(self.instance, script)

    def commit(self, text: str) -> str:
        """A new commit of the repository on this machine."""
        ended = self.bakery.room.enter(self.instance, ["sh", "-c", COMMIT, "sh", text])
        assert ended.exit_code == 0, ended
        return ended.stdout.decode().strip()

    def record(self, path: str = PATH) -> dict[str, str]:
        """What the machine knows of an application."""
        digest = hashlib.sha256(path.encode()).hexdigest()
        found: dict[str, str] = json.loads(self.sh(f"cat /etc/kiln/apps/{digest}.json"))
        return found

    def state(self, path: str = PATH) -> str:
        """Every file of the application and its record, with times and inodes."""
        return self.sh(f"find {path} /etc/kiln -printf '%p %i %T@ %C@ %m %u\\n' | sort")

    def archive(self, content: bytes, name: str = "a") -> str:
        """The URL of a file on this machine."""
        (self.bakery.room.root(self.instance) / "srv" / name).write_bytes(content)
        return f"http://127.0.0.1/srv/{name}"


def served_by(machine: Machine) -> Any:
    """Answers for addresses as a web server on the instance's /srv would."""

    def answer(words: Sequence[str], _: bytes | None) -> Answer:
        file = machine.bakery.room.root(machine.instance) / words[-1].removeprefix(
            "http://127.0.0.1/"
        )
        return Answer(0, "", file.read_bytes()) if file.exists() else Answer(22, "curl: (22) 404\n")

    return answer


def http(machine: Machine, content: bytes, name: str = "a") -> dict[str, str]:
    """A source that is a file on the machine."""
    digest = hashlib.sha256(content).hexdigest()
    return {"type": "http", "url": machine.archive(content, name), "sha256": digest}
