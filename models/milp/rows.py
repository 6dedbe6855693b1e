"""Objective and row families that both formulations share, one function per equation of `docs/problem.md`.

Every function takes the `ApplicationProgram` of one application, or those of all, and adds a named component to its
Pyomo block. Rows with a right-hand side are divided by it, so that the solver's absolute tolerances are relative ones.
A large program takes longer to write than many a limit allows: whatever makes variables or rows one by one looks at the
program's clock and raises `OutOfTime`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pyomo.core.base import Binary, Block, ConcreteModel, Constraint, Objective, Var
from pyomo.core.expr import LinearExpression

from finbench.models.programs.costs import Capacities, Costs, Floats, Ints, NumberedNetwork, by_application
from finbench.models.programs.strengthen import Kept, least_costs
from finbench.models.result import Clock, OutOfTime
from finbench.models.tolerances import relaxed

Variables: TypeAlias = NDArray[np.object_]
VariableLabel: TypeAlias = int | str | tuple[int | str | float, ...]

LARGEST_COST = 1e18
"""Coefficients of the objective stay at or below this: from 1e20 on solvers take one for infinite."""

LARGEST_COEFFICIENT = 1e6
"""A variable that alone exceeds a right-hand side this many times over is excluded as surely by this coefficient."""


@dataclass(frozen=True)
class VariableFamily:
    """Variables of one symbol: variable v concerns a step (a block or an output) and a subject, both by number."""

    variables: Variables
    step: Ints
    subject: Ints
    """A site, a link, a node or an exit."""


@dataclass(frozen=True)
class ApplicationProgram:
    """One application's part of the program."""

    costs: Costs
    kept: Kept
    block: Any
    """The Pyomo block that holds its variables and rows."""
    x: VariableFamily
    """x_{i,n} or x_{i,n,r}, block i = 1..L runs at a site of node n; `subject` is the site."""
    sent: VariableFamily
    """Output i = 0..L−1 takes link (n, m); `subject` is the link (t_{i,nm} of the flow, w_{i,nm} of the assignment)."""
    z: VariableFamily
    """z_f, exit f is the last; `step` is b(f), `subject` is f."""
    rho: VariableFamily
    """ρ, the application is rejected: one variable where that is allowed, else none. Its first alternative has it."""
    clock: Clock
    """The run's, which ends the building."""
    alternative: bool
    """Whether it is one of several alternatives of its application: Σ_f z_f, 1 for the chosen one, then stands in the
    place of 1 − ρ."""

    @property
    def depth(self) -> int:
        """Number of blocks L that may be deployed."""
        return int(self.z.step.max(initial=0))

    @property
    def node(self) -> Ints:
        """Node of every variable of `x`."""
        return self.costs.network.site_node[self.x.subject]


def new_family(
    block: Any,
    symbol: str,
    labels: Iterable[VariableLabel],
    step: Ints,
    subject: Ints,
    *,
    clock: Clock,
    domain: Any = Binary,
) -> VariableFamily:
    """Add variables `symbol` with one label each to `block`."""
    component = Var(clock.watch(labels), domain=domain, bounds=(0, 1))
    block.add_component(symbol, component)
    variables = np.empty(len(step), dtype=np.object_)
    variables[:] = list(component.values())
    return VariableFamily(variables, step, subject)


def placement_and_exit(block: Any, costs: Costs, kept: Kept, clock: Clock) -> tuple[VariableFamily, VariableFamily]:
    """Add binary x_{i,n} (x_{i,n,r} where nodes reserve) for every kept vertex and z_f for every kept exit."""
    row, site = np.nonzero(kept.run)
    labels = ((i + 1, *costs.network.site_labels[p]) for i, p in zip(row.tolist(), site.tolist(), strict=True))
    exits = np.array(kept.exits, dtype=np.intp)
    return (
        new_family(block, "x", labels, row + 1, site, clock=clock),
        new_family(block, "z", kept.exits, costs.after_block[exits - 1], exits, clock=clock),
    )


def rejection(block: Any, costs: Costs, *, first: bool) -> VariableFamily:
    """Add binary ρ where the application may be rejected, to the `first` of its alternatives alone."""
    may = first and bool(np.isfinite(costs.penalty))
    if may:
        block.rho = Var(domain=Binary, bounds=(0, 1))
    variables = np.array([block.rho] if may else [], dtype=np.object_)
    nowhere = np.zeros(len(variables), dtype=np.intp)
    return VariableFamily(variables, nowhere, nowhere)


