"""Customers and suppliers of both systems: where each stands, its type, its Xero details, and its link."""

from __future__ import annotations

import streamlit as st

from console.records import Listed, draw

st.title("Contacts")
draw(Listed("contacts", "Contacts", "contact", "contacts", ("email", "account_number")))
