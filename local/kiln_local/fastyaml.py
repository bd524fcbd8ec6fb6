"""YAML by libyaml where PyYAML was built with it: ten times as fast, the same result."""

from __future__ import annotations

from typing import Any

import yaml

SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str) -> Any:
    """Plain data from one YAML document."""
    return yaml.load(text, Loader=SafeLoader)  # noqa: S506 - both are safe loaders
