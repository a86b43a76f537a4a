"""What Streamlit runs for every page: the frame, then the page. Failures become sentences."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from console import frame, nav, sign_in
from console.door import DOOR
from console.texts import plain
from sync_core.errors import TieoutError

ICON = Path(__file__).with_name("icon.png")

st.set_page_config(page_title="Tieout", page_icon=str(ICON), layout="wide", initial_sidebar_state=200)
why = sign_in.hindrance()
page = nav.navigation(shown=not why)
if why:
    sign_in.way_in(why)
elif DOOR.open:
    try:
        frame.sidebar()
        frame.bar()
        page.run()
        frame.last_word()
    except TieoutError as error:
        st.error(plain(error.message))
else:
    st.warning(plain(DOOR.reason))
    st.button("Look again")
