"""How a standard table is declared: its names, its columns in the notation of ``schema``, its states."""

from __future__ import annotations

from dataclasses import dataclass

ACTIVE = "0:Active=1:Active|1:Inactive=2:Inactive"
TERMS = "1:Net 30|2:2% 10, Net 30|3:Net 45|4:Net 60"


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard table; ``states`` is ``statecode:label=statuscode:label,...`` with | between states."""

    schema: str
    set_name: str
    primary_id: str
    primary_name: str
    columns: str
    states: str = ACTIVE
    ownership: str = "UserOwned"
    trackable: bool = True
    type_code: int = 0
    plural: str = ""


def address(prefix: str) -> str:
    """The columns of one postal address."""
    rows = ["Line1 250", "Line2 250", "Line3 250", "City 80", "StateOrProvince 50", "PostalCode 20", "Country 80"]
    return "\n".join(f"{prefix}_{row.split()[0]} string length={row.split()[1]}" for row in rows)
