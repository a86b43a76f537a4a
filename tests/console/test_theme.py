"""Colours and shapes: the accent can be read in light and dark, and letters on it; no shape is drawn as a picture."""

from __future__ import annotations

import tomllib
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.string_util import is_emoji

from console import widgets
from console.texts import MATCH_WORDS, RUN_WORDS, STATUS_WORDS

THEME = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())["theme"]
PAPER = {"light": "#ffffff", "dark": "#171614"}
"""Streamlit's own pages."""
ENOUGH = 4.5
"""Of small letters: WCAG 2.2, success criterion 1.4.3."""


def channels(colour):
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def luminance(parts):
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("kind", ["light", "dark"])
def test_the_accent_can_be_read(kind):
    accent, paper = channels(THEME[kind]["primaryColor"]), channels(PAPER[kind])
    tinted = [0.9 * ground + 0.1 * part for ground, part in zip(paper, accent, strict=True)]
    assert contrast(accent, tinted) >= ENOUGH
    assert contrast(channels(THEME[kind]["linkColor"]), paper) >= ENOUGH


@pytest.mark.parametrize("kind", ["light", "dark"])
def test_a_button_is_filled_with_the_accent_only_where_white_letters_can_be_read_on_it(kind, monkeypatch):
    monkeypatch.setattr(widgets.st, "context", SimpleNamespace(theme=SimpleNamespace(type=kind)))
    white_can_be_read = contrast(channels(THEME[kind]["primaryColor"]), channels("#ffffff")) >= ENOUGH
    assert white_can_be_read == (widgets.leading() == "primary")


def test_no_shape_is_a_picture():
    words = chain(MATCH_WORDS.values(), STATUS_WORDS.values(), RUN_WORDS.values())
    assert [word for word in words if is_emoji(word.split()[0])] == []
