"""A picture of a shared system: the network by tiers, nodes and links coloured by how full they are.

Slow tiers lie below fast ones; within a tier nodes lie near those that they are linked to above. A node is as full as
the fullest of its resources (compute, memory, reservations).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from finbench.benchmarks.analysis.numbers import fixed_percent
from finbench.benchmarks.plots.routes import blocks_at, hops_of, missing_capacities
from finbench.benchmarks.plots.style import STYLE, TEXT_COLOUR, literal, shortened
from finbench.benchmarks.plots.system_texts import FULLEST, OVERLOAD_COLOUR, draw_lines, draw_titles, lines_beside
from finbench.models.deployment import Deployment
from finbench.models.evaluate import Evaluation
from finbench.models.instance import Instance, Network, Node
from finbench.models.loads import Resource, Use, uses
from finbench.models.tolerances import exceeds

BAND_COLOUR = "#F5F6F8"
UNUSED_COLOUR = "#C9CED6"
PRICE_COLOUR = "#0072B2"
FILLS = ListedColormap(mpl.colormaps["YlOrRd"](np.linspace(0.12, 0.95, 256)))
"""Colours of utilisations 0 to 1; beyond is `OVERLOAD_COLOUR`."""

WIDEST_ROW = 60
"""Nodes side by side; larger tiers take several rows."""

LABELLED_ROW = 16
"""Rows of at most this many nodes name each of them; in longer ones only the fullest are named."""

LONGEST_NAME = 16
"""Characters of the names at nodes; longer ones lose their middles."""

ROUTE_COLOUR = "#0072B2"

MOST_ARROWS = 20
"""Links that get the head of an arrow, beside those of routes."""

NAME_WIDTH = 0.05
"""Room that a name needs, of the network's width."""

Place = tuple[float, float]
Bands = Sequence[tuple[str, list[list[str]]]]
"""From below: a tier and its columns, each at most as high as the band."""


