"""The notebook door: the README's own example runs, amounts stay decimals, and nothing is written."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from sync_core import open_workspace
from sync_core.errors import Busy, Configure
from sync_core.flows.schedule import Runner
from sync_core.model import MatchStatus
from sync_core.rules.reconcile import Filters
from tests.flows.shop import sell, sync
from tests.scenarios.books import Books
from tests.test_command_line import CommandLine

ROOT = Path(__file__).parent.parent
EXAMPLE = re.search(r"```python\n(from sync_core import open_workspace.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def sold(small_books: Books) -> Books:
    small_books.begin_again()
    sell(small_books, "INV-1", "INV-2")
    sync(small_books)
    return small_books


def test_the_example_of_the_readme_runs(sold, monkeypatch, capsys):
    for name, value in CommandLine(sold).environment.items():
        monkeypatch.setenv(name, value)
    names: dict = {}
    exec(EXAMPLE[1], names)  # noqa: S102  # the README is ours
    assert names["rows"].num_rows == len(names["frame"]) == 2
    assert len(names["differing"]) == 0
    assert capsys.readouterr().out == "NZD 1423.7000 1423.7000 0.0000 0.0000\n"


def test_it_is_what_the_console_shows_and_amounts_stay_decimals(sold):
    with sold.open() as service:
        shown = service.reconciliation("invoices")
        run = service.runs(1)[0].run
    with open_workspace(sold.settings, clock=sold.clock) as books:
        rows, frame = books.reconciliation(), books.frame()
        assert rows.equals(shown.rows)
        kind = rows.schema.field("crm_total").type
        assert (pa.types.is_decimal(kind), kind.scale) == (True, 4)
        assert frame["crm_total"].dtype.pyarrow_dtype == kind
        assert frame["crm_total"].sum() == Decimal("1423.70")
        assert books.summary().totals == shown.totals
        assert books.reconciliation("invoices", Filters(statuses=(MatchStatus.DIFFERS,))).num_rows == 0
        assert books.reconciliation(as_of=run).equals(rows)
        assert "payments" in books.entities()


def test_nothing_of_tieout_is_written(sold):
    kept = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sold.data.glob("cache-*")}
    with open_workspace(sold.settings, clock=sold.clock) as books:
        books.reconciliation()
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sold.data.glob("cache-*")} == kept


def test_the_process_that_has_the_cache_makes_the_copy(sold):
    with open_workspace(sold.settings, clock=sold.clock) as books:
        alone, before = books.reconciliation(), books.reconciliation(as_of=sold.clock.now())
    with sold.open() as service:
        runner = Runner(service._workspace.state, service._perform, poll=timedelta(milliseconds=20))
        runner.start()
        try:
            with open_workspace(sold.settings) as books:
                assert books.reconciliation().equals(alone)
                assert books.reconciliation(as_of=sold.clock.now()).equals(before)
        finally:
            runner.stop()


def test_it_says_when_it_cannot_be_opened(sold, tmp_path):
    with sold.open(), pytest.raises(Busy, match="Another Tieout process"):
        open_workspace(sold.settings, clock=sold.clock)
    with pytest.raises(Configure, match="Run a sync first"):
        open_workspace(sold.settings.model_copy(update={"data_dir": tmp_path}))


def test_the_package_itself_stays_light():
    code = "import sync_core, sys; print([m for m in ('duckdb', 'pyarrow', 'pandas', 'sqlalchemy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
