"""A figure of the page drawn without scripts: the first view of a chart as plain SVG, in the page's own styles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup, escape

from finbench.benchmarks.analysis.units import sized
from finbench.benchmarks.plots.style import COLOURS
from finbench.benchmarks.report.chart import Axis, Chart, Panel, Series

WIDTH, HEIGHT = 560, 320
LEFT, RIGHT, TOP, BOTTOM = 78, 546, 10, 272
LETTER = 7.5
"""Room for a character of an axis [px]."""
CLOSE = 1.5
"""Points nearer than this to the last one drawn are left out [px]."""

FEW_POWERS = 3
"""Powers of ten up to which a logarithmic axis is labelled between them, too."""

DASHES = ("", "8 3", "2 3")


@dataclass(frozen=True)
class Scale:
    """Where the values of an axis lie between two ends of the picture."""

    axis: Axis
    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Return the coordinate of a value."""
        low, high = self._to(self.low), self._to(self.high)
        return self.start + (self._to(value) - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return values at which the axis is labelled."""
        if self.axis.ticks:
            return [tick for tick in self.axis.ticks if self.low <= tick <= self.high]
        if self.axis.scale == "linear":
            return _round_ticks(self.low, self.high)
        first = self.axis.threshold if self.axis.scale == "symlog" else self.low
        powers = range(floor(log10(first) + 1e-9), floor(log10(self.high) + 1e-9) + 1)
        factors = (1, 2, 5) if len(powers) <= FEW_POWERS else (1,)
        found = [factor * 10.0**power for power in powers[:: max(1, len(powers) // 6)] for factor in factors]
        within = [tick for tick in found if first * (1 - 1e-9) <= tick <= self.high]
        if self.axis.scale == "symlog":
            return [0.0, *within]
        return within if len(within) > 1 else _round_ticks(self.low, self.high)

    def _to(self, value: float) -> float:
        if self.axis.scale == "log":
            return log10(value)
        if self.axis.scale == "symlog":
            least = self.axis.threshold
            return value / least if value <= least else 1 + log10(value / least)
        return value


def scale_of(axis: Axis, values: Sequence[float], start: float, end: float) -> Scale:
    """Return the scale of an axis over some values."""
    low = axis.least if axis.least is not None else min(values, default=1.0)
    high = axis.most if axis.most is not None else max(values, default=2.0)
    if not low < high:
        low, high = (
            (low / 2, low * 2) if axis.scale == "log" else (low - (abs(low) or 1) / 2, low + (abs(low) or 1) / 2)
        )
    if axis.scale == "symlog":
        high = max(high, 10 * axis.threshold)
    if axis.scale == "log":
        reach = (high / low) ** 0.04
        low, high = (low if axis.least is not None else low / reach, high if axis.most is not None else high * reach)
    return Scale(axis, low, high, start, end)


def static_figure(chart: Chart) -> Markup:
    """Return the panels of a chart's first view, and its legend, as markup; every name is escaped."""
    panels = chart.views[chart.start].panels
    drawn = Markup("").join(_panel(chart, panel) for panel in panels)
    present = {series.entry for panel in panels for series in panel.series}
    legend = Markup("").join(_entry(name, k) for name, k in chart.styles.items() if name in present)
    return Markup('<div class="panels">{}</div><p class="legend">{}</p>').format(drawn, legend)


def _panel(chart: Chart, panel: Panel) -> Markup:
    x = scale_of(panel.x, [v for series in panel.series for v in series.x], LEFT, RIGHT)
    y = scale_of(panel.y, [v for series in panel.series for v in (*series.y, *series.high)], BOTTOM, TOP)
    lines = Markup("").join(_series(series, chart.styles[series.entry], x, y) for series in _beneath_first(panel))
    title = Markup("<h4>{}</h4>").format(panel.title) if panel.title else Markup("")
    label = f"{chart.title}: {panel.title or chart.views[chart.start].name}. {panel.y.label} over {panel.x.label}."
    image = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>')
    return Markup('<div class="panel">{}{}</div>').format(title, image.format(WIDTH, HEIGHT, label, _axes(x, y), lines))


def _beneath_first(panel: Panel) -> Iterable[Series]:
    return sorted(panel.series, key=lambda series: series.kind not in ("band", "halo"))


def _axes(x: Scale, y: Scale) -> Markup:
    made = [Markup('<path class="axis" d="M{} {}H{}"/>').format(LEFT, BOTTOM, RIGHT)]
    for tick in x.ticks():
        at = round(x.place(tick), 1)
        made.append(Markup('<path class="grid" d="M{} {}V{}"/>').format(at, TOP, BOTTOM))
        shown = _tick(x.axis, tick)
        made.append(_text(min(at, WIDTH - LETTER * len(shown) / 2), BOTTOM + 17, "middle", shown))
    for tick in y.ticks():
        at = round(y.place(tick), 1)
        made.append(Markup('<path class="grid" d="M{} {}H{}"/>').format(LEFT, at, RIGHT))
        made.append(_text(LEFT - 7, at + 4, "end", _tick(y.axis, tick)))
    made.append(_text((LEFT + RIGHT) / 2, BOTTOM + 36, "middle", x.axis.label))
    middle = (TOP + BOTTOM) / 2
    turned = Markup('<text x="13" y="{}" text-anchor="middle" transform="rotate(-90 13 {})">{}</text>')
    return Markup("").join([*made, turned.format(middle, middle, y.axis.label)])


def _text(x: float, y: float, anchor: str, text: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(x, y, anchor, text)


def _tick(axis: Axis, value: float) -> str:
    if axis.unit:
        return sized(value, axis.unit, 3)
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.4g}"


def _series(series: Series, style: int, x: Scale, y: Scale) -> Markup:
    colour = f"c{style % len(COLOURS)}" if style >= 0 else ""
    if series.kind == "band":
        there = _path(series.x, series.y, x, y, step=False)
        back = _path(series.x[::-1], series.high[::-1], x, y, step=False).replace("M", "L", 1)
        shape = Markup('<path class="band" d="{}{}Z"/>').format(there, back)
    elif series.kind == "points":
        shape = Markup('<path class="dot" d="{}"/>').format(_dots(series, x, y))
    else:
        kind = "halo" if series.kind == "halo" else "curve"
        dash = "5 4" if series.dashed else _dash(style)
        line = _path(series.x, series.y, x, y, step=series.kind == "step")
        shape = Markup('<path class="{}" d="{}" stroke-dasharray="{}"/>').format(kind, line, dash)
    return Markup('<g class="{}">{}</g>').format(colour, shape)


def _dash(style: int) -> str:
    return DASHES[max(style, 0) // len(COLOURS) % len(DASHES)] or "none"


def _path(xs: Sequence[float], ys: Sequence[float], x: Scale, y: Scale, *, step: bool) -> str:
    path, last = "", (-1e9, -1e9)
    for k, (one, two) in enumerate(zip(xs, ys, strict=True)):
        at = x.place(one), y.place(two)
        if k < len(xs) - 1 and abs(at[0] - last[0]) < CLOSE and abs(at[1] - last[1]) < CLOSE:
            continue
        start = f"M{at[0]:.1f} {at[1]:.1f}"
        path += start if not path else f"H{at[0]:.1f}V{at[1]:.1f}" if step else f"L{at[0]:.1f} {at[1]:.1f}"
        last = at
    return path


def _dots(series: Series, x: Scale, y: Scale) -> str:
    seen = {(round(x.place(one)), round(y.place(two))) for one, two in zip(series.x, series.y, strict=True)}
    return "".join(f"M{px - 3} {py}a3 3 0 1 0 6 0a3 3 0 1 0-6 0" for px, py in sorted(seen))


def _entry(name: str, style: int) -> Markup:
    colour = f"c{style % len(COLOURS)}" if style >= 0 else ""
    line = Markup('<path class="{}" d="M1 7H33" stroke-dasharray="{}"/>')
    swatch = Markup('<svg viewBox="0 0 34 14" aria-hidden="true" class="{}">{}</svg>')
    kind = "curve" if style >= 0 else "halo"
    return Markup("<span>{}{}</span> ").format(swatch.format(colour, line.format(kind, _dash(style))), escape(name))


def _round_ticks(low: float, high: float) -> list[float]:
    raw = (high - low) / 6
    power = 10.0 ** floor(log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    return [float(f"{k * step:.12g}") for k in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]
