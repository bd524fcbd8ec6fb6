"""What tests need to know of any step."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel


def request_of(step: Callable[..., Any]) -> type[BaseModel]:
    """The model of what a step is asked: its first parameter. The others are for readers alone, and
    what they name is imported for type checkers."""
    first = next(iter(inspect.signature(step).parameters.values()))
    found: type[BaseModel] = vars(inspect.getmodule(step))[first.annotation]
    return found
