"""The flow formulation in whole numbers, for CP-SAT.

Columns are 0 or 1, for outputs i = 0..D−1 and blocks i = 1..D of each application:

    x_{i,p}   block i runs at site p: a node n, or a share r of one that reserves and keeps up (22)
    t_{i,nm}  output i takes link (n, m)
    y_{f,n}   the DNN ends at exit f on node n, for accurate-enough exits only (9)
    ρ         the application is rejected, where it may be

    (3)      minimise Σ c_j v_j
    (14, 23) exactly one of all y_{f,n} and ρ; of an application with alternatives, of those of all of them (29)
    (6)      exactly one of all x_{i,p}, of the y_{f,n} with b(f) < i, and ρ                    for every block i;
             of one of several alternatives also of all y_{f,n} of the others
    (7)      x_{i,n} + Σ_m t_{i,mn} = Σ_m t_{i,nm} + x_{i+1,n} + Σ_{f: b(f) = i} y_{f,n}        for every i and n,
             where x_{i,n} is the sum over the sites of n, and x_{0,n} is 1 − ρ at the source and 0 elsewhere;
             of one of several alternatives Σ y_{f,n} at the source
    (8)      latency, (11) compute, (12) memory, (13) bandwidth, (21) reservations   Σ a_j v_j ≤ limit
    (10)     a pinned block has no other columns

CP-SAT takes whole numbers below 2⁶³ only, and so everything is rounded **down**, after multiplication by a power of two
(which is exact):

- Rows: Σ a_j v_j ≤ A implies Σ ⌊a_j 2ᵏ⌋ v_j ≤ ⌊A 2ᵏ⌋, so that no feasible deployment is lost. A column with a_j > A
  breaks the row alone and is left out; with A 2ᵏ < 2⁴⁰ sums stay below 2⁶². What the rounding lets in breaks a row by
  less than one unit, 2⁻³⁹ of the limit, a column; `models.cp_sat.method` checks every solution and cuts those off.
- Objective: 2⁻ᵏ Σ ⌊c_j 2ᵏ⌋ v_j ≤ Σ c_j v_j, so that a bound proven for the left side holds for the right one, and the
  two differ by less than one unit 2⁻ᵏ for each column used. That is 2⁻³⁹ of the least energy, or 2⁻⁴⁷ of the sum of all
  coefficients where that is more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from finbench.models.programs.costs import Capacities, Costs, Floats, Ints, Mask, by_application
from finbench.models.programs.steps import Steps
from finbench.models.programs.strengthen import Kept, everything, nothing
from finbench.models.tolerances import FLOAT_NOISE, relaxed

IntegerRow: TypeAlias = tuple[list[int], list[int], int, int]
"""Columns, their coefficients, and the least and the greatest sum."""

PRECISION_BITS = 40
"""A row's limit, and the least energy of the objective, become whole numbers of this many bits."""

SUM_BITS = 48
"""The objective of all columns together stays below 2 to this power: CP-SAT reports objectives, with the constants that
its presolve has taken out, as floating-point numbers, which count exactly to 2⁵³."""

ABSENT = -1


@dataclass(frozen=True)
class ColumnNumbers:
    """Column numbers of an application, `ABSENT` where there is none: D blocks, N nodes, P sites, A links, F exits."""

    costs: Costs
    exits: tuple[int, ...]
    """1-based exits f that may be the last."""
    run: Ints
    """(D, P) columns x_{i,p}, row i − 1."""
    send: Ints
    """(D, A) columns t_{i,nm}."""
    end: Ints
    """(F, N) columns y_{f,n}."""
    reject: Ints
    """(1,) the column ρ; of alternatives, all have the same one."""
    others: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    """Columns y_{f,n} of the application's other alternatives."""
    alternative: bool = False
    """Whether the application has others."""

    @property
    def after(self) -> Ints:
        """(F,) block b(f) of every exit."""
        after: Ints = self.costs.after_block[np.array(self.exits, dtype=np.intp) - 1]
        return after


