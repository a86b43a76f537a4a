"""The rules are data: relationship types, settings, the field map, and what must hold before a record is sent."""

from __future__ import annotations

import streamlit as st

from console import mapping

SECTIONS = {
    "Relationship types": mapping.types,
    "Settings": mapping.settings,
    "Tolerance": mapping.tolerance,
    "Fields": mapping.fields,
    "What is sent": mapping.eligibility,
}

st.title("Mapping")
first = next(iter(SECTIONS))
section = st.segmented_control("Section", list(SECTIONS), default=first, key="section", required=True, bind="query-params")
SECTIONS[section or first]()
