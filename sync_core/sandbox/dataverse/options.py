"""Query options and the Prefer header, taken apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from urllib.parse import unquote, unquote_plus

from sync_core.sandbox.dataverse import errors

KNOWN = {
    "$select", "$filter", "$orderby", "$expand", "$top", "$count", "$skiptoken", "$deltatoken", "$apply",
    "$skip", "$search", "$id", "sql", "fetchXml", "savedQuery", "userQuery",
}  # fmt: skip
ALIAS = re.compile(r"'(?:[^']|'')*'|@\w+")
PREFERENCE = re.compile(r'\s*([\w.\-]+)(?:\s*=\s*("[^"]*"|[^,;\s]*))?\s*[,;]?')
MAX_PAGE = 5000


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a Prefer header asks for."""

    values: dict[str, str] = field(default_factory=dict)

    @property
    def page_size(self) -> int | None:
        text = self.values.get("odata.maxpagesize")
        return min(int(text), MAX_PAGE) if text and text.isdigit() and int(text) else None

    @property
    def representation(self) -> bool:
        return self.values.get("return") == "representation"

    @property
    def track_changes(self) -> bool:
        return "odata.track-changes" in self.values

    @property
    def continue_on_error(self) -> bool:
        return self.values.get("odata.continue-on-error", "false") != "false"

    def annotates(self, name: str) -> bool:
        """Whether ``odata.include-annotations`` covers the annotation."""
        patterns = self.values.get("odata.include-annotations", "").split(",")
        return any(fnmatchcase(name, pattern.strip()) for pattern in patterns if pattern)


def read_preferences(header: str) -> Preferences:
    """Read ``Prefer``; a preference without a value counts as true."""
    found = {m.group(1): m.group(2).strip('"') if m.group(2) else "true" for m in PREFERENCE.finditer(header)}
    return Preferences(found)


def read_query(query: str) -> dict[str, str]:
    """Query options by name; ``+`` and ``%20`` are both a blank.

    Raises:
        DataverseError: an option that starts with ``$`` and is unknown, or ``$skip``, which Dataverse does not have.
    """
    options = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name:
            options[unquote(name)] = unquote_plus(value)
    if "$skip" in options:
        raise errors.bad_query("Skip Clause is not supported in CRM")
    unknown = [name for name in options if name.startswith("$") and name not in KNOWN]
    if unknown:
        raise errors.bad_query(f"The query parameter {unknown[0]} is not supported")
    return {name: with_aliases(value, options) if name in ("$filter", "$orderby") else value for name, value in options.items()}


def with_aliases(text: str, options: Mapping[str, str]) -> str:
    """``name eq @p1`` with the value that the query gives for ``@p1``; what stands in quotes is left alone."""
    return ALIAS.sub(lambda found: options.get(found.group(), found.group()), text)


def split_outside(text: str, mark: str) -> list[str]:
    """Split at ``mark`` where it stands outside of parentheses and quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for position, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif not quoted and letter in "([":
            depth += 1
        elif not quoted and letter in ")]":
            depth -= 1
        elif not quoted and depth == 0 and letter == mark:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def read_expand(text: str) -> list[tuple[str, dict[str, str]]]:
    """``a($select=x;$filter=y),b`` -> [(a, {...}), (b, {})]."""
    found = []
    for part in split_outside(text, ","):
        name, bracket, rest = part.strip().partition("(")
        inner = rest.rsplit(")", 1)[0] if bracket else ""
        pairs = [o.strip().partition("=") for o in split_outside(inner, ";") if o.strip()]
        found.append((name, {key.strip(): value for key, _, value in pairs}))
    return found


def names_of(text: str | None) -> list[str] | None:
    """The names in a ``$select``; None when it is absent or ``*``."""
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    return None if not names or "*" in names else names
