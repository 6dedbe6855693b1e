"""A solution as HTML, for notebooks: its facts, its faults, and the placement drawn. Every name is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from finbench.api.summary import facts, faults
from finbench.models.deployment import ApplicationDeployment

if TYPE_CHECKING:
    from finbench.api.solution import Solution

DRAWN_BLOCKS, DRAWN_NODES = 40, 12
"""Largest placement that is drawn; a larger one is told in words."""

LISTED = 30
"""Applications of a shared system that are listed."""

STEP, LANE, MARGIN = 46, 30, 120
"""Distances of blocks and of nodes in the drawing, and the room for names on its left [px]."""


def solution_html(solution: Solution) -> str:
    """Return a solution as a fragment of HTML."""
    head = escape(f"{solution.instance.name} · {solution.judged.variant}: {solution.status}")
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(heading)}</th><td style='text-align:left'>{escape(value)}</td></tr>"
        for heading, value in facts(solution)
    )
    wrong = "".join(f"<li>{escape(line)}</li>" for line in faults(solution))
    return f"<div><b>{head}</b><table>{rows}</table>{wrong and f'<ul>{wrong}</ul>'}{_decisions(solution)}</div>"


def _decisions(solution: Solution) -> str:
    """Return the placement drawn, or for several applications a table."""
    served = () if solution.deployment is None else solution.deployment.deployments
    if len(served) == 1 and len(solution.instance.applications) == 1:
        return placement_svg(solution.instance.applications[0].source, served[0])
    rows = "".join(map(_row, served[:LISTED]))
    more = f"<p>… and {len(served) - LISTED} more</p>" if len(served) > LISTED else ""
    head = "<tr><th>application</th><th>last exit</th><th>placement</th></tr>"
    return f"<table>{head}{rows}</table>{more}" if served else ""


def _row(one: ApplicationDeployment) -> str:
    last_exit = str(one.last_exit) if one.dnn is None else f"{one.last_exit} of {one.dnn}"
    cells = (one.application, last_exit, " → ".join(one.placement))
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def placement_svg(source: str, decision: ApplicationDeployment) -> str:
    """Draw a placement: a lane for each node in the order of use, a circle for each block; empty where it is large.

    Parameters
    ----------
    source : str
        Node where the samples arise.
    decision : ApplicationDeployment
    """
    nodes = list(dict.fromkeys((source, *decision.placement)))
    if len(nodes) > DRAWN_NODES or len(decision.placement) > DRAWN_BLOCKS:
        return ""
    places = [
        (MARGIN + STEP * k, 20 + LANE * nodes.index(name)) for k, name in enumerate((source, *decision.placement))
    ]
    width, height = MARGIN + STEP * len(decision.placement) + 30, 20 + LANE * len(nodes)
    lanes = "".join(_lane(name, 20 + LANE * k, width) for k, name in enumerate(nodes))
    way = " ".join(f"{x},{y}" for x, y in places)
    line = f"<polyline points='{way}' fill='none' stroke='#0072B2' stroke-width='2'/>"
    sample = f"<rect x='{places[0][0] - 5}' y='{places[0][1] - 5}' width='10' height='10' fill='#0072B2'/>"
    blocks = "".join(_block(x, y, k) for k, (x, y) in enumerate(places[1:], start=1))
    label = escape(f"placement of {decision.application}", quote=True)
    size = f"width='{width}' height='{height}' viewBox='0 0 {width} {height}'"
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' role='img' aria-label='{label}' {size} font-family='sans-serif'>"
    return f"{svg}{lanes}{line}{sample}{blocks}</svg>"


def _lane(name: str, y: int, width: int) -> str:
    shown = name if len(name) <= 14 else f"{name[:13]}…"
    line = f"<line x1='{MARGIN - 12}' y1='{y}' x2='{width - 8}' y2='{y}' stroke='#999999' stroke-width='0.6'/>"
    style = "text-anchor='end' font-size='12' fill='currentColor'"
    text = f"<text x='{MARGIN - 18}' y='{y + 4}' {style}>{escape(shown)}</text>"
    return f"<g><title>{escape(name)}</title>{line}{text}</g>"


def _block(x: int, y: int, number: int) -> str:
    circle = f"<circle cx='{x}' cy='{y}' r='10' fill='#ffffff' stroke='#0072B2' stroke-width='2'/>"
    return f"{circle}<text x='{x}' y='{y + 4}' text-anchor='middle' font-size='11' fill='#000000'>{number}</text>"
