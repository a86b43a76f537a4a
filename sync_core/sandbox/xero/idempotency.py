"""Idempotency-Key: the first answer to a key is given again for six minutes, whatever it was."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from sync_core.sandbox.kernel import Kernel
from sync_core.sandbox.xero.errors import problem

LIFE = timedelta(minutes=6)
LONGEST = 128


class Replays:
    """The remembered answers of one app at one organisation. A key counts from its first call."""

    def __init__(self, kernel: Kernel, scope: str, key: str, method: str, url: str, body: bytes) -> None:
        if len(key) > LONGEST:
            raise problem(400, "BadRequest", f"Idempotency Key: must not be longer than {LONGEST} characters.")
        self.kernel, self.key = kernel, key
        self.id = f"{scope}/{key}"
        self.digest = hashlib.sha256(f"{method} {url}\n".encode() + body).hexdigest()
        self.rows = kernel.collection("xero.idempotency")

    def earlier(self) -> tuple[int, bytes] | None:
        """The status and body of the first answer, or None. Another request under the same key is refused."""
        row = self.rows.get(self.id)
        if row is None or self.kernel.clock.now() - row["at"] >= LIFE:
            return None
        if row["digest"] != self.digest:
            raise problem(400, "BadRequest", f"Idempotency Key: {self.key} is used with a different request.")
        return row["status"], row["body"].encode()

    def remember(self, status: int, body: bytes) -> None:
        """Keep an answer, and forget those that are too old."""
        now = self.kernel.clock.now()
        for stale in [i for i, row in self.rows.items() if now - row["at"] >= LIFE]:
            self.rows.remove(stale)
        row = {"at": now, "digest": self.digest, "status": status, "body": body.decode()}
        self.rows.put(self.id, row)
