"""Every error that Tieout raises, classed by what helps against it.

    TieoutError
    ├── Configure   a setting, permission or set-up step is wrong: a person mends it, nothing was written
    ├── Refused     a safety rail stopped the run before any write; the plan is kept for a look
    ├── Forbidden   this person may not do it: somebody with the role does, or they sign in again
    ├── Busy        another run holds the organisation, or another process the cache: wait for it
    ├── Retryable   the system could not answer now: the same request may be sent again later
    ├── Expired     a cursor is too old: a full pull is needed
    ├── Rejected    the system refused this record: the record or a rule must change first
    │   └── Stale   the record moved between reading and writing: read it again and decide again
    └── Unknown     the answer was lost: look the record up before sending anything again

Messages are whole sentences that say what happened and what to do next; they never carry secrets or traces.
"""

from __future__ import annotations

from datetime import timedelta


class TieoutError(Exception):
    """Base of all. ``exit_code`` is what the command line ends with; ``detail`` the raw answer for the expander."""

    exit_code = 1

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail

    @property
    def remedy(self) -> str:
        """Which class of the tree above it is, in lower case; callers' own kinds go by the one that they refine."""
        return next(kind.__name__.lower() for kind in type(self).__mro__ if kind.__module__ == __name__)


class Configure(TieoutError):
    exit_code = 2


class Refused(TieoutError):
    exit_code = 3


class Forbidden(TieoutError):
    exit_code = 2


class Busy(TieoutError):
    exit_code = 4


class Retryable(TieoutError):
    """``after`` is how long the system asked to be left alone, None when it did not say."""

    def __init__(self, message: str, *, after: timedelta | None = None, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.after = after


class Expired(TieoutError):
    pass


class Rejected(TieoutError):
    """``field`` is the field that the system named, in its own words, "" when it named none."""

    def __init__(self, message: str, *, field: str = "", code: str = "", detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.field = field
        self.code = code


class Stale(Rejected):
    pass


class Unknown(TieoutError):
    pass
