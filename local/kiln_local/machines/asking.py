"""How a program inside an instance, which has no network, asks the local AWS.

The stand-in `kiln-local-ask` leaves a folder below /run/kiln-local/asking with its words and
perhaps a file; whoever runs a document looks there, answers into the same folder, and the program
goes on. What lies there is the instance's: it is opened without following any link, so that
nothing inside can make the host read or write a file of its own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_FOLDERS = ("run", "kiln-local", "asking")
_PAUSE_S = 0.01
_MOST_WORDS = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """How what was asked for ended: an exit status, what is to be printed (on standard output for
    status 0, else on standard error), and a file's content, if it was about one."""

    status: int
    said: str = ""
    body: bytes | None = None


# Words of the program, and the content of the file that it sends along, if any.
Answering = Callable[[Sequence[str], bytes | None], Answer]


def nobody(words: Sequence[str], _: bytes | None) -> Answer:
    """The answer where no local AWS is around the machine room."""
    return Answer(1, f"local AWS: {words[0]} has nobody to ask here\n")


@contextmanager
def answering(root: Path, answer: Answering) -> Iterator[None]:
    """Answer what programs on an instance ask, until the block ends."""
    ended = threading.Event()
    thread = threading.Thread(target=_serve, args=(root, answer, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _serve(root: Path, answer: Answering, ended: threading.Event) -> None:
    while not ended.wait(_PAUSE_S):
        # The instance may be gone, or be making the folders right now: there is a next time.
        with suppress(OSError), _place(root) as place:
            for name in os.listdir(place):  # noqa: PTH208 - of a descriptor
                with suppress(OSError), _folder(name, place) as question:
                    _answer(question, answer)


@contextmanager
def _place(root: Path) -> Iterator[int]:
    """The folder of questions, reached through folders alone."""
    with ExitStack() as stack:
        place = stack.enter_context(_folder(str(root), None))
        for name in _FOLDERS:
            place = stack.enter_context(_folder(name, place))
        yield place


@contextmanager
def _folder(name: str, parent: int | None) -> Iterator[int]:
    descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _answer(question: int, answer: Answering) -> None:
    names = set(os.listdir(question))
    if "asked" not in names or "status" in names:
        return
    words = _read(question, "asked")[:_MOST_WORDS].decode(errors="replace").split("\0")[:-1]
    sent = _read(question, "sent") if "sent" in names else None
    given = answer(words, sent) if words else Answer(2, "local AWS: nothing was asked\n")
    if given.body is not None:
        _write(question, "body", given.body)
    _write(question, "said", given.said.encode())
    # Last and by its name all at once: whoever sees a status sees the rest as well.
    _write(question, "status.new", f"{given.status}\n".encode())
    os.rename("status.new", "status", src_dir_fd=question, dst_dir_fd=question)


def _read(question: int, name: str) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    with os.fdopen(os.open(name, flags, dir_fd=question), "rb") as file:
        return file.read()


def _write(question: int, name: str, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(name, flags, 0o644, dir_fd=question), "wb") as file:
        file.write(content)
