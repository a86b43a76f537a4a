"""Checks a close pack against its manifest. Needs Python 3.9 or newer and nothing else.

    python verify_pack.py                  in the folder that the pack was unpacked into
    python verify_pack.py close-pack.zip   the pack itself

Every file must have the SHA-256 sum that MANIFEST.sha256 says, none may be missing and none may have been added; the rows and
amounts of each CSV must be those that its control file counts. Ends with 0 when all is well, with 1 when it is not.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO

MANIFEST = "MANIFEST.sha256"


class Folder:
    """An unpacked pack."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        files = (each for each in self.path.rglob("*") if each.is_file() and "__pycache__" not in each.parts)
        return sorted(each.relative_to(self.path).as_posix() for each in files)

    def open(self, name: str) -> IO[bytes]:
        return (self.path / name).open("rb")


class Zip:
    """A pack as it was downloaded."""

    def __init__(self, path: Path) -> None:
        self.archive = zipfile.ZipFile(path)

    def names(self) -> list[str]:
        return sorted(self.archive.namelist())

    def open(self, name: str) -> IO[bytes]:
        return self.archive.open(name)


def digest(pack: Folder | Zip, name: str) -> str:
    made = hashlib.sha256()
    with pack.open(name) as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            made.update(chunk)
    return made.hexdigest()


def wrong_files(pack: Folder | Zip) -> Iterator[str]:
    """A sentence for each file that is not as it was packed."""
    names = pack.names()
    if MANIFEST not in names:
        yield MANIFEST + " is missing, so nothing can be checked."
        return
    with pack.open(MANIFEST) as file:
        lines = file.read().decode("utf-8").splitlines()
    expected = {name: sum_ for sum_, _, name in (line.partition("  ") for line in lines)}
    for name in sorted(expected):
        if name not in names:
            yield name + " is missing."
        elif digest(pack, name) != expected[name]:
            yield name + " was changed."
    for name in names:
        if name not in expected and name != MANIFEST:
            yield name + " was added."


def wrong_sums(pack: Folder | Zip) -> Iterator[str]:
    """A sentence for each CSV whose rows or amounts are not those of its control file."""
    for name in [each for each in pack.names() if each.endswith(".control.json")]:
        with pack.open(name) as file:
            control = json.loads(file.read().decode("utf-8"))
        sums: dict[str, list[Decimal]] = {}
        rows = 0
        with pack.open(name.replace(".control.json", ".csv")) as raw:
            for row in csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")):
                rows += 1
                here = sums.setdefault(row["currency"], [Decimal(0), Decimal(0)])
                here[0] += Decimal(row["crm_amount"])
                here[1] += Decimal(row["xero_amount"])
        if rows != control["rows"]:
            yield "{}: the control file counts {} rows, the CSV holds {}.".format(name, control["rows"], rows)
        for total in control["totals"]:
            if [Decimal(total["crm"]), Decimal(total["xero"])] != sums.get(total["currency"], [Decimal(0), Decimal(0)]):
                yield "{}: the totals of {} are not those of the CSV.".format(name, total["currency"] or "no currency")


def main(arguments: list[str]) -> int:
    place = Path(arguments[1]) if len(arguments) > 1 else Path(__file__).resolve().parent
    pack: Folder | Zip = Folder(place) if place.is_dir() else Zip(place)
    wrong = list(wrong_files(pack)) or list(wrong_sums(pack))
    for sentence in wrong:
        sys.stdout.write(sentence + "\n")
    if not wrong:
        sys.stdout.write(f"All {len(pack.names()) - 1} files are as they were packed, and the sums agree.\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
