"""Payments of both systems side by side."""

from __future__ import annotations

from console import sheets, tie_out

tie_out.draw(sheets.PAYMENTS)
