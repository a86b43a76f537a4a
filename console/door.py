"""The one service of this process, as pages and routes reach it in the name of whoever asks.

The server opens and closes it; nothing else does.
"""

from __future__ import annotations

from starlette.requests import Request

from console import sign_in
from sync_core.errors import Retryable
from sync_core.service import Service

STARTING = "Tieout is opening its data. Try again in a moment."


class Door:
    """Closed at first, with the reason why; open once a service stands behind it."""

    def __init__(self) -> None:
        self._service: Service | None = None
        self.reason = STARTING

    @property
    def open(self) -> bool:
        return self._service is not None

    def hold(self, service: Service) -> None:
        self._service, self.reason = service, ""

    def shut(self, reason: str) -> None:
        self._service, self.reason = None, reason

    def service(self) -> Service:
        """Raises Retryable with the reason while there is none."""
        if self._service is None:
            raise Retryable(self.reason)
        return self._service


DOOR = Door()


def service() -> Service:
    """The service as the person at this page may use it. Raises Retryable while it is being opened."""
    return DOOR.service().as_person(sign_in.person())


def service_for(request: Request) -> Service:
    """The same for whoever asks for a file. Raises Forbidden for somebody who is not signed in where people do."""
    return DOOR.service().as_person(sign_in.person_of(request))
