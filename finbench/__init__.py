"""Placement of early-exit DNNs on mobile-edge-cloud networks: read an instance, solve it, judge a deployment.

    import finbench as fb

    instance = fb.load("balexnet-cifar10")
    result = fb.solve(instance, "fin", gamma=100)
    print(fb.evaluate(instance, result.deployment).objective)

Libraries are imported where they are used, so that this import stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from finbench.models.deployment import Deployment
    from finbench.models.evaluate import Evaluation
    from finbench.models.instance import Instance
    from finbench.models.result import Result

__all__ = ["__version__", "evaluate", "load", "solve"]


def __getattr__(name: str) -> str:
    """The version, looked up when it is asked for: that alone takes longer than the import of this module."""
    if name == "__version__":
        from importlib import metadata

        return metadata.version("finbench")
    raise AttributeError(f"module 'finbench' has no attribute '{name}'")


def load(name_or_path: str | Path) -> Instance:
    """Read an instance by its shipped name or from a TOML or JSON file.

    Parameters
    ----------
    name_or_path : str or Path

    Raises
    ------
    finbench.models.io.InputError
        If the file, or one it refers to, cannot be read or breaks a rule.
    """
    from finbench.models.io import load_instance

    return load_instance(name_or_path)


def solve(
    instance: Instance, method: str = "fin", *, time_limit_s: float | None = None, seed: int = 0, **options: Any
) -> Result:
    """Solve an instance with one method.

    Parameters
    ----------
    instance : Instance
    method : str
        A name that `finbench methods` lists.
    time_limit_s : float or None
        Limit for the whole run [s]; None: no limit.
    seed : int
    **options
        Options of the method, as `finbench methods` lists them.

    Returns
    -------
    Result
        What the method claims; `evaluate` says what its deployment really costs.

    Raises
    ------
    finbench.models.io.InputError
        If there is no such method or option, or a value breaks the option's rule.
    """
    from finbench.benchmarks.methods import run_method

    return run_method(instance, method, time_limit_s=time_limit_s, seed=seed, **options)


def evaluate(instance: Instance, deployment: Deployment) -> Evaluation:
    """Compute what a deployment costs and every rule that it breaks, independently of all methods.

    Parameters
    ----------
    instance : Instance
    deployment : Deployment

    Returns
    -------
    Evaluation
        Energy [J], latency [s] and accuracy of every application, the objective, and the violations.
    """
    from finbench.models.evaluate import evaluate as evaluate_deployment

    return evaluate_deployment(instance, deployment)
