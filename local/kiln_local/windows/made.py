"""Streams and mutexes: .NET objects that do something by themselves."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from typing import Any

from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.values import Bag

# What a script's values may hold here.
_MOST = 1_000_000
_MUTEXES: dict[tuple[str, str], Any] = {}


class Stream(Bag):
    """Bytes in memory. A script reaches them by methods alone."""

    def __init__(self, data: bytes, methods: list[tuple[str, Callable[..., Any]]]) -> None:
        self.data = bytearray(data)
        super().__init__([("copyto", self._copy_to), *methods], "stream")

    def _copy_to(self, target: Any) -> None:
        if not isinstance(target, Stream) or target is self:
            raise ScriptError("Cannot convert the value to type System.IO.Stream.")
        target.data += self.content()

    def content(self) -> bytes:
        """All that can be read from it."""
        return bytes(self.data)


class _Gzip(Stream):
    def __init__(self, source: Stream) -> None:
        self._source = source
        super().__init__(b"", [])

    def content(self) -> bytes:
        # A stream that ends too early ends without an error in .NET Framework.
        reader = zlib.decompressobj(wbits=31)
        try:
            found = reader.decompress(self._source.content(), _MOST)
        except zlib.error as error:
            raise ScriptError(f"The magic number in GZip header is not correct: {error}") from error
        if reader.unconsumed_tail:
            raise NotHere("so large a value")
        return found


def memory_stream(data: bytes) -> Stream:
    """MemoryStream, read from its start and written at its end."""
    made = Stream(data, [])
    made.set("toarray", lambda: list(made.data))
    return made


def gzip_reader(source: Any) -> Stream:
    """GZipStream that decompresses a stream."""
    if not isinstance(source, Stream):
        raise ScriptError("Cannot convert the value to type System.IO.Stream.")
    return _Gzip(source)


def mutex(machine: Any, name: str) -> Bag:
    """A mutex of the whole machine, which its holder may take again; whoever holds it when its
    process ends lets it go."""
    lock = _MUTEXES.setdefault((str(machine.root), name), threading.RLock())

    def wait() -> bool:
        lock.acquire()
        machine.held.append(lock)
        return True

    def release() -> None:
        if lock not in machine.held:
            raise ScriptError("Object synchronization method was called from an unowned block.")
        machine.held.remove(lock)
        lock.release()

    return Bag([("waitone", wait), ("releasemutex", release)], "mutex")
