"""A machine on which a layer's recipes run, and what they are given."""

from __future__ import annotations

import base64
import gzip
import hashlib

from kiln_local.machines import StepRun
from kiln_local.machines.asking import Answer
from tests.sandbox.bakery import BUILDER, Bakery, Row, parsed, text_of

ROW = Row("ubuntu-22.04")
RUN = parsed(text_of("run-recipes-linux"))
CURRENT = "/var/lib/kiln/current"
RUNS = "/var/lib/kiln/runs"
URL = "https://bucket.example.org/run.gz?X-Signature=secret"


def b64(data: str | bytes) -> str:
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


def lines(*scripts: str | bytes) -> str:
    """Scripts as the parameter carries them."""
    return b64("\n".join(map(b64, scripts)))


def pack(files: dict[str, str]) -> bytes:
    """Files as the document reads them."""
    contents = {path: text.encode() for path, text in files.items()}
    index = "".join(f"{len(content)} {path}\n" for path, content in contents.items())
    return gzip.compress(index.encode() + b"\n" + b"".join(contents.values()), mtime=0)


class Layer:
    """An instance of a layer."""

    def __init__(self, bakery: Bakery, instance: str = BUILDER) -> None:
        self.bakery, self.instance = bakery, instance

    def send(self, event: str = "setup", **parameters: str) -> StepRun:
        """Run the document with parameters as they are."""
        given = {"Event": event, "Layer": "web"} | parameters
        run = self.bakery.run(self.instance, RUN, **given)
        return run.steps[0]

    def run(
        self, *scripts: str | bytes, event: str = "setup", files: dict[str, str] | None = None
    ) -> StepRun:
        """Run recipes with files."""
        packed = b64(pack(files)) if files is not None else ""
        return self.send(event, Recipes=lines(*scripts), Files=packed)

    def place(self, files: dict[str, str], event: str = "setup") -> StepRun:
        """Put files in place, and no more."""
        return self.send(event, Files=b64(pack(files)))

    def fetch(self, packed: bytes, url: str = URL, sha256: str | None = None) -> StepRun:
        """Put files in place that lie at an address."""
        self.serve(packed)
        digest = sha256 or hashlib.sha256(packed).hexdigest()
        return self.send(FilesUrl=b64(url), FilesSha256=digest)

    def serve(self, content: bytes) -> None:
        """Answer any address with this."""
        self.bakery.room.answer = lambda *_: Answer(0, "", content)

    def program(self, path: str, script: str) -> None:
        """A program of the instance's own in place of another."""
        self.sh(f"rm -f {path}; cat >{path} <<'HERE'\n#!/bin/sh\n{script}\nHERE\nchmod 755 {path}")

    def sh(self, script: str) -> str:
        """What a shell prints there."""
        return self.bakery.sh(self.instance, script)
