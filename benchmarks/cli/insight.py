"""The commands that explain: why nothing fits, what more of a resource is worth, what latency and accuracy cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from finbench.benchmarks.cli.exit_codes import FOUND, INFEASIBLE, NOTHING_FOUND
from finbench.benchmarks.cli.options import OVERRIDES, AsJson, InstanceName, Picture, Seed, TimeLimit, loaded, takes
from finbench.benchmarks.cli.panels import SOLVE
from finbench.benchmarks.library.named import load_named
from finbench.benchmarks.terminal import console
from finbench.models.instance import Instance, Objective
from finbench.models.io import InputError
from finbench.models.result import Status

if TYPE_CHECKING:
    from matplotlib.figure import Figure

commands = typer.Typer()

DEFINITIONS = [each for each in OVERRIDES if each.name in ("accounting", "latency_kind", "objective")]
"""Overrides of a command that varies the targets itself."""


@commands.command(rich_help_panel=SOLVE)
def explain(
    instance: InstanceName,
    time_limit: TimeLimit = 60.0,
    seed: Seed = 0,
    as_json: AsJson = False,
    output: Picture = None,
) -> None:
    """Say what stands in the way and what to buy: capacity, faster nodes and links, looser targets.

    Where nothing fits: what is missing, and which node or link would do if it were faster. Where everything fits: what
    more of each capacity, faster parts (at equal energy per operation and bit) and looser targets would save.

    Exit code 3 where it is proven that nothing fits, 4 where nothing was found without a proof.

    Example: [bold]finbench explain balexnet-cifar10[/bold]

    Example: [bold]finbench explain campus.json --time-limit 20 -o prices.png[/bold]
    """
    from finbench.benchmarks.terminal import explanation_view as view
    from finbench.fin_graph.joint.explanation.explain import explain as explain_instance

    problem = load_named(instance)
    found = explain_instance(problem, time_limit_s=time_limit, seed=seed)
    if as_json:
        console.print_json(view.to_json(problem, found))
    else:
        view.print_explanation(problem, found)
    if output is not None:
        from finbench.benchmarks.plots.explained import draw_explanation
        from finbench.benchmarks.plots.style import save_picture

        save_picture(draw_explanation(problem, found), output)
        console.print_written(output)
    infeasible = found.result.status is Status.INFEASIBLE
    raise typer.Exit(FOUND if found.fits else INFEASIBLE if infeasible else NOTHING_FOUND)


class Against(StrEnum):
    """What energy is weighed against."""

    CARBON = "carbon"
    MONEY = "money"


@commands.command(rich_help_panel=SOLVE)
@takes(overrides=DEFINITIONS)
def frontier(
    instance: InstanceName,
    gamma: Annotated[int, typer.Option(min=1, help="Resolution γ: latency steps over the whole range.")] = 200,
    horizon_s: Annotated[
        float | None,
        typer.Option("--horizon", help="Largest latency budget \\[s]; left out: beyond which more saves nothing."),
    ] = None,
    quantiles: Annotated[
        str | None,
        typer.Option(
            "--latency-quantile", help="Shares of samples that leave in time, separated by commas: one case each."
        ),
    ] = None,
    against: Annotated[
        Against | None,
        typer.Option(help="Instead: energy against carbon or money at the instance's own targets, for all weights."),
    ] = None,
    time_limit: TimeLimit = None,
    as_json: AsJson = False,
    output: Picture = None,
    *,
    overrides: dict[str, Any],
) -> None:
    """Find the least energy for every latency budget and every exit, exact and by FIN.

    A printed budget is rounded up: `solve --max-latency` with it reaches the printed energy. Where carbon or money is
    minimised, that stands in the place of the energy.

    Example: [bold]finbench frontier balexnet-cifar10 --gamma 100 -o frontier.png[/bold]

    Example: [bold]finbench frontier balexnet-cifar10 --latency-quantile 0.5,0.9,1 -o frontier.png[/bold]

    Example: [bold]finbench frontier mine.toml --against carbon -o carbon.png[/bold]
    """
    cases = _cases(instance, overrides, quantiles)
    found = _trade_offs(cases, against, time_limit) if against else _frontiers(cases, gamma, horizon_s, time_limit)
    found.show(as_json=as_json)
    if output is not None and found.there:
        from finbench.benchmarks.plots.style import save_picture

        save_picture(found.draw(), output)
        console.print_written(output)
    elif output is not None:
        console.print_unwritten(output, found.nothing)
    raise typer.Exit(FOUND if found.there else NOTHING_FOUND)


@dataclass(frozen=True)
class _FrontierAnswer:
    """What was found for all cases of an instance, and how it is shown."""

    to_json: list[dict[str, Any]]
    print_all: Callable[[], None]
    draw: Callable[[], Figure]
    there: bool
    nothing: str

    def show(self, *, as_json: bool) -> None:
        """Print tables or JSON: an object for one case, a list of objects for several."""
        if as_json:
            console.print_json(self.to_json[0] if len(self.to_json) == 1 else self.to_json)
        else:
            self.print_all()


def _cases(instance: str, overrides: dict[str, Any], quantiles: str | None) -> dict[str, Instance]:
    """Return the instance with its overrides, once for each quantile, by what tells the cases apart."""
    if quantiles is None:
        return {"": loaded(instance, overrides)}
    shares = list(dict.fromkeys(text.strip() for text in quantiles.split(",")))
    try:
        given = {text: float(text) for text in shares}
    except ValueError:
        raise InputError("--latency-quantile", f"{quantiles!r}: must be numbers separated by commas") from None
    return {f"q = {text}": loaded(instance, {**overrides, "latency_quantile": q}) for text, q in given.items()}


def _frontiers(
    cases: dict[str, Instance], gamma: int, horizon_s: float | None, time_limit: float | None
) -> _FrontierAnswer:
    from finbench.benchmarks.plots.frontier import draw_frontiers_side_by_side
    from finbench.benchmarks.terminal import frontier_view as view

    found = {
        name: view.instance_frontiers(problem, gamma=gamma, horizon_s=horizon_s, time_limit_s=time_limit)
        for name, problem in cases.items()
    }

    def print_all() -> None:
        for name, problem in cases.items():
            view.print_frontiers(problem, gamma, found[name])

    return _FrontierAnswer(
        [view.to_json(problem, gamma, found[name]) for name, problem in cases.items()],
        print_all,
        lambda: draw_frontiers_side_by_side(next(iter(cases.values())), gamma, found),
        any(found.values()),
        "no exit can be reached",
    )


def _trade_offs(cases: dict[str, Instance], against: Against, time_limit: float | None) -> _FrontierAnswer:
    from finbench.benchmarks.judging.trade_off import trade_off
    from finbench.benchmarks.plots.trade_off import draw_trade_offs
    from finbench.benchmarks.terminal import trade_off_view as view

    other = Objective(against.value)
    found = {name: trade_off(problem, other, time_limit_s=time_limit) for name, problem in cases.items()}

    def print_all() -> None:
        for name, problem in cases.items():
            view.print_trade_off(problem, found[name])

    return _FrontierAnswer(
        [view.to_json(problem, found[name]) for name, problem in cases.items()],
        print_all,
        lambda: draw_trade_offs(next(iter(cases.values())), found),
        any(one.points for one in found.values()),
        "no deployment was found",
    )
