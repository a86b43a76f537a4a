"""The one service of this process, as routes and pages reach it. The server opens and closes it; nothing else does."""

from __future__ import annotations

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
    """The service of this process. Raises Retryable while it is being opened."""
    return DOOR.service()
