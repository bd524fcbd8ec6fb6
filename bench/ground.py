"""The local AWS that rooms of this folder measure in: the project's own, served on loopback."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.machine import ROOT, environment
from kiln_cli.local import tell_outputs
from kiln_cli.place import make_place
from kiln_local.world import LocalAws


@dataclass(frozen=True)
class Ground:
    """A local AWS and where it is served."""

    aws: LocalAws
    endpoint: str

    def environ(self, key: str) -> dict[str, str]:
        """The environment of a command that works there, whose calls are known by this key."""
        return environment() | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": self.aws.region,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": key,
        }


@contextmanager
def ground(speed: float = 1.0, **options: Any) -> Iterator[Ground]:
    """A fresh local AWS, as `kiln local up` has it; `options` are those of LocalAws."""
    # A measurement that is terminated ends its processes as an interrupted one does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    before = dict(os.environ)
    os.environ.clear()
    os.environ |= environment()
    for name in ("moto", "werkzeug"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with LocalAws(ROOT, speed=speed, **options) as aws:
            tell_outputs(make_place(aws.session(), "kiln", aws.outputs))
            yield Ground(aws, aws.serve(0))
    finally:
        os.environ.clear()
        os.environ |= before
