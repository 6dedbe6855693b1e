"""Objective and row families that both formulations share, one function per equation of the README.

Every function takes the `Program`s of the applications, or one of them, and adds a named component to its Pyomo block.
Rows with a right-hand side are divided by it, so that the solver's absolute tolerances are relative ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pyomo.core.base import Binary, Block, ConcreteModel, Constraint, Objective, Var
from pyomo.core.expr import LinearExpression

from models.milp.costs import FLOAT_NOISE, Capacities, Costs, Floats, Ints, Topology
from models.milp.strengthen import Kept, least_energy

Variables: TypeAlias = NDArray[np.object_]
Label: TypeAlias = int | str | tuple[int | str, ...]

LARGEST_COEFFICIENT = 1e6
"""A variable that alone exceeds a right-hand side this many times over is excluded as surely by this coefficient."""


@dataclass(frozen=True)
class Family:
    """Variables of one symbol: variable v concerns step `step[v]` (a block or an output) at `place[v]`."""

    variables: Variables
    step: Ints
    place: Ints


@dataclass(frozen=True)
class Program:
    """One application's part of the program."""

    costs: Costs
    kept: Kept
    block: Any
    """The Pyomo block that holds its variables and rows."""
    x: Family
    """x_{i,n}, block i = 1..L runs at node n; `place` is n."""
    sent: Family
    """Output i = 0..L−1 takes link (n, m); `place` is the link (t_{i,nm} of the flow, w_{i,nm} of the assignment)."""
    z: Family
    """z_f, exit f is the last; `step` is b(f), `place` is f."""

    @property
    def depth(self) -> int:
        """Number of blocks L that may be deployed."""
        return int(self.z.step.max())


def new_family(block: Any, symbol: str, labels: Sequence[Label], step: Ints, place: Ints, domain: Any) -> Family:
    """Add variables `symbol` with one label each to `block`."""
    component = Var(labels, domain=domain, bounds=(0, 1))
    block.add_component(symbol, component)
    variables = np.empty(len(labels), dtype=np.object_)
    variables[:] = list(component.values())
    return Family(variables, step, place)


def placement_and_exit(block: Any, costs: Costs, kept: Kept) -> tuple[Family, Family]:
    """Binary x_{i,n} for every kept vertex and z_f for every kept exit."""
    nodes = costs.topology.nodes
    row, node = np.nonzero(kept.run)
    labels = [(i + 1, nodes[n]) for i, n in zip(row.tolist(), node.tolist(), strict=True)]
    exits = np.array(kept.exits, dtype=np.intp)
    return (
        new_family(block, "x", labels, row + 1, node, Binary),
        new_family(block, "z", list(kept.exits), costs.after_block[exits - 1], exits, Binary),
    )


def link_labels(topology: Topology, outputs: Ints, links: Ints) -> list[Label]:
    """Labels (i, n, m) of sending output i over each link."""
    tails = [topology.nodes[n] for n in topology.tails[links]]
    heads = [topology.nodes[m] for m in topology.heads[links]]
    return list(zip(outputs.tolist(), tails, heads, strict=True))


class Terms:
    """Terms of many rows, collected by row number."""

    def __init__(self) -> None:
        self._rows: list[Ints] = []
        self._variables: list[Variables] = []
        self._coefficients: list[Floats] = []

    def add(self, rows: Ints, variables: Variables, coefficients: Floats | float) -> None:
        """Add `coefficients` · `variables` to `rows`, one each."""
        self._rows.append(rows)
        self._variables.append(variables)
        self._coefficients.append(np.broadcast_to(np.asarray(coefficients, dtype=np.float64), rows.shape))

    def sums(self) -> dict[int, LinearExpression]:
        """The left-hand side of every row that has a term."""
        rows = np.concatenate(self._rows)
        order = np.argsort(rows, kind="stable")
        present, starts = np.unique(rows[order], return_index=True)
        variables = np.split(np.concatenate(self._variables)[order], starts[1:])
        coefficients = np.split(np.concatenate(self._coefficients)[order], starts[1:])
        return {
            row: LinearExpression(constant=0, linear_coefs=c.tolist(), linear_vars=v.tolist())
            for row, c, v in zip(present.tolist(), coefficients, variables, strict=False)
        }