@dataclass(frozen=True)
class IntegerProgram:
    """A program over columns of 0 or 1."""

    parts: tuple[ColumnNumbers, ...]
    """The applications' columns."""
    objective: tuple[int, ...]
    """Coefficient of every column."""
    unit: float
    """Objective value of 1 [J or W]."""
    exactly_one: tuple[list[int], ...]
    """Sets of columns of which exactly one is 1."""
    rows: tuple[IntegerRow, ...]

    def to_json(self) -> dict[str, Any]:
        """Return what the process that solves it needs."""
        return {"objective": self.objective, "exactly_one": self.exactly_one, "rows": self.rows}

    def steps(self, chosen: Sequence[int]) -> list[Steps | None]:
        """Return the decisions of every application where the `chosen` columns are 1, None for a rejected one."""
        values = np.zeros(len(self.objective) + 1, dtype=np.bool_)  # the last one is what ABSENT picks
        values[list(chosen)] = True
        return [_steps(part, values) for part in self.parts]

    def columns_of(self, all_steps: Sequence[Steps | None]) -> list[int]:
        """Return the columns x and t that the decisions need."""
        return [
            column
            for part, steps in zip(self.parts, all_steps, strict=True)
            if steps is not None
            for k, (site, route) in enumerate(zip(steps.placement, steps.routes, strict=True))
            for column in (int(part.run[k, site]), *part.send[k, list(route)].tolist())
        ]


def accurate(costs: Costs) -> Kept | None:
    """Return everything that leads to an accurate-enough exit (9), pins kept (10).

    Returns
    -------
    Kept or None
        None where there is no such exit, and the application must be served.
    """
    exits = np.flatnonzero(costs.accurate) + 1
    if not exits.size:
        return None if np.isinf(costs.penalty) else nothing(costs)
    depth = int(costs.after_block[exits - 1].max())
    full = everything(costs)
    for block, node in costs.pins.items():
        full.run[block - 1, costs.network.site_node != node] = False
    return Kept(tuple(exits.tolist()), full.run[:depth], full.send[:depth])


def program_of(
    all_costs: Sequence[Costs],
    all_kept: Sequence[Kept],
    capacities: Capacities,
    energies: tuple[float, float] = (0.0, np.inf),
    forbidden: Iterable[Sequence[Steps | None]] = (),
) -> IntegerProgram:
    """Return the program of an instance.

    Parameters
    ----------
    all_costs : sequence of Costs
    all_kept : sequence of Kept
        What each application may use.
    capacities : Capacities
    energies : (float, float)
        A bound below every objective, which the coefficients' precision is relative to, and an objective above which no
        deployment is of interest: columns that cost more are left out [J or W].
    forbidden : iterable of sequences of (Steps or None)
        Decisions that break a constraint: their columns may not all be 1. Costs and loads are non-negative, so that
        every solution with all of them breaks it, too.
    """
    least, most = energies
    parts = _numbered(all_costs, all_kept, capacities, most)
    first = {group.start for group in by_application(all_costs)}
    coefficients = np.concatenate([_energies(part, own=v in first) for v, part in enumerate(parts)])
    shift = _shift(coefficients, least)
    without_cuts = IntegerProgram(
        parts=tuple(parts),
        objective=tuple(floored(coefficients, shift).tolist()),
        unit=float(np.ldexp(1.0, -shift)),
        exactly_one=tuple(_exactly_one(parts)),
        rows=(*(row for part in parts for row in _own_rows(part)), *_capacity_rows(parts, capacities)),
    )
    cuts = [without_cuts.columns_of(steps) for steps in forbidden]
    return replace(without_cuts, rows=(*without_cuts.rows, *(_not_all(columns) for columns in cuts)))


def _numbered(
    all_costs: Sequence[Costs], all_kept: Sequence[Kept], capacities: Capacities, most_energy: float
) -> list[ColumnNumbers]:
    """Number the columns: for each application, and each of its alternatives, runs, sends, ends, rejection."""
    parts, count = [], 0
    first = {group.start for group in by_application(all_costs)}
    for v, (costs, kept) in enumerate(zip(all_costs, all_kept, strict=True)):
        run, send = _that_fit(costs, kept, capacities, most_energy)
        last = run[costs.after_block[np.array(kept.exits, dtype=np.intp) - 1] - 1]
        end = np.logical_or.reduceat(last, np.flatnonzero(np.diff(costs.network.site_node, prepend=-1)), axis=1)
        reject = np.array([v in first and np.isfinite(costs.penalty) and costs.penalty <= relaxed(most_energy)])
        numbers = []
        for mask in (run, send, end, reject):
            numbers.append(np.where(mask, np.cumsum(mask).reshape(mask.shape) - 1 + count, ABSENT))
            count += int(mask.sum())
        runs, sends, ends, rejection = numbers
        parts.append(ColumnNumbers(costs, kept.exits, runs, sends, ends, rejection))
    return [part for group in by_application(all_costs) for part in _alternatives([parts[v] for v in group])]


