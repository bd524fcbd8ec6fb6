"""The dashboard's server: on 127.0.0.1 alone, for reading alone.

A page of another site can make a browser ask any port of this machine, under a name of its own: who
asks for another host than this one gets nothing, and no answer says that others may read it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import unquote, urlsplit

from kiln.errors import KilnError, Refused
from kiln_cli.finding import existing
from kiln_cli.ledgers import AccountLedger
from kiln_cli.pages import board
from kiln_cli.pages.rendering import SERVED_POLICY, render
from kiln_cli.pages.report import page
from kiln_cli.pages.telling import tell
from kiln_cli.place import Place
from kiln_cli.printing import plain

_HTML, _SCRIPT = "text/html; charset=utf-8", "text/javascript; charset=utf-8"
Answer = tuple[HTTPStatus, str, str]


class Pages:
    """What is at each path. One is made at a time: AWS is asked no faster by a second window."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._one = threading.Lock()

    def answer(self, path: str) -> Answer:
        """Status, type and text."""
        found = self._at(path)
        if found is None:
            return HTTPStatus.NOT_FOUND, _HTML, _message("There is nothing here", path)
        kind, make = found
        try:
            with self._one:
                return HTTPStatus.OK, kind, make()
        except Refused as error:
            return HTTPStatus.NOT_FOUND, _HTML, _message("There is no such bake", str(error))
        except KilnError as error:
            return HTTPStatus.BAD_GATEWAY, _HTML, _message("AWS did not answer", str(error))

    def _at(self, path: str) -> tuple[str, Callable[[], str]] | None:
        if path.startswith("/bakes/"):
            return _HTML, lambda: self._report(unquote(path.removeprefix("/bakes/")))
        return {
            "/": (_HTML, self._board),
            "/now": (_HTML, self._now),
            "/live.js": (_SCRIPT, _script),
        }.get(path)

    def _board(self) -> str:
        return render("dashboard.html.j2", policy="", board=board.look(self._place))

    def _now(self) -> str:
        return render("now.html.j2", now=board.look_now(self._place))

    def _report(self, bake: str) -> str:
        with existing(bake):
            told = tell(self._place, AccountLedger(self._place), bake)
        return page(told, policy="", home="/")


def _script() -> str:
    return resources.files("kiln_cli.pages").joinpath("templates/live.js").read_text()


def _message(title: str, text: str) -> str:
    return render("message.html.j2", policy="", title=title, text=plain(text))


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        """Answer, whoever asks for this host."""
        if self.headers.get("Host") not in self.server.hosts:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return
        status, kind, text = self.server.pages.answer(urlsplit(self.path).path)
        body = text.encode()
        self.send_response(status)
        for name, value in _headers(kind, len(body)).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the name is http.server's

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: the terminal is for what goes wrong."""


def _headers(kind: str, size: int) -> dict[str, str]:
    return {
        "Content-Type": kind,
        "Content-Length": str(size),
        "Content-Security-Policy": SERVED_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


class Server(ThreadingHTTPServer):
    """Pages on a port of 127.0.0.1."""

    daemon_threads = True

    def __init__(self, pages: Pages, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.pages = pages
        port = self.server_address[1]
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.server_address[1]}/"


@contextmanager
def serving(place: Place, port: int) -> Iterator[str]:
    """Serve within the block; the address. OSError for a port that cannot be had."""
    with Server(Pages(place), port) as server:
        thread = threading.Thread(target=server.serve_forever, name="dashboard")
        thread.start()
        try:
            yield server.address
        finally:
            server.shutdown()
            thread.join()
