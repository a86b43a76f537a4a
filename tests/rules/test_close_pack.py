"""The close pack: streamed, whole, and proved by a script that needs nothing but Python."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from sync_core.rules.close_pack import MANIFEST, Piece, pack, table

MADE = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SCRIPT = (Path(__file__).parents[2] / "sync_core" / "service" / "verify_pack.py").read_bytes()
CSV = b"\xef\xbb\xbfcurrency,crm_amount,xero_amount\r\nNZD,115.00,110.00\r\nNZD,-15.00,-15.00\r\n"
CONTROL = {"rows": 2, "totals": [{"currency": "NZD", "crm": "100.00", "xero": "95.00"}]}


def pieces(control=CONTROL):
    return [
        Piece("invoices.csv", [CSV[:20], CSV[20:]]),
        Piece("invoices.control.json", [json.dumps(control).encode()]),
        Piece("verify_pack.py", [SCRIPT]),
    ]


@pytest.fixture
def made(tmp_path):
    path = tmp_path / "close-pack.zip"
    path.write_bytes(b"".join(pack(pieces(), MADE)))
    return path


def checked(*words):
    done = subprocess.run([sys.executable, "-I", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_the_manifest_names_every_file_with_its_sum(made):
    with zipfile.ZipFile(made) as archive:
        lines = archive.read(MANIFEST).decode().splitlines()
        assert archive.testzip() is None
        assert archive.read("invoices.csv") == CSV
        assert f"{hashlib.sha256(CSV).hexdigest()}  invoices.csv" in lines
        assert len(lines) == 3


def test_the_script_finds_a_whole_pack_whole_zipped_and_unpacked(made, tmp_path):
    folder = tmp_path / "unpacked"
    zipfile.ZipFile(made).extractall(folder)
    for words in ((folder / "verify_pack.py",), (folder / "verify_pack.py", made)):
        assert checked(*words) == (0, "All 3 files are as they were packed, and the sums agree.\n")


@pytest.mark.parametrize(
    ("tamper", "sentence"),
    [
        (lambda f: (f / "invoices.csv").write_bytes(CSV.replace(b"110.00", b"115.00")), "invoices.csv was changed."),
        (lambda f: (f / "invoices.csv").unlink(), "invoices.csv is missing."),
        (lambda f: (f / "more.csv").write_bytes(b"x"), "more.csv was added."),
        (lambda f: (f / MANIFEST).unlink(), "MANIFEST.sha256 is missing, so nothing can be checked."),
    ],
)
def test_the_script_names_what_was_tampered_with(made, tmp_path, tamper, sentence):
    folder = tmp_path / "unpacked"
    zipfile.ZipFile(made).extractall(folder)
    tamper(folder)
    assert checked(folder / "verify_pack.py") == (1, sentence + "\n")


def test_the_script_adds_up_what_the_control_file_counts(tmp_path):
    wrong = {"rows": 3, "totals": [{"currency": "NZD", "crm": "100.00", "xero": "95.01"}]}
    path = tmp_path / "close-pack.zip"
    path.write_bytes(b"".join(pack(pieces(wrong), MADE)))
    (tmp_path / "verify_pack.py").write_bytes(SCRIPT)
    code, said = checked(tmp_path / "verify_pack.py", path)
    assert code == 1
    assert "counts 3 rows, the CSV holds 2" in said
    assert "the totals of NZD are not those of the CSV" in said


def test_pieces_are_read_in_turn_and_chunks_leave_while_more_is_to_come():
    asked = []

    def chunks():
        for n in range(50):
            asked.append(n)
            yield hashlib.sha256(str(n).encode()).digest() * 2048  # does not compress to nothing

    stream = pack([Piece("big.bin", chunks()), Piece("later.txt", iter(lambda: asked.append("later") or b"", b""))], MADE)
    assert next(stream)
    assert len(asked) < 10
    rest = list(stream)
    assert asked == [*range(50), "later"]
    assert max(map(len, rest)) < 400_000


def test_the_same_pack_has_the_same_bytes():
    assert b"".join(pack(pieces(), MADE)) == b"".join(pack(pieces(), MADE))


def test_a_table_is_exact_and_guarded():
    rows = [{"a": Decimal("1.10"), "b": "=1+1", "c": None}, {"a": MADE, "b": 'say "hi",\r\nagain', "c": True}]
    text = b"".join(table(("a", "b", "c"), rows)).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["a", "b", "c"],
        ["1.10", "'=1+1", ""],
        ["2026-11-23T09:30:00Z", 'say "hi",\r\nagain', "True"],
    ]
