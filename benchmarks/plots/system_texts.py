"""What the picture of a system says in words: its title, what is missing, what is fullest, what is worth most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from matplotlib.axes import Axes

from finbench.benchmarks.analysis.numbers import fixed_percent, number, plural
from finbench.benchmarks.plots.style import TEXT_COLOUR, literal, shortened
from finbench.models.evaluate import Evaluation
from finbench.models.instance import Instance
from finbench.models.loads import Use

OVERLOAD_COLOUR = "#5B1A8B"

Line = tuple[str, str]
"""What stands at the left and at the right of a line."""

FULLEST, PRICED = 10, 12
"""Lines of the lists beside the network."""

FULLEST_HEADING, MISSING_HEADING = "fullest resources", "missing capacities"
PRICES_HEADING = "prices and savings"

LONGEST_LINE = 34
"""Characters of a line's left side; a longer one loses its middle."""


def lines_beside(used: Sequence[Use], prices: Mapping[str, float], missing: Sequence[Line], unit: str) -> list[Line]:
    """Return what stands beside the network, left and right: what is missing, the fullest resources, the prices.

    `unit` is that of the objective.
    """
    lines = [(MISSING_HEADING, ""), *missing[:FULLEST]] if missing else []
    lines += [(f"… and {len(missing) - FULLEST} more", "")] if len(missing) > FULLEST else []
    lines += [*([("", "")] if lines else []), (FULLEST_HEADING, "")] if used else []
    lines += [(f"{use.subject}  {use.resource}", f"{fixed_percent(use.utilisation, 1)} %") for use in used[:FULLEST]]
    if prices:
        lines += [*([("", "")] if lines else []), (PRICES_HEADING, f"{unit} per unit")]
        lines += [(key, number(price, 3)) for key, price in list(prices.items())[:PRICED]]
        lines += [(f"… and {len(prices) - PRICED} more", "")] if len(prices) > PRICED else []
    return lines


def draw_lines(axes: Axes, lines: Sequence[Line]) -> None:
    """Draw lines on an Axes of their own, headings bold."""
    axes.set_axis_off()
    for k, (text, value) in enumerate(lines):
        heading = text in (FULLEST_HEADING, PRICES_HEADING, MISSING_HEADING)
        style: dict[str, Any] = {
            "xycoords": "axes fraction", "textcoords": "offset points", "va": "top",
            "color": OVERLOAD_COLOUR if text == MISSING_HEADING else TEXT_COLOUR,
            "fontsize": 9 if heading else 8, "fontweight": "bold" if heading else "normal",
        }  # fmt: skip
        axes.annotate(literal(shortened(text, LONGEST_LINE)), (0, 1), xytext=(0, -13 * k), ha="left", **style)
        axes.annotate(value, (1, 1), xytext=(0, -13 * k), ha="right", **style)


def draw_titles(axes: Axes, instance: Instance, evaluation: Evaluation | None, width: float) -> None:
    """Draw the instance's name and the facts of the deployment above a network of so many inches."""
    total = len(instance.applications)
    applications = f"{total} {plural(total, 'application')}"
    facts = [f"{len(instance.network.nodes)} nodes, {len(instance.network.links)} links"]
    if evaluation is None:
        facts.append(applications)
    else:
        facts.append(f"{len(evaluation.applications)} of {applications} served")
        if evaluation.objective is not None:
            facts.append(f"{number(evaluation.objective, 6)} {instance.objective_unit}")
        if evaluation.violations:
            facts.append(f"rules broken: {len(evaluation.violations)}")
    style: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "color": TEXT_COLOUR}
    whole = [fact.replace(" ", "\N{NO-BREAK SPACE}") for fact in facts]  # lines break between facts
    lines = [line.replace("\N{NO-BREAK SPACE}", " ") for line in wrap(" · ".join(whole), int(13 * width))]
    name = literal(shortened(instance.name, int(7 * width)))
    axes.annotate(name, (0, 1), xytext=(0, 5 + 13 * len(lines)), fontsize=13, fontweight="bold", **style)
    axes.annotate("\n".join(lines), (0, 1), xytext=(0, 3), fontsize=9.5, **style)
