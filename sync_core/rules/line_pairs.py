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
        spare = [n for n in range(len(xero)) if n not in found.values()]
        for i, line in enumerate(crm):
            twin = None if i in found else next((n for n in spare if _match(line, xero[n], alike)), None)
            if twin is not None:
                found[i] = twin
                spare.remove(twin)
    return found


def _noted(crm: Sequence[Line], xero: Sequence[Line]) -> dict[int, int]:
    places = {str(line["id"]).lower(): n for n, line in enumerate(xero) if line.get("id")}
    noted = {i: places.pop(str(line.get("xero_line_id") or "").lower(), None) for i, line in enumerate(crm)}
    return {i: n for i, n in noted.items() if n is not None}


def _match(crm: Line, xero: Line, names: Sequence[str]) -> bool:
    """Whether both hold the same in ``names``. One name that both leave blank does not make them alike."""
    values = [(crm.get(name), xero.get(name)) for name in names]
    return all(a == b for a, b in values) and (len(values) != 1 or values[0][0] is not None)