def link_labels(network: NumberedNetwork, outputs: Ints, links: Ints) -> Iterator[VariableLabel]:
    """Yield the labels (i, n, m) of sending output i over each link."""
    nodes, tails, heads = network.nodes, network.tails[links].tolist(), network.heads[links].tolist()
    return ((i, nodes[n], nodes[m]) for i, n, m in zip(outputs.tolist(), tails, heads, strict=True))


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

    def sums(self) -> Iterator[tuple[int, LinearExpression]]:
        """Yield every row that has a term, and its left-hand side."""
        rows = np.concatenate(self._rows)
        if not rows.size:
            return
        order = np.argsort(rows, kind="stable")
        present, starts = np.unique(rows[order], return_index=True)
        variables = np.split(np.concatenate(self._variables)[order], starts[1:])
        coefficients = np.split(np.concatenate(self._coefficients)[order], starts[1:])
        for row, c, v in zip(present.tolist(), coefficients, variables, strict=False):
            yield row, LinearExpression(constant=0, linear_coefs=c.tolist(), linear_vars=v.tolist())

    def sum(self) -> LinearExpression:
        """Return the left-hand side of the only row."""
        ((_, body),) = self.sums()
        return body


def add_rows(
    block: Any, name: str, rows: Iterable[tuple[VariableLabel, float | None, Any, float | None]], clock: Clock
) -> None:
    """Add the constraint family `name` with rows (label, lower, left-hand side, upper), unless there are none."""
    bounds = {label: (lower, body, upper) for label, lower, body, upper in clock.watch(rows)}
    if bounds:
        family = Constraint(list(bounds))
        block.add_component(name, family)
        for label, row in clock.watch(bounds.items()):  # a rule would do the same, but Pyomo logs what it raises
            family.add(label, row)


def scaled(loads: Floats, limit: Floats | float) -> Floats:
    """Return the coefficients of a row load ≤ limit after division by its right-hand side.

    Where the limit is 0 any positive load breaks the row: its coefficient is then as large as can be.
    """
    limits = np.broadcast_to(np.asarray(limit, dtype=np.float64), loads.shape)
    with np.errstate(divide="ignore", over="ignore"):
        ratio = np.divide(loads, limits, out=np.zeros_like(loads), where=loads > 0)
    return np.minimum(ratio, LARGEST_COEFFICIENT)


def eq3_objective(model: ConcreteModel, programs: Sequence[ApplicationProgram]) -> float:
    """Minimise Σ_h (λ_h energy(h) + ψ_h ρ_h), energy by eq. (1), divided by the scale that is returned.

    The scale is a lower bound on the optimum, so that the scaled optimum is at least 1 and the solver's absolute
    tolerances are relative ones: Σ_h min(λ_h · least energy of a path, ψ_h). Where that is 0 it is the least positive
    coefficient: the scaled optimum is then 0 or at least 1. Where a coefficient would be beyond `LARGEST_COST`, it is
    more.
    """
    coefficients = [np.concatenate(_objective_terms(program)) for program in programs]
    variables = [np.concatenate([p.x.variables, p.sent.variables, p.rho.variables]) for p in programs]
    coefs, scale = np.concatenate(coefficients), _scale(programs, np.concatenate(coefficients))
    body = LinearExpression(
        constant=0, linear_coefs=(coefs / scale).tolist(), linear_vars=np.concatenate(variables).tolist()
    )
    model.eq3_objective = Objective(expr=body)
    return scale


def _objective_terms(program: ApplicationProgram) -> tuple[Floats, Floats, Floats]:
    costs, x, sent = program.costs, program.x, program.sent
    run, send = costs.run_energy[x.step - 1, x.subject], costs.send_energy[sent.step, sent.subject]
    return costs.weight * run, costs.weight * send, np.full(len(program.rho.step), costs.penalty)


def _scale(programs: Sequence[ApplicationProgram], coefficients: Floats) -> float:
    """Return what the objective is divided by; no coefficient then reaches what solvers take for infinite."""
    positive = coefficients[coefficients > 0]
    if not positive.size:
        return 1.0
    least = least_objective([program.costs for program in programs], [program.kept for program in programs])
    return max(least if 0 < least < np.inf else float(positive.min()), float(positive.max()) / LARGEST_COST)


def least_objective(all_costs: Iterable[Costs], all_kept: Iterable[Kept]) -> float:
    """Return a bound below every feasible objective: Σ_h min(λ_h · least energy of a path, ψ_h)."""
    return sum(least_costs(list(all_costs), list(all_kept)))


def one_last_exit(applications: Iterable[Sequence[ApplicationProgram]]) -> None:
    """Add (5) or (23) for every application that has one DNN, and (29) for every other."""
    for programs in applications:
        if len(programs) > 1:
            eq29_one_alternative(programs)
        else:
            eq5_one_last_exit(programs[0])


