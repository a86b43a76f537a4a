"""What to work on first: open differences by money at risk and age, and what changed since yesterday."""

from __future__ import annotations

import streamlit as st

from console import worklist

st.title("Worklist")
worklist.draw()
