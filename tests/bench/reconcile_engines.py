"""One engine doing one job on the generated company, in a process of its own: ``reconcile_engines.py ENGINE JOB FOLDER``.

Prints one JSON object: seconds, CPU seconds, peak MB and what was found, so that it can be seen that all did the same. Jobs:
``header`` joins both sides by number, lists the fields that differ and adds up per currency; ``full`` does so with the sums of
lines and payments per document too. It imports nothing of ours, because some engines need an environment of their own.
"""

# ruff: noqa: S608  # names of our own
from __future__ import annotations

import json
import sys
import time
from pathlib import Path

FIELDS = ("contact", "currency", "doc_date", "due_date", "reference", "total", "total_tax")
NAMES = ("crm_header", "xero_header", "crm_line", "xero_line", "crm_payment", "xero_payment")


def duckdb_plain(job, folder):
    import duckdb

    root = duckdb.connect()
    for name in NAMES:
        root.execute(f"CREATE TABLE {name} AS FROM '{folder}/{name}.parquet'").fetchall()
    began = start()
    fields = list(FIELDS)
    sides = []
    for side in ("crm", "xero"):
        extra, join = "", ""
        if job == "full":
            extra = ", l.net, l.tax, l.lines, coalesce(p.paid, 0) AS paid"
            join = (
                f" LEFT JOIN (SELECT number, sum(net) AS net, sum(tax) AS tax, count(*) AS lines FROM {side}_line GROUP BY 1) l"
                f" USING (number) LEFT JOIN (SELECT document, sum(total) AS paid FROM {side}_payment GROUP BY 1) p"
                " ON p.document = h.id"
            )
        sides.append(f"(SELECT h.*{extra} FROM {side}_header h{join})")
    if job == "full":
        fields += ["net", "tax", "lines", "paid"]
    cases = ", ".join(f"CASE WHEN c.{f} IS DISTINCT FROM x.{f} THEN '{f}' END" for f in fields)
    root.execute(
        f"CREATE TABLE exception AS SELECT c.id AS crm_id, x.id AS xero_id, coalesce(c.number, x.number) AS number,"
        f" list_filter([{cases}], lambda z: z IS NOT NULL) AS differing, c.total - x.total AS difference"
        f" FROM {sides[0]} c FULL JOIN {sides[1]} x ON c.number = x.number"
        f" WHERE c.id IS NULL OR x.id IS NULL OR {' OR '.join(f'c.{f} IS DISTINCT FROM x.{f}' for f in fields)}"
    ).fetchall()
    sums = "SELECT currency, sum(total) FROM {}_header GROUP BY 1 ORDER BY 1"
    for side in ("crm", "xero"):
        root.execute(sums.format(side)).fetchall()
    found = root.execute("SELECT count(*) FROM exception").fetchall()[0][0]
    return began, found


def floor(job, folder):
    import duckdb

    root = duckdb.connect()
    names = NAMES[:2] if job == "header" else NAMES
    for name in names:
        root.execute(f"CREATE TABLE {name} AS FROM '{folder}/{name}.parquet'").fetchall()
    began = start()
    for name in names:
        root.sql(f"FROM {name}").to_arrow_table()
    return began, None


def polars_lazy(job, folder):
    import polars as pl

    tables = {name: pl.read_parquet(f"{folder}/{name}.parquet").lazy() for name in NAMES}
    began = start()
    fields = list(FIELDS) + (["net", "tax", "lines", "paid"] if job == "full" else [])
    sides = []
    for side in ("crm", "xero"):
        head = tables[f"{side}_header"]
        if job == "full":
            lines = (
                tables[f"{side}_line"].group_by("number").agg(pl.col("net").sum(), pl.col("tax").sum(), pl.len().alias("lines"))
            )
            paid = tables[f"{side}_payment"].group_by("document").agg(pl.col("total").sum().alias("paid"))
            head = head.join(lines, on="number", how="left").join(paid, left_on="id", right_on="document", how="left")
            head = head.with_columns(pl.col("paid").fill_null(0))
        sides.append(head)
    both = sides[0].join(sides[1], on="number", how="full", suffix="_x", coalesce=True)
    differs = [pl.when(pl.col(f).ne_missing(pl.col(f"{f}_x"))).then(pl.lit(f)).alias(f"d_{f}") for f in fields]
    told = pl.concat_list([f"d_{f}" for f in fields]).list.drop_nulls().alias("differing")
    kept = (
        both.with_columns(differs)
        .with_columns(told)
        .filter(pl.col("id").is_null() | pl.col("id_x").is_null() | (pl.col("differing").list.len() > 0))
    )
    found = kept.select("number", "id", "id_x", "differing", pl.col("total") - pl.col("total_x")).collect()
    for side in ("crm", "xero"):
        tables[f"{side}_header"].group_by("currency").agg(pl.col("total").sum()).collect()
    return began, found.height


def pandas_arrow(job, folder):
    import pandas as pd

    tables = {name: pd.read_parquet(f"{folder}/{name}.parquet", dtype_backend="pyarrow") for name in NAMES}
    began = start()
    fields = list(FIELDS) + (["net", "tax", "lines", "paid"] if job == "full" else [])
    sides = []
    for side in ("crm", "xero"):
        head = tables[f"{side}_header"]
        if job == "full":
            lines = (
                tables[f"{side}_line"]
                .groupby("number", as_index=False)
                .agg(net=("net", "sum"), tax=("tax", "sum"), lines=("net", "size"))
            )
            paid = tables[f"{side}_payment"].groupby("document", as_index=False).agg(paid=("total", "sum"))
            head = head.merge(lines, on="number", how="left").merge(paid, left_on="id", right_on="document", how="left")
            head["paid"] = head["paid"].fillna(0)
        sides.append(head)
    both = sides[0].merge(sides[1], on="number", how="outer", suffixes=("", "_x"))
    differs = {f: (both[f] != both[f"{f}_x"]).fillna(True) for f in fields}
    any_ = both["id"].isna() | both["id_x"].isna()
    for flags in differs.values():
        any_ = any_ | flags
    kept = both[any_].copy()
    kept["differing"] = [[f for f in fields if differs[f][i]] for i in kept.index]
    for side in ("crm", "xero"):
        tables[f"{side}_header"].groupby("currency")["total"].sum()
    return began, len(kept)


def datacompy_polars(_job, folder):
    import polars as pl
    from datacompy import PolarsCompare

    crm, xero = (pl.read_parquet(f"{folder}/{name}.parquet").select("number", *FIELDS) for name in NAMES[:2])
    began = start()
    compared = PolarsCompare(crm, xero, join_columns="number")
    found = compared.all_mismatch().height + compared.df1_unq_rows.height + compared.df2_unq_rows.height
    return began, found


def peak_mb():
    """Of this program alone: what ``getrusage`` says still counts the process that it was forked from."""
    return _told_mb("VmHWM:")


def held_mb():
    """What this program holds at present."""
    return _told_mb("VmRSS:")


def _told_mb(name):
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(name)[1].split()[0]) // 1024


def start():
    return time.perf_counter(), time.process_time()


ENGINES = {
    "plain DuckDB": duckdb_plain,
    "floor": floor,
    "polars": polars_lazy,
    "pandas": pandas_arrow,
    "datacompy": datacompy_polars,
}

if __name__ == "__main__":
    engine, job, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    began, found = ENGINES[engine](job, folder)
    seconds, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
    peak = peak_mb()
    told = {"engine": engine, "job": job, "seconds": seconds, "cpu": cpu, "peak_mb": peak, "exceptions": found}
    sys.stdout.write(json.dumps(told) + "\n")