def _alternatives(parts: list[ColumnNumbers]) -> list[ColumnNumbers]:
    """Return the alternatives of one application with the columns of the others."""
    if len(parts) == 1:
        return parts
    ends = [np.array(_present(part.end), dtype=np.intp) for part in parts]
    return [
        replace(part, reject=parts[0].reject, others=np.concatenate([*ends[:v], *ends[v + 1 :]]), alternative=True)
        for v, part in enumerate(parts)
    ]


def _exactly_one(parts: list[ColumnNumbers]) -> Iterator[list[int]]:
    """Yield the sets of columns of which exactly one is 1; alternatives share (14)."""
    for group in by_application([part.costs for part in parts]):
        yield eq14_one_end(parts[group.start])
        for v in group:
            yield from eq6_one_site(parts[v])


def _that_fit(costs: Costs, kept: Kept, capacities: Capacities, most_energy: float) -> tuple[Mask, Mask]:
    """Return the kept runs and sends that do not break a row, or exceed the energy, by themselves."""
    depth = len(kept.run)
    latency, energy = costs.max_latency, most_energy / costs.weight * (1 + FLOAT_NOISE)
    run = kept.run & (costs.run_latency[:depth] <= latency) & (costs.run_energy[:depth] <= energy)
    node = costs.network.site_node
    run &= costs.compute_load[:depth, node] <= relaxed(capacities.compute)[node]
    run &= costs.memory_load[:depth, None] <= relaxed(capacities.memory)[node]
    send = kept.send & (costs.send_latency[:depth] <= latency) & (costs.send_energy[:depth] <= energy)
    return run, send & (costs.link_load[:depth, None] <= relaxed(capacities.bandwidth))


def _energies(part: ColumnNumbers, *, own: bool) -> Floats:
    """Return the objective coefficients of an application's columns, in their order; ρ where it is its `own`."""
    costs, depth = part.costs, len(part.run)
    return np.concatenate(
        [
            costs.weight * costs.run_energy[:depth][part.run != ABSENT],
            costs.weight * costs.send_energy[:depth][part.send != ABSENT],
            np.zeros(np.count_nonzero(part.end != ABSENT)),
            np.full(np.count_nonzero(part.reject != ABSENT) if own else 0, costs.penalty),
        ]
    )


def _shift(coefficients: Floats, least: float) -> int:
    """Return the power of two that the objective is multiplied by.

    The least objective, or the least positive coefficient where that is 0, gets `PRECISION_BITS` bits, or fewer where
    the sum would exceed `SUM_BITS` bits.
    """
    positive = coefficients[coefficients > 0]
    if not positive.size:
        return 0
    scale = least if least > 0 else float(positive.min())
    return min(PRECISION_BITS - _bits(scale), SUM_BITS - _bits(float(positive.sum())))


def _bits(amount: float) -> int:
    """Return the least e with amount < 2ᵉ."""
    return int(np.frexp(amount)[1])


def floored(amounts: Floats, shift: int) -> Ints:
    """Return ⌊amounts · 2^shift⌋."""
    return np.floor(np.ldexp(amounts, shift)).astype(np.int64)


def eq14_one_end(part: ColumnNumbers) -> list[int]:
    """Return (14, 23, 29): one DNN ends once, or the application is rejected; exactly one y_{f,n} or ρ is 1."""
    return _present(part.end) + _present(part.others) + _present(part.reject)


def eq6_one_site(part: ColumnNumbers) -> Iterator[list[int]]:
    """Yield (6): block i = 1..D runs at one site, or the DNN ends before it, or is not the one, or none is."""
    for i, run in enumerate(part.run, start=1):
        yield _present(run) + _present(part.end[part.after < i]) + _present(part.others) + _present(part.reject)


def _present(numbers: Ints) -> list[int]:
    chosen: list[int] = numbers[numbers != ABSENT].tolist()
    return chosen


def _own_rows(part: ColumnNumbers) -> Iterator[IntegerRow]:
    yield from eq7_flow_conservation(part)
    yield eq8_latency(part)


