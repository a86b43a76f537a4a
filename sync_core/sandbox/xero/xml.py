"""Xero's older form, XML: the answer to callers that do not ask for JSON, and bodies of those that still write it.

Both stand for the JSON of the same call: lists are an element of the plural name with one element of the singular name
for each item, dates are ISO 8601, and the text companions of dates (``DateString``) do not exist.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from sync_core.sandbox.xero.wire import EPOCH

ITEMS = {"Addresses": "Address", "Elements": "DataContractBase", "Tracking": "TrackingCategory"}
"""Lists whose items are not named by dropping an s."""
_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")


def item_name(name: str) -> str:
    """What one item of the list ``name`` is called."""
    return ITEMS.get(name) or (name[:-3] + "y" if name.endswith("ies") else name.removesuffix("s"))


def write(payload: Any) -> bytes:
    """An answer as XML."""
    root = "ApiException" if isinstance(payload, dict) and "ErrorNumber" in payload else "Response"
    return f'<?xml version="1.0" encoding="utf-8"?>{_element(root, payload)}'.encode()


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        inner = "".join(_element(item_name(name), item) for item in value)
    elif isinstance(value, dict):
        inner = "".join(_element(key, item) for key, item in value.items() if item is not None and not _spare(key, value))
    else:
        inner = escape(str(value).lower() if isinstance(value, bool) else _text(value))
    return f"<{name}>{inner}</{name}>"


def _spare(key: str, among: dict[str, Any]) -> bool:
    """Whether a key is only the text form of the date beside it."""
    return key.endswith("String") and key.removesuffix("String") in among


def _text(value: Any) -> str:
    found = _DATE.match(value) if isinstance(value, str) else None
    if found is None:
        return str(value)
    instant = (EPOCH + timedelta(milliseconds=int(found.group(1)))).replace(tzinfo=None)
    return instant.isoformat(timespec="milliseconds" if instant.microsecond else "seconds")


def load(raw: bytes) -> Any:
    """A body in XML as the JSON that it stands for: ``{"Contacts": [{"Name": "Ridge"}]}``, or one bare object.

    Raises:
        ValueError: the body is not XML, or has a document type.
    """
    if b"<!DOCTYPE" in raw:
        raise ValueError("document types are not accepted")
    try:
        root = ET.fromstring(raw)  # noqa: S314 - no document type, and expat itself bounds what entities become
    except ET.ParseError as broken:
        raise ValueError(str(broken)) from broken
    value = _value(root)
    return {root.tag: value} if isinstance(value, list) else value


def _value(element: ET.Element) -> Any:
    if not len(element):
        return element.text or ""
    if all(child.tag == item_name(element.tag) for child in element):
        return [_value(child) for child in element]
    return {child.tag: _value(child) for child in element}
