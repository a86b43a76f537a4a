"""A Dynamics id at the end of a text in Xero: ``Cheque 123 (Dynamics 5f0c6a0e-7d0e-5a8e-9b57-3f1d1f1f7b11)``.

Payments have no field of their own for it, and their reference is what people read; so the words stay in front.
"""

from __future__ import annotations

import re

_TAG = re.compile(r"\s*\(Dynamics ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\)\s*$", re.IGNORECASE)


def words_of(text: str) -> str:
    """``text`` without the id."""
    return _TAG.sub("", text).strip()


def id_in(text: str) -> str | None:
    """The id, None when there is none."""
    found = _TAG.search(text)
    return found[1].lower() if found else None


def with_id(words: str, row_id: str, limit: int | None) -> str:
    """Both, the words cut to what leaves room for the id."""
    tag = f"(Dynamics {row_id})"
    room = len(words) if limit is None else limit - len(tag) - 1
    return f"{words[:room].strip()} {tag}".strip()
