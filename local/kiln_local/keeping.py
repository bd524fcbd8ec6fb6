"""What takes long to make and is always the same: kept between runs, by the text it is made of."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable

from kiln_local.machines.packages import cache_home


def kept(room: str, text: str, make: Callable[[], bytes]) -> bytes:
    """What `make` gives, from the cache where that text has been made of before. Whole or not at
    all: others may write the same at the same time."""
    name = hashlib.sha256(text.encode()).hexdigest()[:24]
    file = cache_home().parent / room / name
    if file.is_file():
        return file.read_bytes()
    made = make()
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(f".{os.getpid()}")
    draft.write_bytes(made)
    draft.rename(file)
    return made