def add_rows(block: Any, name: str, rows: Iterable[tuple[Label, float | None, Any, float | None]]) -> None:
    """Add the constraint family `name` with rows (label, lower, left-hand side, upper), unless there are none."""
    bounds = {label: (lower, body, upper) for label, lower, body, upper in rows}
    if bounds:
        block.add_component(
            name, Constraint(list(bounds), rule=lambda _, *label: bounds[label if len(label) > 1 else label[0]])
        )


def total(family: Family, coefficients: Floats | float) -> LinearExpression:
    """Σ coefficients · variables over one whole family."""
    coefficients = np.broadcast_to(np.asarray(coefficients, dtype=np.float64), family.step.shape)
    return LinearExpression(constant=0, linear_coefs=coefficients.tolist(), linear_vars=family.variables.tolist())


def scaled(loads: Floats, limit: Floats | float) -> Floats:
    """Coefficients of a row load ≤ limit after division by its right-hand side.

    Where the limit is 0 any positive load breaks the row: its coefficient is then as large as can be.
    """
    limits = np.broadcast_to(np.asarray(limit, dtype=np.float64), loads.shape)
    with np.errstate(divide="ignore", over="ignore"):
        ratio = np.divide(loads, limits, out=np.zeros_like(loads), where=loads > 0)
    return np.minimum(ratio, LARGEST_COEFFICIENT)


def eq3_objective(model: ConcreteModel, programs: Sequence[Program]) -> float:
    """Minimise Σ_h λ_h energy(h), energy by eq. (1), divided by the scale that is returned.

    The scale is a lower bound on the optimum, so that the scaled optimum is at least 1 and the solver's absolute
    tolerances are relative ones: Σ_h λ_h · (least energy of a path). Where that is 0 it is the least positive
    coefficient: the scaled optimum is then 0 or at least 1.
    """
    coefficients = [np.concatenate(_energies(program)) for program in programs]
    variables = [np.concatenate([program.x.variables, program.sent.variables]) for program in programs]
    coefs, scale = np.concatenate(coefficients), _scale(programs, np.concatenate(coefficients))
    body = LinearExpression(
        constant=0, linear_coefs=(coefs / scale).tolist(), linear_vars=np.concatenate(variables).tolist()
    )
    model.eq3_objective = Objective(expr=body)
    return scale


def _energies(program: Program) -> tuple[Floats, Floats]:
    costs, x, sent = program.costs, program.x, program.sent
    run, send = costs.run_energy[x.step - 1, x.place], costs.send_energy[sent.step, sent.place]
    return costs.weight * run, costs.weight * send


def _scale(programs: Sequence[Program], coefficients: Floats) -> float:
    positive = coefficients[coefficients > 0]
    least = least_objective(programs)
    if 0 < least < np.inf:
        return least
    return float(positive.min()) if positive.size else 1.0


def least_objective(programs: Sequence[Program]) -> float:
    """A bound below every feasible objective: Σ_h λ_h · (least energy of a path, latency and capacities ignored)."""
    return sum(program.costs.weight * least_energy(program.costs, program.kept) for program in programs)


def eq5_one_last_exit(program: Program) -> None:
    """(5) Exactly one exit is the last: Σ_f z_f = 1."""
    program.block.eq5_one_last_exit = Constraint(rule=lambda _: (1, total(program.z, 1.0), 1))


def eq6_one_node_per_deployed_block(program: Program) -> None:
    """(6) A deployed block runs at one node, another at none: Σ_n x_{i,n} = Σ_{f: b(f) ≥ i} z_f for i = 1..L."""
    terms, x, z = Terms(), program.x, program.z
    terms.add(x.step, x.variables, 1.0)
    for i in range(1, program.depth + 1):
        later = z.variables[z.step >= i]
        terms.add(np.full(len(later), i), later, -1.0)
    add_rows(program.block, "eq6_one_node_per_deployed_block", ((i, 0, body, 0) for i, body in terms.sums().items()))


