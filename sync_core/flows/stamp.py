"""Write where each record stands back into Dynamics: one ``tie_xerodetail`` row per record (R12, R20).

A row of its own, because a paid invoice takes no change and a stamp on the invoice would come back as a change of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sync_core.errors import TieoutError
from sync_core.flows.bodies import twin_id
from sync_core.flows.courier import in_flight
from sync_core.flows.decide import DELETED
from sync_core.flows.ledger import Key
from sync_core.flows.workspace import Workspace
from sync_core.model import Lookup, Native, RecordStatus, Side, Status, Verb
from sync_core.rules.deep_links import xero_link
from sync_core.rules.entities import DETAILS
from sync_core.rules.mapping import Context
from sync_core.store import records, rows
from sync_core.store.leases import Lease
from sync_core.systems.base import Receipt, Write

LOOKUPS = {
    "account": "tie_accountid",
    "contact": "tie_contactid",
    "invoice": "tie_invoiceid",
    "product": "tie_productid",
    "tie_payment": "tie_paymentid",
    "tie_creditnote": "tie_creditnoteid",
}
FIRST_CHOICE = 727000000
CHOICES = {status: FIRST_CHOICE + position for position, status in enumerate(Status)}
PENDING = "stamps pending"
_WHEN = ("tie_lastsyncedon", "tie_lastattempton")
_PAGE = 2000


def stamp_everything(workspace: Workspace, run: str, lease: Lease) -> int:
    """Compare every status with its row in Dynamics and write the differences: after a run that ended in between."""
    written, offset = 0, 0
    while page := workspace.state.find_statuses(None, None, _PAGE, offset):
        written += stamp(workspace, run, lease, {(s.entity, s.side, s.id) for s in page})
        offset += len(page)
    return written


def stamp(workspace: Workspace, run: str, lease: Lease, keys: Iterable[Key]) -> int:
    """Write the rows of these records that say something else than before; returns how many.

    Raises Busy as soon as another run has taken over: these writes are the run's as well (I11).
    """
    written = 0
    by_entity: dict[str, list[str]] = {}
    for entity, side, row_id in keys:
        if side is Side.CRM:
            by_entity.setdefault(entity, []).append(row_id)
    context, organisation = workspace.surroundings.context, workspace.surroundings.organisation
    for entity, ids in sorted(by_entity.items()):
        for chunk in records.chunks(sorted(ids), _PAGE):
            wanted, ended = _wanted(workspace, entity, chunk, context, organisation)
            written += _write(workspace, run, lease, _different(workspace, wanted, ended))
    return written


def _wanted(
    workspace: Workspace, entity: str, ids: Sequence[str], context: Context, organisation: Native
) -> tuple[dict[str, Native], set[str]]:
    """What is to be said of these records, by the id of its row; and the rows whose record is deleted in Dynamics."""
    statuses = workspace.state.statuses(entity, Side.CRM, ids)
    crm = records.typed(workspace.cache, entity, Side.CRM, ids)
    partners = {i: str(r["partner"]) for i, r in crm.items() if r["partner"]}
    xero = records.typed(workspace.cache, entity, Side.XERO, sorted(partners.values()))
    bodies, ended = {}, set()
    for row_id, status in statuses.items():
        row = crm.get(row_id)
        if row is not None and row["native_table"] in LOOKUPS:
            key = f"{row['native_table']}:{row_id}"
            detail = twin_id(workspace.organisation, "detail", key)
            bodies[detail] = _body(key, row, status, xero.get(partners.get(row_id, ""), {}), context, organisation)
            if row["gone"] == DELETED:
                ended.add(detail)
                del bodies[detail][LOOKUPS[row["native_table"]]]
    return bodies, ended


def _body(
    key: str, row: dict[str, Any], status: RecordStatus, twin: dict[str, Any], context: Context, organisation: Native
) -> Native:
    body: Native = {
        "tie_name": str(row["title"] or key)[:300],
        "tie_recordkey": key,
        "tie_entity": status.entity,
        "tie_xeroid": twin.get("id"),
        "tie_xeronumber": twin.get("number") or twin.get("title"),
        "tie_xerotype": twin.get("kind") or twin.get("native_table"),
        "tie_xerostatus": twin.get("state"),
        "tie_syncstatus": CHOICES[status.status],
        "tie_reason": status.reason[:100] or None,
        "tie_lastsyncedon": _instant(status.last_synced),
        "tie_lastattempton": _instant(status.last_attempt),
        "tie_remark": status.remark[:4000],
        "tie_link": (xero_link(twin["native_table"], twin["id"], organisation) or None) if twin else None,
        LOOKUPS[row["native_table"]]: Lookup(row["native_table"], row["id"]),
    }
    currency = context.currency_ids.get(str(twin.get("currency")))
    if currency:
        body["transactioncurrencyid"] = Lookup("transactioncurrency", currency)
        for name in ("due", "paid", "credited"):
            body[f"tie_amount{name}"] = twin.get(f"amount_{name}")
    return body


def _instant(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _different(workspace: Workspace, wanted: dict[str, Native], ended: set[str]) -> dict[str, Native]:
    """Those whose row in Dynamics is missing or says something else; the instants alone are no difference.

    Of an ``ended`` record only a row that is there goes on to say where it stands: a new one could not point at it.
    """
    kept = rows.native_rows(workspace.cache, DETAILS, sorted(wanted))
    there = {i: native for i, (native, _, gone) in kept.items() if not gone}
    return {i: body for i, body in wanted.items() if (_says_else(body, there[i]) if i in there else i not in ended)}


def _says_else(body: Native, row: Native) -> bool:
    synced = body["tie_lastsyncedon"]
    if synced is not None and _same_instant(row.get("tie_lastsyncedon")) != synced:
        return True
    plain = (n for n, v in body.items() if n not in _WHEN and not isinstance(v, Lookup))
    return any(_comparable(body[n]) != _comparable(row.get(n)) for n in plain)


def _same_instant(text: Any) -> str | None:
    return _instant(datetime.fromisoformat(str(text))) if text else None


def _comparable(value: Any) -> Any:
    if value in (None, ""):
        return None
    if isinstance(value, Decimal | date):
        return Decimal(value).normalize() if isinstance(value, Decimal) else value.isoformat()
    try:
        return Decimal(str(value)).normalize()
    except ArithmeticError:
        return str(value)


def _write(workspace: Workspace, run: str, lease: Lease, bodies: dict[str, Native]) -> int:
    """Send these stamps, several batches at once, and keep what Dynamics answered to all of them together."""
    if not bodies:
        return 0
    crm, held, refused = workspace.systems[Side.CRM], lease, list[TieoutError]()
    writes = [Write(DETAILS, Verb.CREATE, body, str(uuid4()), row_id, "*") for row_id, body in bodies.items()]
    answered: list[Receipt] = []

    def renew(_batch: Sequence[Write]) -> None:
        nonlocal held
        held = workspace.state.renew(held)

    batches = list(records.chunks(writes, crm.batch_size))
    with closing(in_flight(crm, batches, lambda write: write, renew, lambda: not refused, crm.at_once)) as flights:
        for _, answer in flights:
            try:
                answered += answer.result()
            except TieoutError as error:
                refused.append(error)
            else:
                workspace.step("stamped")
    refused += [receipt.error for receipt in answered if receipt.error is not None]
    with workspace.cache.transaction() as transaction:
        rows.keep_rows(transaction, DETAILS, [r.native for r in answered if r.native is not None], run)
    if refused:
        raise refused[0]
    return len(bodies)