def eq5_one_last_exit(program: ApplicationProgram) -> None:
    """Add (5), Σ_f z_f = 1: one exit is the last; or (23), Σ_f z_f = 1 − ρ: none where the application is rejected."""
    terms, name = Terms(), "eq23_admission" if program.rho.step.size else "eq5_one_last_exit"
    terms.add(np.zeros_like(program.z.step), program.z.variables, 1.0)
    terms.add(program.rho.step, program.rho.variables, 1.0)
    program.block.add_component(name, Constraint(rule=lambda _: (1, terms.sum(), 1)))


def eq29_one_alternative(programs: Sequence[ApplicationProgram]) -> None:
    """Add (29), Σ_v Σ_f z_{v,f} = 1 − ρ, for the alternatives of one application."""
    terms, first = Terms(), programs[0]
    for program in programs:
        terms.add(np.zeros_like(program.z.step), program.z.variables, 1.0)
    terms.add(first.rho.step, first.rho.variables, 1.0)
    first.block.eq29_one_alternative = Constraint(rule=lambda _: (1, terms.sum(), 1))


def eq6_one_node_per_deployed_block(program: ApplicationProgram) -> None:
    """Add (6), Σ_n x_{i,n} = Σ_{f: b(f) ≥ i} z_f for i = 1..L: a deployed block runs at one node, another at none."""
    terms, x, z = Terms(), program.x, program.z
    terms.add(x.step, x.variables, 1.0)
    for i in range(1, program.depth + 1):
        later = z.variables[z.step >= i]
        terms.add(np.full(len(later), i), later, -1.0)
    add_rows(program.block, "eq6_one_node_per_deployed_block", ((i, 0, b, 0) for i, b in terms.sums()), program.clock)


def eq8_latency(program: ApplicationProgram) -> None:
    """Add (8): Σ_{i,n} x_{i,n} l_i t_{i,n} + Σ_{i,nm} t_{i,nm} l_{i+1} (d_i/B_nm + τ_nm) ≤ δ, divided by δ.

    For one of several alternatives the right-hand side is δ Σ_f z_f, which is tighter where the choice is fractional.
    """
    costs, x, sent, terms = program.costs, program.x, program.sent, Terms()
    limit = costs.app.max_latency_s
    terms.add(np.zeros_like(x.step), x.variables, scaled(costs.run_latency[x.step - 1, x.subject], limit))
    terms.add(np.zeros_like(sent.step), sent.variables, scaled(costs.send_latency[sent.step, sent.subject], limit))
    if program.alternative:
        terms.add(np.zeros_like(program.z.step), program.z.variables, -relaxed(1.0))
    for _, body in terms.sums():  # none where the application can only be rejected
        program.block.eq8_latency = Constraint(expr=(None, body, 0.0 if program.alternative else relaxed(1.0)))


def eq9_accuracy(program: ApplicationProgram) -> None:
    """Add (9): Σ_f α_f z_f ≥ α (1 − ρ); an exit that meets α within its tolerance counts as α.

    For one of several alternatives it reads Σ_f (α_f − α) z_f ≥ 0.
    """
    costs, z, rho, target, terms = program.costs, program.z, program.rho, program.costs.app.min_accuracy, Terms()
    accuracy = np.where(costs.accurate, np.maximum(costs.accuracy, target), costs.accuracy)
    if program.alternative:
        terms.add(np.zeros_like(z.step), z.variables, accuracy[z.subject - 1] - target)
        for _, body in terms.sums():  # none where it cannot be chosen
            program.block.eq9_accuracy = Constraint(expr=(0.0, body, None))
        return
    terms.add(np.zeros_like(z.step), z.variables, accuracy[z.subject - 1])
    terms.add(rho.step, rho.variables, target)
    program.block.eq9_accuracy = Constraint(rule=lambda _: (target, terms.sum(), None))


def eq10_pins(program: ApplicationProgram) -> None:
    """Add (10): a pinned block runs nowhere else: Σ_{n ≠ pin} x_{i,n} = 0."""
    x, terms = program.x, Terms()
    for block, node in program.costs.pins.items():
        elsewhere = x.variables[(x.step == block) & (program.node != node)]
        terms.add(np.full(len(elsewhere), block), elsewhere, 1.0)
    if program.costs.pins:
        add_rows(program.block, "eq10_pins", ((i, 0, body, 0) for i, body in terms.sums()), program.clock)