def eq7_flow_conservation(part: ColumnNumbers) -> Iterator[IntegerRow]:
    """Yield (7): what has output i = 0..D at n passes it on, runs block i + 1, or ends; x_0 is 1 − ρ at the source."""
    network, source = part.costs.network, part.costs.source
    nodes = len(network.nodes)
    step, site = np.nonzero(part.run != ABSENT)
    node = network.site_node[site]
    output, link = np.nonzero(part.send != ABSENT)
    exit_, end = np.nonzero(part.end != ABSENT)
    run, send, last = part.run[step, site], part.send[output, link], part.end[exit_, end]
    reject = last if part.alternative else part.reject[part.reject != ABSENT]
    row = np.concatenate(
        [
            (step + 1) * nodes + node,
            output * nodes + network.heads[link],
            output * nodes + network.tails[link],
            step * nodes + node,
            part.after[exit_] * nodes + end,
            np.full(len(reject), source),
        ]
    )
    groups, started = (run, send, send, run, last, reject), 1 if part.alternative else -1
    column, sign = np.concatenate(groups), np.repeat([1, 1, -1, -1, -1, started], [len(group) for group in groups])
    order = np.argsort(row, kind="stable")
    present, starts = np.unique(row[order], return_index=True)
    columns, signs = np.split(column[order], starts[1:]), np.split(sign[order], starts[1:])
    for number, here, signed in zip(present.tolist(), columns, signs, strict=False):
        flow = -1 if number == source and not part.alternative else 0
        yield here.tolist(), signed.tolist(), flow, flow


def eq8_latency(part: ColumnNumbers) -> IntegerRow:
    """Return (8): latency at most δ."""
    costs, depth = part.costs, len(part.run)
    run, send = part.run != ABSENT, part.send != ABSENT
    latency = np.concatenate([costs.run_latency[:depth][run], costs.send_latency[:depth][send]])
    return at_most(np.concatenate([part.run[run], part.send[send]]), latency, costs.max_latency)


def _capacity_rows(parts: Sequence[ColumnNumbers], capacities: Capacities) -> Iterator[IntegerRow]:
    """Yield (11) compute, (12) memory, (13) bandwidth and (21) reservations, where they could bind."""
    network = parts[0].costs.network
    node, link = network.site_node, np.arange(len(network.heads))
    runs, sends = [part.run for part in parts], [part.send for part in parts]
    families = (
        (runs, node, [part.costs.compute_load[:, node] for part in parts], capacities.compute),
        (runs, node, [part.costs.memory_load[:, None] for part in parts], capacities.memory),
        (sends, link, [part.costs.link_load[:, None] for part in parts], capacities.bandwidth),
        (runs, node, [np.tile(network.share, (len(run), 1)) for run in runs], capacities.reservation),
    )
    for numbers, subject, loads, limits in families:
        for n in np.flatnonzero(np.isfinite(limits)):
            here = [(of != ABSENT) & (subject == n) for of in numbers]
            columns = np.concatenate([of[at] for of, at in zip(numbers, here, strict=True)])
            amounts = np.concatenate(
                [np.broadcast_to(load[: len(at)], at.shape)[at] for load, at in zip(loads, here, strict=True)]
            )
            yield at_most(columns, amounts, relaxed(float(limits[n])))


def at_most(columns: Ints, amounts: Floats, limit: float) -> IntegerRow:
    """Return Σ amounts · columns ≤ limit, rounded down; one unit more for the rounding of floating-point sums."""
    shift = PRECISION_BITS - _bits(limit)
    return columns.tolist(), floored(amounts, shift).tolist(), 0, int(np.ldexp(limit, shift)) + 1


def _not_all(columns: list[int]) -> IntegerRow:
    """Return the row by which not all of the columns are 1; those that have become `ABSENT` never are."""
    present = [column for column in columns if column != ABSENT]
    return present, [1] * len(present), 0, len(columns) - 1


def _steps(part: ColumnNumbers, values: Mask) -> Steps | None:
    """Follow the unit flow; circuits that touch it nowhere, or rejoin it, are left out."""
    if values[part.reject].any() or not values[part.end].any():
        return None
    (exit_,), _ = np.nonzero(values[part.end])
    here, placement, routes = part.costs.source, [], []
    for i in range(int(part.after[exit_])):
        (site,) = np.flatnonzero(values[part.run[i]]).tolist()
        there = int(part.costs.network.site_node[site])
        routes.append(_route(part.costs, np.flatnonzero(values[part.send[i]]).tolist(), here, there))
        placement.append(site)
        here = there
    return Steps(part.exits[exit_], tuple(placement), tuple(routes))


def _route(costs: Costs, links: list[int], start: int, end: int) -> tuple[int, ...]:
    """Return the fewest of the `links` that lead from `start` to `end` (breadth first)."""
    heads, tails = costs.network.heads, costs.network.tails
    reached: dict[int, tuple[int, ...]] = {start: ()}
    frontier = [start]
    while end not in reached:
        new = {int(heads[a]): (*reached[n], a) for n in frontier for a in links if tails[a] == n}
        frontier = [n for n in new if n not in reached]
        reached = new | reached
    return reached[end]
