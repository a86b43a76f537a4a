"""A company for the reconciliation's bench: ``count`` pairs of invoices with three lines each, and payments on six of ten.

The same rows twice: in a cache as a run leaves it, and as plain typed tables in Parquet for everybody else. Per 200 pairs two
differ by a cent of tax, two by a whole line, one is missing on either side, one is not linked.
"""

# ruff: noqa: S608, E501, ISC004  # numbers of our own; statements read better in few lines
from __future__ import annotations

from pathlib import Path

import duckdb

from sync_core.store.cache import Cache
from sync_core.store.cache_opening import open_cache
from sync_core.store.prints import EVERY

SIDES = "(VALUES ('crm', 'c', 'x'), ('xero', 'x', 'c')) s(side, own, other)"
PARQUET = ("crm_header", "xero_header", "crm_line", "xero_line", "crm_payment", "xero_payment")


def generate(count: int, folder: Path) -> Path:
    """Fill ``folder`` with ``cache.duckdb`` and one Parquet file per plain table; returns the cache's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cache.duckdb"
    path.unlink(missing_ok=True)
    people = max(count // 50, 10)
    cache = open_cache(path)
    with cache.transaction() as transaction:
        for statement in _statements(count, people):
            transaction.run(statement)
    cache.close()
    _export(path, folder)
    return path


def _statements(count: int, people: int) -> list[str]:
    extra = "CASE WHEN own = 'c' AND i % 200 IN (7, 107) THEN {} WHEN own = 'c' AND i % 200 IN (8, 108) THEN {} ELSE 0 END"
    line = (
        "json_object('id', md5(own || i || '/' || j), 'description', 'Consulting ' || (i % 97) || '/' || j, 'product', 'P' || (i % 50),"
        " 'quantity', CASE WHEN own = 'c' AND i % 200 IN (8, 108) AND j = 2 THEN '4' ELSE '2' END, 'unit_price', '50',"
        " 'net', CASE WHEN own = 'c' AND i % 200 IN (8, 108) AND j = 2 THEN '200' ELSE '100' END,"
        " 'tax', CASE WHEN own = 'c' AND i % 200 IN (8, 108) AND j = 2 THEN '30' ELSE '15' END)"
    )
    common = "'1' AS version, TIMESTAMP '2026-01-01' AS modified, '' AS gone, 'bench' AS run"
    money = "CASE WHEN i % 20 = 0 THEN 'USD' ELSE 'NZD' END AS currency"
    return [
        f"INSERT INTO record BY NAME SELECT 'contacts' AS entity, side, own || '-k-' || i AS id, 'account' AS native_table, {common},"
        " 'h' AS hash, '{}' AS fields, 'Customer number ' || i || ' Ltd' AS title, other || '-k-' || i AS partner, 'h/1' AS stamp"
        f" FROM range({people}) t(i), {SIDES}",
        f"INSERT INTO record BY NAME SELECT 'invoices' AS entity, side, md5(own || i) AS id, 'invoice' AS native_table, {common},"
        " md5('h' || own || i) AS hash, '{\"number\":\"INV-' || i || '\",\"lines\":['"
        f" || array_to_string(list_transform(range(3), lambda j: {line}), ',') || ']}}' AS fields,"
        f" 'INV-' || i AS title, 'INV-' || i AS number, own || '-k-' || (i % {people}) AS contact, {money},"
        " DATE '2026-01-01' + (i % 300)::INT AS doc_date, DATE '2026-01-21' + (i % 300)::INT AS due_date, 'PO ' || i AS reference,"
        " CASE WHEN own = 'c' THEN CASE WHEN i % 10 < 6 THEN '2' ELSE '0' END"
        "   WHEN i % 10 < 6 THEN 'PAID' ELSE 'AUTHORISED' END AS state,"
        f" 345 + {extra.format('0.01', '115')} AS total, 45 + {extra.format('0.01', '15')} AS total_tax,"
        " CASE WHEN own = 'x' THEN CASE WHEN i % 10 < 6 THEN 345 ELSE 0 END END AS amount_paid,"
        " CASE WHEN own = 'x' THEN 0 END AS amount_credited,"
        " CASE WHEN own = 'x' THEN CASE WHEN i % 10 < 6 THEN 0 ELSE 345 END END AS amount_due,"
        " CASE WHEN i % 200 = 5 THEN NULL ELSE md5(other || i) END AS partner, md5(own || i) || '/1' AS stamp"
        f" FROM range({count}) t(i), {SIDES} WHERE NOT (i % 200 = 3 AND own = 'c') AND NOT (i % 200 = 4 AND own = 'x')",
        f"INSERT INTO record BY NAME SELECT 'payments' AS entity, side, md5(own || 'p' || i) AS id, 'Payments' AS native_table,"
        f" {common}, md5('h' || own || 'p' || i) AS hash, '{{}}' AS fields, 'Payment ' || i AS title,"
        f" own || '-k-' || (i % {people}) AS contact, {money}, DATE '2026-02-01' + (i % 300)::INT AS doc_date,"
        " 'ACCRECPAYMENT' AS kind, 'AUTHORISED' AS state, md5(own || i) AS document, 345 AS total,"
        " md5(other || 'p' || i) AS partner, md5(own || i) || '/1' AS stamp"
        f" FROM range({count}) t(i), {SIDES} WHERE i % 10 < 6",
        "UPDATE record SET agreed_hash = CASE WHEN side = 'crm' AND total IS DISTINCT FROM 345 AND entity = 'invoices' THEN 'old'"
        " ELSE hash END WHERE partner IS NOT NULL",
        EVERY,
        "INSERT INTO cursor SELECT unnest(['crm.invoice', 'crm.invoicedetail', 'xero.Invoices']), 'c', TIMESTAMP '2026-11-01',"
        " TIMESTAMP '2026-11-01', 'bench'",
    ]


def _export(path: Path, folder: Path) -> None:
    """The plain tables. The cache's own connection may write no files, so this is one of another kind."""
    root = duckdb.connect(str(path))
    for side in ("crm", "xero"):
        header = (
            "SELECT r.id, r.number, coalesce(r.partner, '') AS twin, k.title AS contact, r.currency, r.doc_date, r.due_date,"
            " r.reference, r.state, r.total, r.total_tax, coalesce(r.amount_paid, 0) AS amount_paid"
            f" FROM record r JOIN record k ON k.id = r.contact AND k.side = r.side WHERE r.entity = 'invoices' AND r.side = '{side}'"
        )
        shape = '{"lines":[{"description":"VARCHAR","product":"VARCHAR","quantity":"DECIMAL(19,5)","net":"DECIMAL(19,4)","tax":"DECIMAL(19,4)"}]}'
        lines = (
            "SELECT number, l.* FROM (SELECT number, unnest(from_json(fields, '" + shape + "').lines) AS l FROM record"
            f" WHERE entity = 'invoices' AND side = '{side}')"
        )
        payments = f"SELECT id, document, doc_date, total FROM record WHERE entity = 'payments' AND side = '{side}'"
        for name, select in ((f"{side}_header", header), (f"{side}_line", lines), (f"{side}_payment", payments)):
            root.execute(f"COPY ({select}) TO '{folder / name}.parquet' (FORMAT parquet)").fetchall()
    root.close()


def opened(path: Path) -> Cache:
    """The generated cache, with nothing kept yet."""
    cache = open_cache(path)
    with cache.transaction() as transaction:
        transaction.run("DELETE FROM reconciled")
    return cache
