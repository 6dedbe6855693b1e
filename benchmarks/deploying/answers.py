"""What an exit's answer says: how sure it is, and whether the sample leaves with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from finbench.benchmarks.deploying.manifest import PartExit, SplitApplication


def probabilities_of(answer: NDArray[np.generic], already: bool) -> NDArray[np.float64]:
    """Return an answer as probabilities p_c; where it is none yet, the softmax exp(z_c) / Σ exp(z)."""
    import numpy as np

    numbers = np.asarray(answer, np.float64).ravel()
    if already or numbers.size == 0:
        return numbers
    raised = np.exp(numbers - numbers.max())
    return np.asarray(raised / raised.sum(), np.float64)


def score_of(answer: NDArray[np.generic], exit_: PartExit, of: str) -> float:
    """Return the confidence max p_c of an answer, or its entropy −Σ p_c ln p_c, as thresholds are of."""
    import numpy as np

    shares = probabilities_of(answer, exit_.probabilities)
    if of == "entropy":
        positive = shares[shares > 0]
        return float(-(positive * np.log(positive)).sum())
    return float(shares.max(initial=0.0))


def leaves(answers: Sequence[NDArray[np.generic]], exit_: PartExit, app: SplitApplication) -> tuple[bool, float]:
    """Return whether a sample leaves at an exit that answers so, and how sure the answer is.

    It does from the threshold's confidence on, or up to its entropy; the last exit takes all samples. An answer that
    is not a number is never sure.
    """
    score = score_of(answers[0], exit_, app.thresholds_of)
    if exit_.threshold is None:
        return True, score
    return (score <= exit_.threshold if app.thresholds_of == "entropy" else score >= exit_.threshold), score