def eq11_compute(model: ConcreteModel, programs: Sequence[ApplicationProgram], capacities: Capacities) -> None:
    """Add (11): Σ_h λ_h Σ_i s_i t_{i,n} x_{i,n} ≤ K_n, divided by K_n, for every node where the row could bind."""
    loads = [program.costs.compute_load[program.x.step - 1, program.node] for program in programs]
    _node_rows(model, "eq11_compute", programs, loads, capacities.compute)


def eq12_memory(model: ConcreteModel, programs: Sequence[ApplicationProgram], capacities: Capacities) -> None:
    """Add (12): Σ_h Σ_i w_i x_{i,n} ≤ M_n, divided by M_n, for every node where the row could bind."""
    loads = [program.costs.memory_load[program.x.step - 1] for program in programs]
    _node_rows(model, "eq12_memory", programs, loads, capacities.memory)


def eq13_bandwidth(model: ConcreteModel, programs: Sequence[ApplicationProgram], capacities: Capacities) -> None:
    """Add (13): Σ_h λ_h Σ_i s_{i+1} d_i t_{i,nm} ≤ B_nm, divided by B_nm, for every link where it could bind."""
    loads = [program.costs.link_load[program.sent.step] for program in programs]
    network = programs[0].costs.network
    labels: list[VariableLabel] = [
        (network.nodes[n], network.nodes[m]) for n, m in zip(network.tails, network.heads, strict=True)
    ]
    where = [(program.sent.variables, program.sent.subject) for program in programs]
    _capacity_rows(model, "eq13_bandwidth", where, loads, capacities.bandwidth, labels, programs[0].clock)


def eq21_reservation(model: ConcreteModel, programs: Sequence[ApplicationProgram], capacities: Capacities) -> None:
    """Add (21): Σ_h Σ_i Σ_r r x_{i,n,r} ≤ 1 for every node that reserves and where the row could bind."""
    loads = [program.costs.network.share[program.x.subject] for program in programs]
    _node_rows(model, "eq21_reservation", programs, loads, capacities.reservation)


def _node_rows(
    model: ConcreteModel, name: str, programs: Sequence[ApplicationProgram], loads: list[Floats], limits: Floats
) -> None:
    where = [(program.x.variables, program.node) for program in programs]
    _capacity_rows(model, name, where, loads, limits, list(programs[0].costs.network.nodes), programs[0].clock)


def _capacity_rows(
    model: ConcreteModel,
    name: str,
    where: list[tuple[Variables, Ints]],
    loads: list[Floats],
    limits: Floats,
    labels: list[VariableLabel],
    clock: Clock,
) -> None:
    terms = Terms()
    for (variables, at), load in zip(where, loads, strict=True):
        could_bind = np.isfinite(limits[at])
        row = at[could_bind]
        terms.add(row, variables[could_bind], scaled(load[could_bind], limits[row]))
    add_rows(model, name, ((labels[r], None, body, relaxed(1.0)) for r, body in terms.sums()), clock)


class WatchedModel(ConcreteModel):  # type: ignore[misc]  # Pyomo has no types
    """A Pyomo model that looks at a clock while what it holds is visited one by one, as a hand-over does.

    Parameters
    ----------
    clock : Clock
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def component_data_objects(self, *kinds: Any, **choice: Any) -> Iterator[Any]:
        """Yield the model's variables, rows and so on, as Pyomo does; raise `OutOfTime` once the limit has passed."""
        return self.clock.watch(super().component_data_objects(*kinds, **choice))


@contextmanager
def given_back_unless_built(all_costs: Sequence[Costs], clock: Clock) -> Iterator[ConcreteModel]:
    """Yield an empty model with one block for every application, or each of its alternatives.

    It is emptied again where the time ends its building.
    """
    model = WatchedModel(clock)
    model.application = Block(block_names(all_costs))
    try:
        yield model
    except OutOfTime:
        give_back(model)
        raise


def give_back(model: ConcreteModel) -> None:
    """Empty a model that is no longer needed.

    Its millions of objects point at each other in circles. The garbage collector finds that out in half the time that
    building took; taken apart they go at once.
    """
    for block in list(model.block_data_objects()):
        for component in list(block.component_objects(descend_into=False)):
            block.del_component(component)
            component.clear()


def block_names(all_costs: Sequence[Costs]) -> list[str]:
    """Return the name of every application's block: its own, and where it has alternatives theirs as well."""
    names: dict[str, None] = {}
    for positions in by_application(all_costs):
        for costs in (all_costs[v] for v in positions):
            name = costs.app.name if len(positions) == 1 else f"{costs.app.name}: {costs.app.dnn}"
            while name in names:  # another application may be called so
                name += "'"
            names[name] = None
    return list(names)