def eq8_latency(program: Program) -> None:
    """(8) Σ_{i,n} x_{i,n} l_i o_i/C_n + Σ_{i,nm} t_{i,nm} l_{i+1} (d_i/B_nm + τ_nm) ≤ δ, divided by δ."""
    costs, x, sent, terms = program.costs, program.x, program.sent, Terms()
    limit = costs.app.max_latency_s
    terms.add(np.zeros_like(x.step), x.variables, scaled(costs.run_latency[x.step - 1, x.place], limit))
    terms.add(np.zeros_like(sent.step), sent.variables, scaled(costs.send_latency[sent.step, sent.place], limit))
    program.block.eq8_latency = Constraint(rule=lambda _: (None, terms.sums()[0], 1 + FLOAT_NOISE))


def eq9_accuracy(program: Program) -> None:
    """(9) Σ_f α_f z_f ≥ α."""
    costs, z = program.costs, program.z
    body = total(z, costs.accuracy[z.place - 1])
    program.block.eq9_accuracy = Constraint(rule=lambda _: (costs.app.min_accuracy, body, None))


def eq10_pins(program: Program) -> None:
    """(10) A pinned block runs nowhere else: Σ_{n ≠ pin} x_{i,n} = 0."""
    x, terms = program.x, Terms()
    for block, node in program.costs.pins.items():
        elsewhere = x.variables[(x.step == block) & (x.place != node)]
        terms.add(np.full(len(elsewhere), block), elsewhere, 1.0)
    if program.costs.pins:
        add_rows(program.block, "eq10_pins", ((i, 0, body, 0) for i, body in terms.sums().items()))


def eq11_compute(model: ConcreteModel, programs: Sequence[Program], capacities: Capacities) -> None:
    """(11) Σ_h λ_h Σ_i s_i o_i x_{i,n} ≤ C_n, divided by C_n, for every node where the row could bind."""
    loads = [program.costs.compute_load[program.x.step - 1] for program in programs]
    _capacity_rows(model, "eq11_compute", [p.x for p in programs], loads, capacities.compute, _node_labels(programs))


def eq12_memory(model: ConcreteModel, programs: Sequence[Program], capacities: Capacities) -> None:
    """(12) Σ_h Σ_i w_i x_{i,n} ≤ M_n, divided by M_n, for every node where the row could bind."""
    loads = [program.costs.memory_load[program.x.step - 1] for program in programs]
    _capacity_rows(model, "eq12_memory", [p.x for p in programs], loads, capacities.memory, _node_labels(programs))


def eq13_bandwidth(model: ConcreteModel, programs: Sequence[Program], capacities: Capacities) -> None:
    """(13) Σ_h λ_h Σ_i s_{i+1} d_i t_{i,nm} ≤ B_nm, divided by B_nm, for every link where the row could bind."""
    loads = [program.costs.link_load[program.sent.step] for program in programs]
    topology = programs[0].costs.topology
    labels: list[Label] = [
        (topology.nodes[n], topology.nodes[m]) for n, m in zip(topology.tails, topology.heads, strict=True)
    ]
    _capacity_rows(model, "eq13_bandwidth", [p.sent for p in programs], loads, capacities.bandwidth, labels)


def _node_labels(programs: Sequence[Program]) -> list[Label]:
    return list(programs[0].costs.topology.nodes)


def _capacity_rows(
    model: ConcreteModel, name: str, families: list[Family], loads: list[Floats], limits: Floats, labels: list[Label]
) -> None:
    terms = Terms()
    for family, load in zip(families, loads, strict=True):
        could_bind = np.isfinite(limits[family.place])
        place = family.place[could_bind]
        terms.add(place, family.variables[could_bind], scaled(load[could_bind], limits[place]))
    add_rows(model, name, ((labels[r], None, body, 1 + FLOAT_NOISE) for r, body in terms.sums().items()))


def new_model(names: list[str]) -> ConcreteModel:
    """An empty model with one block for every application."""
    model = ConcreteModel()
    model.application = Block(names)
    return model