def draw_system(
    instance: Instance,
    evaluation: Evaluation | None,
    prices: Mapping[str, float] | None = None,
    deployment: Deployment | None = None,
    missing: Mapping[str, str] | None = None,
) -> Figure:
    """Draw the network and how full a deployment makes it.

    Parameters
    ----------
    instance : Instance
        Readable up to about 60 nodes, an overview up to several hundred.
    evaluation : Evaluation or None
        Of the deployment; None draws the network alone.
    prices : mapping of str to float, optional
        Shadow prices to mark and to list, in the mapping's order: what one more unit would save, in J per operation,
        bit or the like. A key is a node or a link `n->m`, or either followed by `: ` and the resource.
    deployment : Deployment, optional
        Of up to `routes.MOST_ROUTED` applications their blocks stand at the nodes, and arrows show their routes.
    missing : mapping of str to str, optional
        What would let everything fit, to mark and to list: keys as those of `prices`, and how much of it.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = _rows(instance.network)
    places = _places(rows)
    used = [] if evaluation is None else [use for use in uses(instance, evaluation.loads) if use.load > 0]
    blocks, hops = blocks_at(instance, deployment), hops_of(instance, deployment)
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        lacking = [*(missing or {}).items(), *missing_capacities(evaluation)]
        lines = lines_beside(used, prices or {}, lacking, instance.objective_unit)
        width = _page_width(rows)
        height = max(1.6 + 0.3 * _height(rows), 0.9 + 0.19 * len(lines))
        figure = Figure(figsize=(width + 2.9 * bool(lines), height), facecolor="white", layout="constrained")
        axes, *beside = figure.subplots(1, 2, width_ratios=(width, 2.7)) if lines else [figure.subplots()]
        _draw_bands(axes, rows, width)
        _draw_links(axes, instance.network, places, used)
        _draw_arrows(axes, places, hops, used)
        _draw_nodes(axes, rows, places, used, blocks)
        _mark(axes, places, [key for key, price in (prices or {}).items() if price > 0], PRICE_COLOUR)
        _mark(axes, places, [*(missing or {})], OVERLOAD_COLOUR)
        for side in beside:
            draw_lines(side, lines)
        draw_titles(axes, instance, evaluation, width)
        if used:
            _draw_scale(figure, axes)
    return figure


# Places. A band for each tier, from the slowest at the bottom; y grows by one from row to row.

_GAP = 2.2
"""Between the last row of a band and the first of the next."""


def _rows(network: Network) -> Bands:
    """Return the tiers from the slowest to the fastest, nodes under what they link to."""
    by_tier: defaultdict[str, list[Node]] = defaultdict(list)
    for node in network.nodes:
        by_tier[node.tier].append(node)
    tiers = sorted(by_tier, key=lambda tier: float(np.mean([node.compute_ops_per_s or 0.0 for node in by_tier[tier]])))
    across: dict[str, float] = {}
    bands = []
    for tier in reversed(tiers):
        order = _ordered(network, [node.name for node in by_tier[tier]], across)
        height = ceil(len(order) / WIDEST_ROW)
        columns = [order[k : k + height] for k in range(0, len(order), height)]
        across |= {name: (c + 0.5) / len(columns) for c, column in enumerate(columns) for name in column}
        bands.append((tier, columns))
    return bands[::-1]


def _ordered(network: Network, names: list[str], across: Mapping[str, float]) -> list[str]:
    """Return the names by the mean place of their neighbours above; where they have none, as they come."""
    above: defaultdict[str, list[float]] = defaultdict(list)
    for source, target in network.link_by_pair:
        for name, other in ((source, target), (target, source)):
            if other in across:
                above[name].append(across[other])
    return sorted(names, key=lambda name: float(np.mean(above[name])) if above[name] else 0.5)


def _places(rows: Bands) -> dict[str, Place]:
    places, base = {}, 0.0
    for _, columns in rows:
        for c, column in enumerate(columns):
            for r, name in enumerate(column):
                places[name] = ((c + 0.5) / len(columns), base + r)
        base += len(columns[0]) - 1 + _GAP
    return places


def _height(rows: Bands) -> float:
    """Return the height of all bands, in rows."""
    return sum(len(columns[0]) - 1 + _GAP for _, columns in rows) + 4


def _page_width(rows: Bands) -> float:
    """Return the width of the network, by its longest row [in]."""
    return float(np.clip(0.9 * max(len(columns) for _, columns in rows), 4.8, 10.5))


def _draw_bands(axes: Axes, rows: Bands, width: float) -> None:
    base = 0.0
    for tier, columns in rows:
        top = base + len(columns[0]) - 1
        axes.axhspan(base - 0.75, top + 0.75, color=BAND_COLOUR, zorder=0)
        count = sum(map(len, columns))
        label: dict[str, Any] = {"color": TEXT_COLOUR, "ha": "right", "va": "center"}
        axes.text(-0.02, (base + top) / 2, f"{literal(tier or 'nodes')}\n{count}", fontsize=10, **label)
        base = top + _GAP
    axes.set(xlim=(-0.1 * 10.5 / width, 1.01), ylim=(-0.9, base - _GAP + 1.1))
    axes.set_axis_off()


def _draw_links(axes: Axes, network: Network, places: Mapping[str, Place], used: Sequence[Use]) -> None:
    """Draw every link as a bow to its left, so that both directions show; the fullest lie on top, coloured."""
    fill = {use.subject: use for use in used if use.resource is Resource.BANDWIDTH}
    names = {f"{a}->{b}": _bow(places[a], places[b]) for a, b in network.link_by_pair}
    idle = [bow for name, bow in names.items() if name not in fill]
    faint = float(np.clip(8 / np.sqrt(1 + len(idle)), 0.15, 0.8))
    colour = UNUSED_COLOUR if used else TEXT_COLOUR
    axes.add_collection(LineCollection(idle, colors=colour, linewidths=0.5, alpha=faint, zorder=1))
    busy = sorted(fill.values(), key=lambda use: use.utilisation)
    axes.add_collection(
        LineCollection(
            [names[use.subject] for use in busy],
            colors=[_colour(use) for use in busy],
            linewidths=[0.7 + 2.8 * min(use.utilisation, 1.0) for use in busy],
            zorder=2,
        )
    )


def _draw_arrows(axes: Axes, places: Mapping[str, Place], hops: set[tuple[str, str]], used: Sequence[Use]) -> None:
    """Draw the links of routes strongly, and heads of arrows on them and on the fullest links."""
    full = [use for use in used if use.resource is Resource.BANDWIDTH][:MOST_ARROWS]
    colours = {(a, b): _colour(use) for use in full for a, b in [use.subject.split("->", 1)]}
    colours |= dict.fromkeys(sorted(hops), ROUTE_COLOUR)
    axes.add_collection(
        LineCollection(
            [_bow(places[a], places[b]) for a, b in sorted(hops)], colors=ROUTE_COLOUR, linewidths=1.8, zorder=2.5
        )
    )
    for (a, b), colour in colours.items():
        if a not in places or b not in places:
            continue
        bow = _bow(places[a], places[b])
        arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 0, "mutation_scale": 14, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", tuple(bow[9]), xytext=tuple(bow[8]), arrowprops=arrow, zorder=2.6)


def _bow(start: Place, end: Place) -> NDArray[np.float64]:
    """Return points of a link's line, shape (15, 2); the longer, the more it bows, to clear what lies between."""
    t = np.linspace(0, 1, 15)[:, None]
    one, other = np.array(start), np.array(end)
    rise, right = end[1] - start[1], end[0] - start[0]
    reach = 0.02 * np.clip(rise / 4, -1, 1) + (0.05 * np.sign(rise) if abs(rise) > 1.5 * _GAP else 0.0)
    sideways = np.array([reach, 0.0]) if rise else np.array([0.0, 0.27 * np.sign(right)])
    bow: NDArray[np.float64] = one + t * (other - one) + 4 * t * (1 - t) * sideways
    return bow


