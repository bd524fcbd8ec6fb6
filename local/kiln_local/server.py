"""The local AWS over HTTP on 127.0.0.1, for the aws command, boto3 and any other client."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable
from typing import Any

from kiln_local.recorder import Recorder
from kiln_local.wire import asked

Application = Callable[[dict[str, Any], Callable[..., Any]], Any]


class Server:
    """moto's own application on the same backends, in a thread."""

    def __init__(self, port: int, recorder: Recorder) -> None:
        from moto.moto_server.werkzeug_app import (
            DomainDispatcherApplication,
            MotoRequestHandler,
            create_backend_app,
        )
        from werkzeug.serving import make_server

        _check_free(port)
        application = _recorded(DomainDispatcherApplication(create_backend_app), recorder)
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


def _recorded(application: Application, recorder: Recorder) -> Application:
    """The application, which writes down who has called what."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        body = _body(environ)
        told: list[str] = []

        def start(status: str, *rest: Any, **named: Any) -> Any:
            told.append(status)
            return start_response(status, *rest, **named)

        answered = application(environ, start)
        call = asked(environ, body)
        if call:
            failed = told and told[0][:1] in "45"
            recorder.note_request(call.key, call.operation, told[0] if failed else None)
        return answered

    return answer


def _body(environ: dict[str, Any]) -> bytes:
    """The body, which can be read once more."""
    body = bytes(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


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
