"""Faults of AWS calls, request by request: what a client that tries again sends is another request,
and counts. Requests of Kiln's functions and state machines alone; the command line, tests and other
clients meet none.

moto answers in-process clients where botocore would send; that is where a request is refused, held
up, doubled or lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from moto.core.botocore_stubber import BotocoreStubber

from kiln_local import recorder
from kiln_local.clock import SimClock
from kiln_local.faults import answers
from kiln_local.faults.engine import Faults, Occasion
from kiln_local.faults.model import Fault
from kiln_local.functions import Functions
from kiln_local.lives import life, wait
from kiln_local.patches import Patches

Send = Callable[[], Any]


class Calls:
    """Stands between botocore and moto."""

    def __init__(self, faults: Faults, clock: SimClock, functions: Functions) -> None:
        self._faults = faults
        self._clock = clock
        self._functions = functions

    def connect(self, patches: Patches) -> None:
        """Patch moto's answer to in-process clients."""
        answered = BotocoreStubber.__call__

        def call(stub: Any, event_name: str, request: Any, **more: Any) -> Any:
            def send() -> Any:
                return answered(stub, event_name, request, **more)

            if not stub.enabled:
                return send()
            with self._clock.working():
                if recorder.caller.get() is None:
                    return send()
                return self._send(event_name, request, send)

        patches.set(BotocoreStubber, "__call__", call)

    def _send(self, event_name: str, request: Any, send: Send) -> Any:
        mine = life.get()
        if mine:
            mine.check()
        # `before-send.SERVICE.OPERATION`; botocore's events have the service's id for its name.
        _, service_id, operation = event_name.split(".", 2)
        service = self._service(service_id)
        if (service, operation) == ("lambda", "Invoke"):
            # What happens to the function itself is a matter of the invocation.
            occasion = Occasion("invocation", service, operation, self._invoked(request))
            fault = self._faults.due(occasion, ("error",))
        else:
            function = mine.function if mine else ""
            fault = self._faults.due(Occasion("call", service, operation, function))
        return self._act(fault, service, request, send) if fault else send()

    def _invoked(self, request: Any) -> str:
        """The function that an Invoke names: `/2015-03-31/functions/NAME or ARN/invocations`."""
        name = unquote(request.url).partition("/functions/")[2].partition("/")[0]
        return self._functions.folder(name.rpartition(":")[2])

    def _service(self, service_id: str) -> str:
        return self._faults.services.get(service_id, service_id)

    def _act(self, fault: Fault, service: str, request: Any, send: Send) -> Any:
        if fault.error:
            return answers.answer(service, request, fault.error)
        if fault.delay_s:
            return self._late(fault.delay_s, request, send)
        if fault.crash == "before":
            return self._crash(fault)
        send()
        if fault.crash:
            return self._crash(fault)
        if fault.drop:
            raise ConnectionClosedError(endpoint_url=request.url)
        # Twice on its way: the client gets the second answer.
        request.reset_stream()
        return send()

    def _crash(self, fault: Fault) -> None:
        mine = life.get()
        if mine:
            mine.end(fault.by or "exit", self._clock)

    def _late(self, delay_s: float, request: Any, send: Send) -> Any:
        patience = recorder.patience.get()
        try:
            wait(min(delay_s, patience), self._clock)
        finally:
            # Whoever has given up waiting: AWS acts all the same.
            response = send()
        if delay_s >= patience:
            raise ReadTimeoutError(endpoint_url=request.url)
        return response
