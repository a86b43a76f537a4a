"""Whether both systems and both databases answer, and the settings in use. Secrets are never shown."""

from __future__ import annotations

import streamlit as st

from console import actions
from console.checks import CONNECT_XERO, SET_UP, check, settings_lines
from console.door import service
from console.frame import reader_zone, say_what_came
from console.permitted import held
from console.texts import plain, when, zone_name
from console.widgets import leading, left, table
from sync_core.service import Service

zone = reader_zone()

st.title("Connections")
st.text("Checking asks both systems who they are. Nothing is written.")
if st.button("Check now", type=leading()) or "checks" not in st.session_state:
    with st.spinner("Asking both systems"):
        st.session_state["checks"] = check()
at, checks = st.session_state["checks"]
bad = [each for each in checks if not each.good]
st.subheader(
    "Everything answers."
    if not bad
    else f"{len(bad)} of {len(checks)} {'does not answer as it' if len(bad) == 1 else 'do not answer as they'} should."
)
table(
    ({"good": "● works" if each.good else "✕ does not work", "name": each.name, "message": each.message} for each in checks),
    {"good": left("Result", width=130), "name": left("What", width=150), "message": left("Answer", width=640)},
    "What was checked and what it answered",
)
for message in dict.fromkeys(each.message for each in bad):
    st.warning(plain(message))
if any(each.name == SET_UP for each in bad) and len(bad) == 1:
    st.text("Tieout keeps what Xero holds in tables of its own in Dynamics. Making them takes some minutes, once.")
    if st.button("Set Dynamics up", type=leading(), **held(Service.set_up)):
        with st.spinner("Making tables, columns and keys in Dynamics"):
            made = actions.set_up()
        if made:
            st.session_state["checks"] = check()
            st.rerun()
say_what_came()
st.caption(f"Checked {when(at, zone)}, {plain(zone_name(zone))}.")

st.markdown("**Connecting Xero again**")
st.text(
    "An ordinary Xero app is signed in by a person, once, and again when Xero no longer accepts that. Run this on the machine "
    "that Tieout runs on, then check again; the console need not be stopped. A custom connection needs none of it."
)
st.code(CONNECT_XERO, language="bash")

st.markdown("**Settings in use**")
table(
    settings_lines(service()),
    {"name": left("Setting", width=264), "value": left("Value", width=340), "from": left("Where it matters", width=280)},
    "Settings, secrets left out",
)
st.text("Settings come from the environment or the file .env; the console reads them when it starts.")
