"""The house rules that a program can check: who may import whom, what stands at the top, and words that are banned."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BASICS = ("sync_core.model", "sync_core.errors")
ALLOWED = {
    "pages": ("console", "sync_core.service", "sync_core.model", "sync_core.views", "pages"),
    "console": ("console", "pages", "sync_core.service", "sync_core.views", *BASICS),
    "sync_core.__main__": ("sync_core.service", "sync_core.sandbox", "sync_core.printing", *BASICS),
    "sync_core.printing": ("sync_core.model",),
    "sync_core.service": ("sync_core.flows", "sync_core.store", "sync_core.rules", "sync_core.systems", "sync_core"),
    "sync_core.flows": ("sync_core.flows", "sync_core.rules", "sync_core.store", "sync_core.systems.base", *BASICS),
    "sync_core.store": ("sync_core.store", "sync_core.rules", "sync_core.views", *BASICS),
    "sync_core.systems": ("sync_core.systems", "sync_core.rules", "sync_core.settings", *BASICS),
    "sync_core.rules": ("sync_core.rules", *BASICS),
    "sync_core.views": ("sync_core.rules", *BASICS),
    "sync_core.settings": BASICS,
    "sync_core.sandbox": ("sync_core.sandbox",),
    "sync_core.model": (),
    "sync_core.errors": (),
}
ROOMS = {
    "streamlit": ("console", "pages"),
    "httpx": ("sync_core.systems",),
    "msal": ("sync_core.systems",),
    "xero_python": ("sync_core.systems",),
    "duckdb": ("sync_core.store",),
    "sqlalchemy": ("sync_core.store",),
    "alembic": ("sync_core.store",),
    "typer": ("sync_core.__main__",),
    "xlsxwriter": ("sync_core.service",),
    "apscheduler": ("sync_core.flows",),
}
LIBRARIES_OF_RULES = {"pyarrow", "orjson", "babel"}
IMPURE = ("random", "secrets", "socket", "subprocess", "time", "os", "pathlib", "urllib.request", "http")
TOP = {"sync_core", "console", "pages", "tests", ".streamlit", ".ci"}
BANNED = (
    (r"unsafe_allow_html|\bst\.html\(", "", "it would show a stranger's text as a page"),
    (r"\.df\(\)", "", "it makes floats of decimals"),
    (r"\bexecutemany\(", "sync_core/sandbox/", "it takes a minute for ten thousand rows; use Arrow and MERGE"),
    (r"\.now\(|\.today\(", r"(?!sync_core/rules/)", "rules have no clock"),
    (r"(?<![\w.])float\(", r"sync_core/(?:sandbox|systems)/|console/|pages/", "money is never a float"),
)


def modules() -> Iterator[tuple[str, Path]]:
    for folder in ("sync_core", "console", "pages"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports out in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def inside(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def room_of(module: str) -> str | None:
    return next((room for room in sorted(ALLOWED, key=len, reverse=True) if inside(module, (room,))), None)


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_module_imports_only_what_its_room_may(module: str, path: Path) -> None:
    room = room_of(module)
    for name in imports(path):
        top = name.partition(".")[0]
        if room is not None and top in ("sync_core", "console", "pages"):
            assert inside(name, ALLOWED[room]), f"{module} may not import {name}"
        if top in ROOMS:
            assert inside(module, ROOMS[top]), f"{module} may not import {top}"
        if room == "sync_core.rules":
            known = top == "sync_core" or top in LIBRARIES_OF_RULES or top in sys.stdlib_module_names
            assert known, f"{module} thinks without {name}"
            assert not inside(name, IMPURE), f"{module} thinks, and needs no {name}"


def test_the_top_holds_only_the_rooms_of_the_house() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()  # noqa: S607
    assert {line.partition("/")[0] for line in listed if "/" in line} <= TOP


@pytest.mark.parametrize(("pattern", "except_in", "why"), BANNED, ids=[b[0] for b in BANNED])
def test_banned_words_are_nowhere(pattern: str, except_in: str, why: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for _, path in modules()
        if not (except_in and re.match(except_in, path.relative_to(ROOT).as_posix()))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(pattern, line.partition("#")[0]) and "``" not in line
    ]
    assert found == [], why
