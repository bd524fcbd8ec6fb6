"""The local AWS over HTTP on 127.0.0.1, for the aws command, boto3 and any other client."""

from __future__ import annotations

import socket
import threading
from typing import Any


class Server:
    """moto's own application on the same backends, in a thread."""

    def __init__(self, port: int) -> None:
        from moto.moto_server.werkzeug_app import (
            DomainDispatcherApplication,
            MotoRequestHandler,
            create_backend_app,
        )
        from werkzeug.serving import make_server

        _check_free(port)
        application = DomainDispatcherApplication(create_backend_app)
        self._server: Any = make_server(
            "127.0.0.1",
            port,
            application,
            threaded=True,
            request_handler=_quiet(MotoRequestHandler),
        )
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join(timeout=5)


def _check_free(port: int) -> None:
    # werkzeug ends the whole process where it finds a port taken.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def _quiet(handler: type[Any]) -> type[Any]:
    class Quiet(handler):  # type: ignore[misc]
        def log(self, *_: Any) -> None:
            """Nothing: standard output belongs to the command."""

    return Quiet