def _colour(use: Use) -> Any:
    return OVERLOAD_COLOUR if exceeds(use.load, use.limit) else FILLS(min(use.utilisation, 1.0))


def _draw_nodes(
    axes: Axes, rows: Bands, places: Mapping[str, Place], used: Sequence[Use], blocks: Mapping[str, str]
) -> None:
    fullest: dict[str, Use] = {}
    for use in used:  # the fullest resource of a node comes first
        if use.resource is not Resource.BANDWIDTH:
            fullest.setdefault(use.subject, use)
    for _, columns in rows:
        names = [name for column in columns for name in column]
        points = np.array([places[name] for name in names])
        axes.scatter(
            points[:, 0],
            points[:, 1],
            s=float(np.clip(9000 / len(columns) ** 1.3, 40, 320)),
            c=[_colour(fullest[name]) if name in fullest else "white" for name in names],
            edgecolors=[_edge(name, name in fullest or not used, blocks) for name in names],
            linewidths=[2.0 if name in blocks else 0.7 for name in names],
            zorder=3,
        )
    for name in _named(rows, places, list(fullest)[:FULLEST]):
        _name_node(axes, name, places[name], fullest.get(name), blocks.get(name))
    for name in set(blocks) - set(_named(rows, places, list(fullest)[:FULLEST])):
        _name_node(axes, name, places[name], fullest.get(name), blocks[name])


def _edge(name: str, is_used: bool, blocks: Mapping[str, str]) -> str:
    if name in blocks:
        return ROUTE_COLOUR
    return TEXT_COLOUR if is_used else UNUSED_COLOUR


def _named(rows: Bands, places: Mapping[str, Place], fullest: Sequence[str]) -> list[str]:
    """Return the nodes of short rows, and of long ones the fullest whose names find room."""
    named = [name for _, columns in rows if len(columns) <= LABELLED_ROW for column in columns for name in column]
    for name in fullest:
        x, y = places[name]
        if all(abs(x - places[other][0]) > NAME_WIDTH for other in named if places[other][1] == y):
            named.append(name)
    return named


def _name_node(axes: Axes, name: str, place: Place, use: Use | None, blocks: str | None) -> None:
    lines = [literal(shortened(name, LONGEST_NAME))]
    lines += [] if use is None else [f"{fixed_percent(use.utilisation, 0)} %"]
    lines += [] if blocks is None else [literal(blocks)]
    text = "\n".join(lines)
    style: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": "top", "zorder": 5}
    box = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
    axes.annotate(
        text,
        place,
        xytext=(0, -10),
        fontsize=6.5,
        color=TEXT_COLOUR,
        bbox=box,
        linespacing=0.95,
        **style,
    )


def _mark(axes: Axes, places: Mapping[str, Place], keys: Iterable[str], colour: str) -> None:
    """Draw a ring around nodes that keys name, and a dotted line over links."""
    subjects = {key.split(": ")[0] for key in keys}
    rings = np.array([places[name] for name in subjects if name in places]).reshape(-1, 2)
    style: dict[str, Any] = {"facecolor": "none", "edgecolor": colour, "linewidth": 1.8, "zorder": 4}
    axes.scatter(rings[:, 0], rings[:, 1], s=420, **style)
    ends = [key.split("->") for key in subjects if key not in places]
    bows = [_bow(places[pair[0]], places[pair[1]]) for pair in ends if len(pair) == 2 and set(pair) <= set(places)]
    axes.add_collection(LineCollection(bows, colors=colour, linewidths=1.4, linestyles=":", zorder=4))


def _draw_scale(figure: Figure, axes: Axes) -> None:
    """Draw what the colours mean."""
    colours = FILLS.with_extremes(over=OVERLOAD_COLOUR)
    bar = figure.colorbar(
        ScalarMappable(Normalize(0, 1), colours),
        ax=axes,
        location="bottom",
        shrink=0.35,
        aspect=30,
        pad=0.02,
        extend="max",
    )
    bar.set_ticks([0, 0.25, 0.5, 0.75, 1.0], labels=["0", "25", "50", "75", "100 %"])
    bar.set_label("used: the fullest resource of a node, the bandwidth of a link; beyond: overloaded", fontsize=8)
