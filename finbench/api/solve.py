"""`fb.solve`, with a signature for each method.

Written by `python -m finbench.benchmarks.upkeep.signatures` from the classes of the methods' options; not by hand.
"""

from __future__ import annotations

from typing import Any, Literal, overload

from finbench.api.running import solved
from finbench.api.signature import shows_options
from finbench.api.solution import Solution
from finbench.models.instance import Instance


@overload
def solve(
    instance: Instance,
    method: Literal["milp-flow"],
    *,
    time_limit_s: float | None = ...,
    seed: int = ...,
    mip_gap: float = ...,
    threads: int = ...,
    strengthen: bool = ...,
    solver: Literal["highs", "scip", "cbc", "glpk", "gurobi", "cplex", "xpress"] = ...,
    warm_start: Literal["none", "fin"] = ...,
) -> Solution: ...


@overload
def solve(
    instance: Instance,
    method: Literal["milp-assignment"],
    *,
    time_limit_s: float | None = ...,
    seed: int = ...,
    mip_gap: float = ...,
    threads: int = ...,
    solver: Literal["highs", "scip", "cbc", "glpk", "gurobi", "cplex", "xpress"] = ...,
) -> Solution: ...


@overload
def solve(
    instance: Instance,
    method: Literal["cp-sat"],
    *,
    time_limit_s: float | None = ...,
    seed: int = ...,
    mip_gap: float = ...,
    threads: int = ...,
    strengthen: bool = ...,
) -> Solution: ...


@overload
def solve(
    instance: Instance,
    method: Literal["label-setting"],
    *,
    time_limit_s: float | None = ...,
    seed: int = ...,
    k: int = ...,
) -> Solution: ...


@overload
def solve(
    instance: Instance,
    method: Literal["exhaustive"],
    *,
    time_limit_s: float | None = ...,
    seed: int = ...,
) -> Solution: ...


@overload
def solve(
    instance: Instance,
    method: Literal["column-generation"],
    *,
    time_limit_s: float | None = ...,
    seed: int = ...,
    smoothing: bool = ...,
    prove: bool = ...,
) -> Solution: ...


@overload
def solve(
    instance: Instance,
    method: Literal["branch-price-and-cut"],
    *,
    time_limit_s: float | None = ...,
    seed: int = ...,
    cuts: bool = ...,
    lists: bool = ...,
) -> Solution: ...


@overload
def solve(
    instance: Instance,
    method: Literal["fin"] = "fin",
    *,
    time_limit_s: float | None = ...,
    seed: int = ...,
    gamma: int = ...,
    band: int | None = ...,
    rounding: Literal["per-edge", "cumulative"] = ...,
    engine: Literal["auto", "networkx", "arrays"] = ...,
    certify: float | None = ...,
    order: Literal["tightest", "largest", "given"] = ...,
    restarts: int = ...,
    effort: float = ...,
    threads: int = ...,
) -> Solution: ...


@overload
def solve(
    instance: Instance,
    method: Literal["greedy"],
    *,
    time_limit_s: float | None = ...,
    seed: int = ...,
) -> Solution: ...


@overload
def solve(
    instance: Instance,
    method: Literal["larac"],
    *,
    time_limit_s: float | None = ...,
    seed: int = ...,
) -> Solution: ...


@overload
def solve(
    instance: Instance,
    method: Literal["mcp"],
    *,
    time_limit_s: float | None = ...,
    seed: int = ...,
) -> Solution: ...


@overload
def solve(
    instance: Instance,
    method: Literal["single-node"],
    *,
    time_limit_s: float | None = ...,
    seed: int = ...,
    node: Literal["best", "source"] = ...,
) -> Solution: ...


@overload
def solve(
    instance: Instance,
    method: str,
    *,
    time_limit_s: float | None = ...,
    seed: int = ...,
    **options: Any,
) -> Solution: ...


