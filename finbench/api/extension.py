"""Own methods, families and solvers: decorators that register functions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from finbench.benchmarks.methods import Supports, register_method, register_solver, supports_all
from finbench.benchmarks.plugins.plugin import load_file
from finbench.models.options import Options
from finbench.models.result import Result

if TYPE_CHECKING:
    from finbench.benchmarks.families.family import Family, SharedFamily

__all__ = ["family", "load_plugin", "method", "register_family", "register_method", "register_solver", "shared_family"]

Solve = TypeVar("Solve", bound=Callable[..., Result])
Draw = TypeVar("Draw", bound=Callable[..., Any])


def method(
    name: str,
    *,
    title: str = "",
    exact: bool = False,
    options: type[Options] = Options,
    supports: Supports = supports_all,
) -> Callable[[Solve], Solve]:
    """Register the decorated function as a method.

    Parameters
    ----------
    name : str
        Letters, digits, `.`, `_` and `-`.
    title : str
        One line for people; left out: the first line of the function's docstring.
    exact : bool
        Whether it proves optimality, or infeasibility, when it is given enough time.
    options : type of Options
        A class with a field for each option.
    supports : callable
        `supports(instance, options) -> str | None`: why an instance is refused, in words; None where it is not.

    Returns
    -------
    callable
        Takes `solve(instance, options, *, time_limit_s, seed) -> Result` and returns it as it is.

    Raises
    ------
    InputError
        If the name is taken or malformed, or a parameter is not what is described here.

    Examples
    --------
    A method that refuses to do anything::

        @fb.method("idle", title="does nothing")
        def idle(instance, options, *, time_limit_s, seed):
            return fb.Result(fb.Status.NO_SOLUTION, reason="is idle")
    """

    def registered(solve: Solve) -> Solve:
        register_method(name, solve, title=title, exact=exact, options=options, supports=supports)
        return solve

    return registered


def family(
    name: str, *, title: str = "", fewest_blocks: int = 1, most_blocks: int = 1000, most_nodes: int = 100_000
) -> Callable[[Draw], Draw]:
    """Register the decorated function as a family of instances with one application.

    Parameters
    ----------
    name : str
        Letters, digits, `.`, `_` and `-`.
    title : str
        One line for people; left out: the first line of the function's docstring.
    fewest_blocks, most_blocks, most_nodes : int
        Sizes that it makes.

    Returns
    -------
    callable
        Takes `draw(rng, size) -> Instance` and returns it as it is. All randomness comes from `rng`, a
        `numpy.random.Generator`; the latency target is placed afterwards, neither trivial nor infeasible.

    Raises
    ------
    InputError
        If the name is taken or malformed.
    """

    def registered(draw: Draw) -> Draw:
        from finbench.benchmarks.families import Family

        register_family(Family(name, title or _first_line(draw), draw, fewest_blocks, most_blocks, most_nodes))
        return draw

    return registered


def shared_family(
    name: str, *, title: str = "", fewest_nodes: int = 2, most_nodes: int = 10_000, most_applications: int = 10_000
) -> Callable[[Draw], Draw]:
    """Register the decorated function as a family of systems that many applications share.

    Parameters
    ----------
    name : str
        Letters, digits, `.`, `_` and `-`.
    title : str
        One line for people; left out: the first line of the function's docstring.
    fewest_nodes, most_nodes, most_applications : int
        Sizes that it makes.

    Returns
    -------
    callable
        Takes `draw(rng, size) -> Instance`, latency targets included, and returns it as it is.

    Raises
    ------
    InputError
        If the name is taken or malformed.
    """

    def registered(draw: Draw) -> Draw:
        from finbench.benchmarks.families import SharedFamily

        sizes = (fewest_nodes, most_nodes, most_applications)
        register_family(SharedFamily(name, title or _first_line(draw), draw, *sizes))
        return draw

    return registered


def register_family(family: Family | SharedFamily) -> Family | SharedFamily:
    """Put a family of instances into the registry, and return it.

    Parameters
    ----------
    family : Family or SharedFamily

    Raises
    ------
    InputError
        If the name is taken or malformed.
    """
    from finbench.benchmarks import families  # with NumPy and all generators

    return families.register_family(family)


def load_plugin(path: str | Path) -> None:
    """Load a Python file that registers methods, families or solvers, as `--plugin` does on the command line.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    InputError
        If the file cannot be read, its code fails, or it registers nothing or a name that is taken.
    """
    load_file(path)


def _first_line(function: object) -> str:
    return (getattr(function, "__doc__", None) or "").strip().partition("\n")[0]
