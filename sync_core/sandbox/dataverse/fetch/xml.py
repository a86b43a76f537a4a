"""Reads FetchXML. Source: Microsoft's FetchXML reference; elements for reports and long term data are refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar
from xml.etree import ElementTree as ET

from sync_core.sandbox.dataverse.fetch import refusals
from sync_core.sandbox.dataverse.fetch.model import Attribute, Condition, Entity, Join, Junction, Names, Order, Query
from sync_core.sandbox.dataverse.options import MAX_PAGE

T = TypeVar("T")
Node = ET.Element
ALIAS = re.compile(r"[A-Za-z_]\w*", re.ASCII)
MAX_LINKS = 15
CHILDREN = {
    "fetch": "entity,order",
    "entity": "filter,order,link-entity,attribute,all-attributes,no-attrs",
    "link-entity": "filter,order,link-entity,attribute,all-attributes,no-attrs",
    "filter": "condition,filter,link-entity",
    "condition": "value",
}
JOINS = {
    "inner": "inner",
    "natural": "inner",
    "outer": "outer",
    "exists": "exists",
    "in": "exists",
    "any": "exists",
    "not any": "absent",
    "matchfirstrowusingcrossapply": "first",
}


def read_fetch(text: str) -> Query:
    """The query in a ``fetchXml`` parameter.

    Raises:
        DataverseError: not XML, not FetchXML, or an attribute that has no sense.
    """
    if "<!" in text.replace("<!--", ""):
        raise refusals.bad_xml("DTD is prohibited in this XML document.")
    try:
        fetch = ET.fromstring(text)  # noqa: S314 - a document type, the way to make such text grow, is refused above
    except ET.ParseError:
        raise refusals.bad_xml() from None
    if fetch.tag != "fetch" or not fetch.findall("entity"):
        raise refusals.bad_xml("The fetch element with one entity element is expected.")
    _check_children(fetch)
    if len(fetch.findall(".//link-entity")) > MAX_LINKS:
        raise refusals.too_many_links()
    top, count, page = _number(fetch, "top"), _number(fetch, "count"), _number(fetch, "page")
    if top and (page or fetch.get("paging-cookie")):
        raise refusals.bad_argument("The top attribute can't be specified with paging attribute page")
    if top and _flag(fetch, "returntotalrecordcount"):
        raise refusals.bad_argument("The top attribute can't be specified with returntotalrecordcount")
    return Query(
        _entity(fetch.findall("entity")[0], Names()),
        top,
        min(count, MAX_PAGE),
        max(page, 1),
        cookie=fetch.get("paging-cookie", ""),
        distinct=_flag(fetch, "distinct"),
        aggregate=_flag(fetch, "aggregate"),
        total=_flag(fetch, "returntotalrecordcount"),
        raw_order=_flag(fetch, "useraworderby"),
        limit=_number(fetch, "aggregatelimit"),
    )


def _check_children(node: Node) -> None:
    valid = CHILDREN.get(node.tag)
    for child in node:
        if valid is None or child.tag not in valid.split(","):
            raise refusals.bad_child(child.tag, (valid or "none").replace(",", ", "))
        _check_children(child)


def _flag(node: Node, name: str) -> bool:
    return node.get(name, "").lower() in ("true", "1")


def _number(node: Node, name: str) -> int:
    text = node.get(name, "0").strip()
    if not text.isdecimal() or len(text) > len("2147483647"):
        raise refusals.bad_argument(f"The value '{text}' of the attribute '{name}' is not a whole number.")
    return int(text)


def _required(node: Node, name: str) -> str:
    found = node.get(name)
    if not found:
        raise refusals.bad_xml(f"The required attribute '{name}' is missing from the element '{node.tag}'.")
    return found


def _all(node: Node, tag: str, read: Callable[[Node], T]) -> tuple[T, ...]:
    return tuple(read(child) for child in node.findall(tag))


def _entity(node: Node, names: Names, join: Join | None = None) -> Entity:
    table = _required(node, "name")
    alias = (node.get("alias") or names.name(table)) if join else ""
    if alias and not ALIAS.fullmatch(alias):
        raise refusals.bad_alias(alias)
    below = [found for path in ("", "filter/", "filter/filter/") for found in node.findall(f"{path}link-entity")]
    return Entity(
        table,
        alias,
        join,
        _all(node, "attribute", _attribute),
        bool(node.findall("all-attributes")) or (join is None and not any(map(node.findall, ("attribute", "no-attrs")))),
        _all(node, "filter", _filter),
        _all(node, "order", _order),
        tuple(_entity(link, names, _join(link)) for link in below),
    )


def _join(node: Node) -> Join:
    kind = node.get("link-type", "inner").lower()
    if kind not in JOINS:
        raise refusals.bad_argument(f"The link-type '{kind}' is not valid.")
    return Join(_required(node, "from"), _required(node, "to"), JOINS[kind])


def _attribute(node: Node) -> Attribute:
    alias = node.get("alias", "")
    if alias and not ALIAS.fullmatch(alias):
        raise refusals.bad_alias(alias)
    return Attribute(
        _required(node, "name"),
        alias,
        node.get("aggregate", ""),
        _flag(node, "groupby"),
        node.get("dategrouping", ""),
        _flag(node, "distinct"),
    )


def _order(node: Node) -> Order:
    if not node.get("attribute") and not node.get("alias"):
        raise refusals.bad_xml("An order element needs an attribute or an alias.")
    return Order(node.get("attribute", ""), node.get("alias", ""), _flag(node, "descending"), node.get("entityname"))


def _filter(node: Node) -> Junction:
    kind = node.get("type", "and").lower()
    if kind not in ("and", "or"):
        raise refusals.bad_argument(f"The filter type '{kind}' is not valid.")
    if kind == "or" and node.findall("link-entity"):
        raise refusals.bad_argument("The sandbox takes a link-entity in a filter of the type 'and' only.")
    return Junction(
        kind == "or",
        tuple(_condition(c) if c.tag == "condition" else _filter(c) for c in node if c.tag != "link-entity"),
    )


def _condition(node: Node) -> Condition:
    values = [child.text or "" for child in node.findall("value")]
    if "value" in node.attrib:
        values = [node.attrib["value"]]
    attribute, operator = _required(node, "attribute"), _required(node, "operator")
    return Condition(attribute, operator, tuple(values), node.get("entityname"), node.get("valueof", ""))