@shows_options
def solve(
    instance: Instance, method: str = "fin", *, time_limit_s: float | None = None, seed: int = 0, **options: Any
) -> Solution:
    """Solve an instance with one method, and judge the answer.

    Parameters
    ----------
    instance : Instance
    method : str
        A name that `finbench methods` lists, or one that a plugin brings.
    time_limit_s : float or None
        Limit for the whole run [s]; None: no limit.
    seed : int
        Of everything that the method draws.
    **options
        Options of the method, as listed below.

    Returns
    -------
    Solution
        Deployment, status and bound as the method says, costs and violations as the evaluator finds.

    Raises
    ------
    InputError
        If there is no such method or option, or a value breaks the option's rule.

    Notes
    -----
    Options by method:

    * ``milp-flow``: MILP, a unit flow for each block output

      * ``mip_gap = 0.0``: Relative gap at which the solver may stop.
      * ``threads = 1``: Threads that the solver may use.
      * ``strengthen = True``: Remove what bounds prove useless before the solver starts; off: the plain formulation.
      * ``solver = 'highs'``: The solver, one that `finbench methods` lists as installed.
      * ``warm_start = 'none'``: Start from FIN's deployment; FIN's time is the phase `warm_start`.

    * ``milp-assignment``: MILP, linearised products

      * ``mip_gap = 0.0``: Relative gap at which the solver may stop.
      * ``threads = 1``: Threads that the solver may use.
      * ``solver = 'highs'``: The solver, one that `finbench methods` lists as installed.

    * ``cp-sat``: OR-Tools CP-SAT, whole numbers

      * ``mip_gap = 0.0``: Relative gap at which the solver may stop.
      * ``threads = 1``: Threads that the solver may use.
      * ``strengthen = True``: Remove what bounds prove useless before the solver starts; off: the plain formulation.

    * ``label-setting``: non-dominated labels

      * ``k = 1``: Number of least-energy deployments to find.

    * ``exhaustive``: complete enumeration, for tiny instances

    * ``column-generation``: Dantzig-Wolfe over deployments, with a bound

      * ``smoothing = True``: Price columns between the best prices and the master's; off: at the master's.
      * ``prove = True``: List the columns that a better solution could use, and solve over them.

    * ``branch-price-and-cut``: column generation in every node of a tree, with cuts

      * ``cuts = True``: Cut off fractions by cover inequalities of compute, memory, bandwidth and reservations.
      * ``lists = True``: Close nodes whose columns can be listed by the program in whole numbers over them.

    * ``fin``: FIN, the three-stage graph heuristic

      * ``gamma = 100``: Resolution γ: steps that the latency budget is divided into.
      * ``band = None``: Keep only ends that use all but this many steps of the budget; left out: keep all.
      * ``rounding = 'per-edge'``: Round latencies up to steps edge by edge, as published, or along the path: never
        worse, slower.
      * ``engine = 'auto'``: Build the three graphs (networkx), or relax them without building them (arrays).
      * ``certify = None``: Double gamma until the proven gap is at most this; 0 asks for the optimum; left out: no
        proof.
      * ``order = 'tightest'``: Several applications: place first who has least slack in latency, who loads most, or who
        is given first.
      * ``restarts = 9``: Several applications: further insertions in drawn orders, as far as effort lasts.
      * ``effort = 1.0``: Several applications: work of improvement; 1 is the default amount, 0 none.
      * ``threads = 1``: Several applications: cores that search at once; the answer does not depend on it.

    * ``greedy``: first come, first served, one split each

    * ``larac``: Lagrangian relaxation, repeated shortest paths

    * ``mcp``: multi-constrained path (energy plays no part)

    * ``single-node``: everything on one node

      * ``node = 'best'``: Try every node and keep the one of least energy (best), or only the application's source.

    Examples
    --------
    >>> import finbench as fb
    >>> fb.solve(fb.load("blenet-mnist"), "exhaustive").status
    <Status.OPTIMAL: 'optimal'>
    """
    return solved(instance, method, time_limit_s=time_limit_s, seed=seed, **options)
