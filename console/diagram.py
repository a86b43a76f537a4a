"""The data flow as a drawing: which entities go which way, and how their records stand now. In Graphviz' language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from console.texts import STATUS_WORDS
from sync_core.model import Status
from sync_core.service import Flow

QUIET = frozenset({Status.SUCCESS, Status.SKIPPED, Status.EXCLUDED})
"""Statuses that ask nothing of anybody; an entity that has others is drawn in orange."""
INK = {"light": ("#1b2733", "#1f4e8c", "#a34d00"), "dark": ("#dfe6ee", "#8fb8ee", "#f0a35a")}
"""Per theme: text, the accent, and the colour of what needs a person."""


def flow_diagram(flows: Sequence[Flow], statuses: Mapping[str, Mapping[Status, int]], theme: str) -> str:
    """``flows`` as the registry declares them, parents first; ``statuses`` per entity. Names are quoted, never trusted."""
    text, accent, orange = INK.get(theme, INK["light"])
    lines = [
        "digraph {",
        'rankdir=LR bgcolor=transparent nodesep=0.0972 ranksep="1.2 equally" pad=0.05 splines=line',
        'node [shape=box style=rounded fontname="sans-serif" fontsize=11 height=0.32 width=3.1 fixedsize=true',
        f'color="{accent}" fontcolor="{text}"]',
        f'edge [color="{accent}" arrowsize=0.6]',
        f"dynamics [{_tower('Dynamics', len(flows))}]",
        f"xero [{_tower('Xero', len(flows))}]",
    ]
    for at, flow in enumerate(flows):
        counts = statuses.get(flow.entity, {})
        colour = accent if QUIET.issuperset(status for status, number in counts.items() if number) else orange
        name = _quoted(flow.entity)
        lines.append(f'{name} [label={_quoted(_label(flow, counts))} color="{colour}"]')
        lines += [f"dynamics:p{at}:e -> {name}:w [{_way(flow)}]", f"{name}:e -> xero:p{at}:w [{_way(flow)}]"]
    return "\n".join([*lines, "}"])


def _tower(name: str, floors: int) -> str:
    """One box as tall as all entities together, with a door for each, so that the ways lie beside each other."""
    titles = [f"<B>{name}</B>" if floor == floors // 2 else "" for floor in range(floors)]
    rows = "".join(f'<TR><TD PORT="p{floor}" WIDTH="90" HEIGHT="29">{title}</TD></TR>' for floor, title in enumerate(titles))
    table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="1" CELLPADDING="0">{rows}</TABLE>'
    return f"fixedsize=false margin=0 width=1 fontsize=14 label=<{table}>"


def _label(flow: Flow, counts: Mapping[Status, int]) -> str:
    shapes = "  ".join(f"{number:,} {STATUS_WORDS[status].split(' ')[0]}" for status, number in counts.items() if number)
    return f"{flow.label}   {shapes}" if shapes else f"{flow.label}   none yet"


def _way(flow: Flow) -> str:
    if flow.to_crm and flow.to_xero:
        return "dir=both"
    if flow.to_crm:
        return "dir=back"
    return "dir=forward" if flow.to_xero else "dir=none style=dashed"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
