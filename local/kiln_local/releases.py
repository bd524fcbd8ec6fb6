"""What publishers do over time: a new image, and sooner or later a parameter that names it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from kiln_local.catalog import PublicImage, public_images
from kiln_local.ec2 import Ec2
from kiln_local.parameters import put_public
from kiln_local.public_images import make_public

_DATE = re.compile(r"(\d{4})(\.?)(\d{2})\2(\d{2})")


class Releases:
    """Releases of public images in one local AWS."""

    def __init__(self, ec2: Ec2, parameters: Any) -> None:
        self._ec2 = ec2
        self._parameters = parameters
        self._known: dict[str, PublicImage] = {}

    def publish(self, parameter: str, after_s: float = 0.0) -> str:
        """A new image like the one that a public parameter names; the parameter names the new one
        after so many simulated seconds. The image's id."""
        image = self.publish_image(self._ec2.public_parameters[parameter])

        def move() -> None:
            put_public(self._parameters, self._ec2, parameter, image)

        if after_s:
            self._ec2.clock.after(after_s, move)
        else:
            move()
        return image

    def publish_image(self, like: str) -> str:
        """A new image like a public one, of the next day by its name. The image's id."""
        before = self._public(like)
        name = next_name(before.name)
        digest = hashlib.sha256(f"{name} {before.architecture}".encode()).hexdigest()
        new = replace(before, id=f"ami-0{digest[:16]}", name=name, parameters=(), deprecated=False)
        image = make_public(self._ec2, new)
        image.creation_date = self._ec2.clock.now().replace(tzinfo=None)
        self._known[new.id] = new
        return new.id

    def _public(self, image: str) -> PublicImage:
        if not self._known:
            self._known = {public.id: public for public in public_images()}
        return self._known[image]


def next_name(name: str) -> str:
    """The name of the release after one."""
    found = _DATE.sub(_next_day, name, count=1)
    return found if found != name else f"{name}-next"


def _next_day(found: re.Match[str]) -> str:
    year, dot, month, day = found.groups()
    after = date(int(year), int(month), int(day)) + timedelta(days=1)
    return f"{after:%Y}{dot}{after:%m}{dot}{after:%d}"
