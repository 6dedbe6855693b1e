"""The README's pictures, drawn from real runs."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib as mpl
from matplotlib.figure import Figure

from finbench.benchmarks.analysis.frame import frame
from finbench.benchmarks.analysis.gaps import gap_by_gamma
from finbench.benchmarks.campaigns.campaign import load_campaign
from finbench.benchmarks.execution.local import run_locally
from finbench.benchmarks.execution.runner import run_campaign
from finbench.benchmarks.families import generate_shared
from finbench.benchmarks.plots.explained import draw_explanation
from finbench.benchmarks.plots.frontier import draw_frontiers
from finbench.benchmarks.plots.gaps import draw_gap_by_gamma
from finbench.benchmarks.plots.style import STYLE, save_picture
from finbench.benchmarks.terminal.frontier_view import instance_frontiers
from finbench.benchmarks.upkeep.wings_picture import draw_wings
from finbench.fin_graph.joint.explanation.explain import explain
from finbench.fin_graph.stages.drawing import draw_fin
from finbench.fin_graph.stages.inference import fin_three_stages
from finbench.models.io import load_instance

INSTANCE = "balexnet-cifar10"
DRAWN_GAMMA = 10
FRONTIER_GAMMA = 100
SHARED_SIZE = 50
EXPLAINED_S = 30.0


def readme_figures(folder: Path) -> list[Path]:
    """Draw FIN's graph, gap against γ over the published target grids, the frontier, and a shared system.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Path
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    instance = load_instance(INSTANCE)
    stages = fin_three_stages(instance, instance.applications[0], DRAWN_GAMMA)
    found = instance_frontiers(instance, gamma=FRONTIER_GAMMA, horizon_s=None, time_limit_s=None)
    with TemporaryDirectory() as scratch:
        outcome = run_campaign(load_campaign("rounding"), Path(scratch), run_locally)
    with mpl.rc_context(STYLE):
        gaps = draw_gap_by_gamma(gap_by_gamma(frame(outcome.rows)))
    pictures = {
        "fin-graph": draw_fin(stages, f"FIN on {INSTANCE}: {DRAWN_GAMMA} latency steps"),
        "gap-by-gamma": gaps,
        "wings": draw_wings(),
        "frontier": draw_frontiers(instance, FRONTIER_GAMMA, found),
        "shared-system": _shared_system(),
    }
    paths = [folder / f"{name}.png" for name in pictures]
    for path, figure in zip(paths, pictures.values(), strict=True):
        save_picture(figure, path)
    return paths


def _shared_system() -> Figure:
    """Draw a campus under its best known deployment, with shadow prices."""
    campus = generate_shared("campus", nodes=SHARED_SIZE, applications=SHARED_SIZE, load=0.7, seed=1)
    return draw_explanation(campus, explain(campus, time_limit_s=EXPLAINED_S))
