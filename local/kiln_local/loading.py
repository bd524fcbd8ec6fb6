"""One loader of botocore's models for all sessions of this process; imported before moto.

Each session would read them anew, and moto makes dozens: that costs more than a bake.
"""

from __future__ import annotations

import os
from typing import Any

import botocore.session
from botocore.loaders import create_loader

# Before moto is imported: its own public images would be loaded otherwise.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")

_LOADER = create_loader()


def _shared(_search_path: str | None = None) -> Any:
    return _LOADER


botocore.session.create_loader = _shared  # type: ignore[assignment]
