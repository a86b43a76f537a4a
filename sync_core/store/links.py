"""Which record of Dynamics is which record of Xero. A record is in one link at most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select

from sync_core.errors import Rejected
from sync_core.model import Link, Side
from sync_core.store.shelf import Shelf, chunks, columns_of
from sync_core.store.tables import links, record_status

_COLUMNS = [links.c[name] for name in ("entity", "crm_id", "xero_id", "matched_by", "linked_at")]
_PAGE = 5_000


class Links(Shelf):
    def links(self, entity: str, side: Side, ids: Sequence[str]) -> dict[str, Link]:
        """The links of those records, by the id on ``side``; records that have none are left out."""
        column = links.c.crm_id if side is Side.CRM else links.c.xero_id
        found: dict[str, Link] = {}
        with self._read() as connection:
            for some in chunks(ids):
                statement = select(*_COLUMNS).where(*self._of_entity(entity), column.in_(some))
                for row in connection.execute(statement):
                    link = Link(**row._asdict())
                    found[link.crm_id if side is Side.CRM else link.xero_id] = link
        return found

    def all_links(self, entity: str) -> Iterator[Link]:
        """Every link in order of the Dynamics id. Reads in pages: no transaction stays open between two of them."""
        after = ""
        while True:
            statement = select(*_COLUMNS).where(*self._of_entity(entity), links.c.crm_id > after)
            with self._read() as connection:
                rows = connection.execute(statement.order_by(links.c.crm_id).limit(_PAGE)).all()
            yield from (Link(**row._asdict()) for row in rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1].crm_id

    def add_links(self, new: Sequence[Link]) -> None:
        """Keep them all, or none: raises Rejected when a record is in another link already. The same pair again is fine.

        A pair stands under its Dynamics id from now on: what the Xero record alone was said to be is forgotten.
        """
        if not new:
            return
        rows = [{"organisation": self._organisation, **columns_of(link)} for link in new]
        with self._write() as connection:
            connection.execute(self._insert(links).on_conflict_do_nothing(), rows)
            self._refuse_link_clashes(connection, new)
            for entity in {link.entity for link in new}:
                self._forget_alone(connection, entity, [link.xero_id for link in new if link.entity == entity])

    def _forget_alone(self, connection: Connection, entity: str, xero_ids: Sequence[str]) -> None:
        table = record_status.c
        of = table.organisation == self._organisation, table.entity == entity, table.side == Side.XERO.value
        for some in chunks(xero_ids):
            connection.execute(delete(record_status).where(*of, table.id.in_(some)))

    def remove_link(self, entity: str, crm_id: str, xero_id: str) -> bool:
        """Part exactly this pair. False when it was not linked."""
        pair = links.c.crm_id == crm_id, links.c.xero_id == xero_id
        with self._write() as connection:
            return connection.execute(delete(links).where(*self._of_entity(entity), *pair)).rowcount > 0

    def link_counts(self) -> dict[str, int]:
        """Number of links per entity."""
        statement = select(links.c.entity, func.count().label("number")).where(links.c.organisation == self._organisation)
        with self._read() as connection:
            return {row.entity: row.number for row in connection.execute(statement.group_by(links.c.entity))}

    def _of_entity(self, entity: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return links.c.organisation == self._organisation, links.c.entity == entity

    def _refuse_link_clashes(self, connection: Connection, new: Sequence[Link]) -> None:
        """What was left out on conflict is not there as a pair; the pair that is in its place is named."""
        for entity in {link.entity for link in new}:
            wanted = [link for link in new if link.entity == entity]
            for some in chunks(wanted):
                statement = select(links.c.crm_id, links.c.xero_id).where(
                    *self._of_entity(entity), links.c.crm_id.in_([link.crm_id for link in some])
                )
                kept = {(crm_id, xero_id) for crm_id, xero_id in connection.execute(statement)}
                lost = next((link for link in some if (link.crm_id, link.xero_id) not in kept), None)
                if lost is not None:
                    raise self._link_clash(connection, lost)

    def _link_clash(self, connection: Connection, lost: Link) -> Rejected:
        either = or_(links.c.crm_id == lost.crm_id, links.c.xero_id == lost.xero_id)
        statement = select(links.c.crm_id, links.c.xero_id).where(*self._of_entity(lost.entity), either)
        there = " and ".join(f"{crm} with {xero}" for crm, xero in connection.execute(statement))
        return Rejected(
            f"The {lost.entity} {lost.crm_id} in Dynamics cannot be linked with {lost.xero_id} in Xero, because "
            f"{there} is linked already. Remove that link first if it is wrong.",
            code="linked already",
        )
