"""Which lines of two documents belong together. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Line = Mapping[str, Any]

_ALIKE = (("product", "description", "net"), ("product", "description"), ("description",), ("product",), ("net",), ())
"""What makes lines belong together, the surest first; at last their place, when both sides have as many."""


def partners(crm: Sequence[Line], xero: Sequence[Line]) -> dict[int, int]:
    """Place of a line of Dynamics -> place of its twin in Xero. Each is used once.

    A line that notes its twin's id goes first; then those that are most alike.
    """
    found = _noted(crm, xero)
    for alike in _ALIKE if len(crm) == len(xero) else _ALIKE[:-1]:
        taken = set(found.values())
        spare = [n for n in range(len(xero)) if n not in taken]
        if not spare or len(found) == len(crm):
            break
        for i, line in enumerate(crm):
            twin = None if i in found else next((n for n in spare if _match(line, xero[n], alike)), None)
            if twin is not None:
                found[i] = twin
                spare.remove(twin)
    return found


def _noted(crm: Sequence[Line], xero: Sequence[Line]) -> dict[int, int]:
    if not any(line.get("xero_line_id") for line in crm):
        return {}
    places = {str(line["id"]).lower(): n for n, line in enumerate(xero) if line.get("id")}
    noted = {i: places.pop(str(line.get("xero_line_id") or "").lower(), None) for i, line in enumerate(crm)}
    return {i: n for i, n in noted.items() if n is not None}


def _match(crm: Line, xero: Line, names: Sequence[str]) -> bool:
    """Whether both hold the same in ``names``. One name that both leave blank does not make them alike."""
    for name in names:
        if crm.get(name) != xero.get(name):
            return False
    return len(names) != 1 or crm.get(names[0]) is not None
