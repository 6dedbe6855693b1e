r"""Thresholds of a DNN's exits, judged on samples: where they leave, and how often the DNN is right.

A sample leaves at the first exit whose confidence reaches the exit's threshold (or whose entropy does not exceed it),
at the last exit otherwise. With l_s the exit where sample s leaves and c_{s,e} whether exit e is right about it,

    φ_e = share of samples with l_s = e,        α_f = mean over s of c_{s, min(l_s, f)},

so samples that have not left are answered by the last deployed exit f.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from finbench.benchmarks.imports.exits.exit_profiles import ExitFacts, ExitProfile
from finbench.models.io import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_SETTINGS = 5000
"""Settings of a grid that are compared with each other."""


@dataclass(frozen=True)
class Judgements:
    """What every exit says of every sample."""

    score: NDArray[np.float64]
    """Shape (samples, exits): how sure an exit is; the more, the surer."""
    correct: NDArray[np.bool_]
    """Shape (samples, exits): whether it is right."""


def facts_of(judged: Judgements, thresholds: tuple[float, ...]) -> ExitProfile:
    """Return where samples leave under thresholds of all exits but the last, and how often the DNN is right."""
    import numpy as np

    samples, exits = judged.score.shape
    sure = np.ones((samples, exits), dtype=bool)
    sure[:, :-1] = judged.score[:, :-1] >= np.array(thresholds)
    leaves = np.argmax(sure, axis=1)
    counts = np.bincount(leaves, minlength=exits)
    right = [judged.correct[np.arange(samples), np.minimum(leaves, last)].mean() for last in range(exits)]
    facts = [
        ExitFacts(exit_fraction=float(count / samples), accuracy=float(share))
        for count, share in zip(counts, right, strict=True)
    ]
    return ExitProfile(thresholds=thresholds, exits=tuple(facts))


def best_settings(judged: Judgements, steps: int) -> list[ExitProfile]:
    """Return the settings of a grid that no other one dominates, by rising accuracy of the whole DNN.

    The grid has for each exit but the last `steps` + 1 thresholds between which equally many samples lie. One setting
    dominates another if after every exit at least as many samples have left, every accuracy is at least as high, and
    something is better; of equal ones the first stays.

    Raises
    ------
    InputError
        If the grid has more than `MOST_SETTINGS` settings.
    """
    import numpy as np

    exits = judged.score.shape[1]
    if (steps + 1) ** (exits - 1) > MOST_SETTINGS:
        raise InputError(
            "--grid", f"{steps}: makes more than {MOST_SETTINGS} settings of {exits} exits; take fewer steps"
        )
    grid = [
        np.unique(np.quantile(judged.score[:, k], np.linspace(0, 1, steps + 1), method="nearest")).tolist()
        for k in range(exits - 1)
    ]
    settings = [facts_of(judged, thresholds) for thresholds in product(*grid)]
    merits = np.array([_merits(setting) for setting in settings])
    kept = [setting for k, setting in enumerate(settings) if not _is_dominated(merits, k)]
    return sorted(kept, key=lambda setting: setting.exits[-1].accuracy)


def _merits(setting: ExitProfile) -> list[float]:
    """Return what is better when it is more: samples that have left after each exit, and every accuracy."""
    left = [sum(each.exit_fraction for each in setting.exits[:k]) for k in range(1, len(setting.exits))]
    return [*(round(share, 12) for share in left), *(each.accuracy for each in setting.exits)]


def _is_dominated(merits: NDArray[np.float64], k: int) -> bool:
    """Return whether a setting is no better than another one, or equals an earlier one."""
    at_least = (merits >= merits[k]).all(axis=1)
    more = (merits > merits[k]).any(axis=1)
    return bool((at_least & more).any() or at_least[:k].any())


def thinned(settings: list[ExitProfile], most: int) -> list[ExitProfile]:
    """Return at most `most` settings, the first and the last among them, spread evenly over their order."""
    if len(settings) <= most:
        return settings
    return [settings[round(k * (len(settings) - 1) / max(1, most - 1))] for k in range(most)]
