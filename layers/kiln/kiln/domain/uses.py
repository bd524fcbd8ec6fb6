"""What uses an image, in one Region: every kind of thing that would miss it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kiln.domain.model import Model

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal[
    "instance",
    "launch-template",
    "autoscaling-group",
    "launch-configuration",
    "fleet",
    "parameter",
    "channel",
    "layer",
    "rollback",
    "rollout",
    "layer-instance",
    "blueprint",
    "image",
    "bake",
    "distribution",
    "other-account",
    "public",
]
# Where an image runs or would be launched from; the others only want it kept.
RUNS: frozenset[Kind] = frozenset(
    {
        *("instance", "launch-template", "autoscaling-group", "launch-configuration", "fleet"),
        *("parameter", "channel", "layer", "layer-instance", "rollout"),
    }
)


class Use(Model):
    """One thing that uses an image. `image` is its id in that Region, `name` what it is called,
    `detail` how it uses it; of an instance of a layer `layer` and `hostname` say which."""

    kind: Kind
    name: str
    image: str
    detail: str = ""
    layer: str = ""
    hostname: str = ""

    @property
    def label(self) -> str:
        """For a person: `instance i-1 (stopped) web1 of shop/web`."""
        words = [self.kind.replace("-", " "), self.name]
        words += [f"({self.detail})"] if self.detail else []
        words += [self.hostname] if self.hostname else []
        words += [f"of {self.layer}"] if self.layer else []
        return " ".join(words)


def by_image(uses: Iterable[Use]) -> dict[str, tuple[Use, ...]]:
    """Uses by the image, each once, in a fixed order."""
    found: dict[str, list[Use]] = {}
    for use in sorted(set(uses), key=lambda use: (use.kind, use.name, use.detail)):
        found.setdefault(use.image, []).append(use)
    return {image: tuple(rows) for image, rows in found.items()}
