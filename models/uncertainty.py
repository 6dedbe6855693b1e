"""Exit shares and rates that may deviate, and the worst that so many of them can do to a deployment.

What is uncertain are the rate λ_h of every application and the share φ_e of every exit but its DNN's last. Each may
deviate by its own amount, a part ω of itself, in the direction that costs more: a rate grows; fewer samples leave at
an exit, and those leave at the last one. Of all of them together at most Γ deviate (Bertsimas and Sim, Operations
Research 52(1), 2004). With z_j = 1 where j deviates, else 0,

    (33)  λ_h(z) = λ_h (1 + ω z_h),    s_i(z) = s_i + ω Σ_{e: b(e) < i} φ_e z_e,    Σ_j z_j ≤ Γ

and the objective (3), an expected latency (8), compute (11) and bandwidth (13) count at their worst over all z, each at
its own. With a quantile (30), block i counts where s_i(z) > 1 − q for any z; a reserved share (22) keeps up for all z.
Memory, accuracy and penalties are certain. All of these sums grow with λ and s, so that the opposite deviations never
are the worst.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from finbench.models.deployment import Deployment
from finbench.models.evaluate import Violation, ViolationKind, evaluate
from finbench.models.instance import DNN, Accounting, Application, Instance, LatencyKind
from finbench.models.loads import UNITS, Resource
from finbench.models.step_costs import StepCosts, step_costs, worth
from finbench.models.tolerances import SUM_NOISE, exceeds


@dataclass(frozen=True)
class Uncertainty:
    """How many exit shares and rates may deviate together, and by how much each."""

    budget: int
    """Γ, a whole number of at least 0."""
    deviation: float
    """ω in [0, 1], a part of each share and rate."""

    def within(self, instance: Instance) -> Uncertainty:
        """Return the same with a budget of at most the number of shares and rates that `instance` has."""
        exits = sum(len(dnn.exits) - 1 for app in instance.applications for dnn in instance.dnns_of(app))
        rates = sum(app.rate_per_s is not None for app in instance.applications)
        return Uncertainty(min(self.budget, exits + rates), self.deviation)

    def growth(self, app: Application) -> float:
        """Return the part that the application's rate may grow by, 0 where it has none."""
        return 0.0 if app.rate_per_s is None else self.deviation

    def losses(self, dnn: DNN) -> tuple[tuple[int, float], ...]:
        """Return b(e) and ω φ_e of every exit whose share may deviate by more than 0."""
        lost = ((one.after_block, self.deviation * one.exit_fraction) for one in dnn.exits[:-1])
        return tuple((after, loss) for after, loss in lost if loss > 0)

    def survival(self, dnn: DNN, budget: int | None = None) -> tuple[float, ...]:
        """Return the largest s_i(z) of every block where only shares deviate, at most `budget` of them (Γ left out)."""
        most = self.budget if budget is None else budget
        return tuple(
            share + sum(sorted((loss for after, loss in self.losses(dnn) if after < i), reverse=True)[: max(0, most)])
            for i, share in enumerate(dnn.survival, start=1)
        )

    def latency_weights(self, instance: Instance, app: Application) -> tuple[float, ...]:
        """Return l_i as the instance says (eq. 2), with a quantile at the largest survival (eq. 30)."""
        q = instance.latency_quantile
        if q is None:
            return instance.latency_weights(app)
        return tuple(float(share - (1 - q) > SUM_NOISE) for share in self.survival(instance.dnn_of(app)))

    def arrivals(self, app: Application, dnn: DNN) -> tuple[float, ...]:
        """Return the largest λ(z) s_i(z) of every block [1/s]."""
        rate, own = app.rate_per_s or 0.0, self.survival(dnn)
        if not self.budget:
            return tuple(rate * share for share in own)
        fewer = self.survival(dnn, self.budget - 1)
        return tuple(rate * max(s, (1 + self.growth(app)) * f) for s, f in zip(own, fewer, strict=True))


@dataclass(frozen=True)
class Contribution:
    """What one application adds to a sum that is to be at its worst: linear in its shares, and times its rate."""

    base: float
    """As planned."""
    gains: tuple[float, ...]
    """What each deviating share adds."""
    growth: float
    """Contribution that all of it grows by where the rate deviates."""

    def largest(self, budget: int) -> float:
        """Return the largest value where at most `budget` of its data deviate."""
        gains = sorted(self.gains, reverse=True)
        plain = self.base + sum(gains[:budget])
        return max(plain, (1 + self.growth) * (self.base + sum(gains[: budget - 1]))) if budget else plain


def largest(parts: Sequence[Contribution], budget: int) -> float:
    """Return the largest sum of all parts where at most `budget` data deviate: dynamic programming over the parts."""
    best = [0.0] * (budget + 1)
    for part in parts:
        own = [part.largest(k) for k in range(min(budget, len(part.gains) + 1) + 1)]
        best = [max(best[k - j] + value for j, value in enumerate(own[: k + 1])) for k in range(budget + 1)]
    return best[budget]


@dataclass(frozen=True)
class WorstCase:
    """A deployment at its worst."""

    objective: float | None
    """The largest objective; None where the deployment cannot be carried out."""
    violations: tuple[Violation, ...]
    """Rules that it breaks as planned, or at their own worst."""


def worst_case(instance: Instance, deployment: Deployment, uncertainty: Uncertainty) -> WorstCase:
    """Return the largest objective of a deployment under (33), and every rule that is broken for any deviation.

    Parameters
    ----------
    instance : Instance
    deployment : Deployment
    uncertainty : Uncertainty

    Returns
    -------
    WorstCase
    """
    judged = evaluate(instance, deployment)
    if judged.objective is None:
        return WorstCase(None, judged.violations)
    return _Deviating(instance, deployment, uncertainty.within(instance)).worst(judged.violations)


class _Deviating:
    """A deployment that can be carried out, with the costs of every step before any weight."""

    def __init__(self, instance: Instance, deployment: Deployment, uncertainty: Uncertainty) -> None:
        self._instance, self._uncertainty = instance, uncertainty
        unit = instance.with_overrides(accounting=Accounting.FULL_DEPTH, latency_kind=LatencyKind.FULL_DEPTH)
        decisions = {one.application: one for one in deployment.deployments}
        self._rejected = [app for app in instance.applications if app.name not in decisions]
        self._served: list[tuple[Application, list[StepCosts]]] = []
        for app in instance.applications:
            if app.name in decisions:
                chosen = app.choice(decisions[app.name].dnn)
                assert chosen is not None
                self._served.append((chosen, list(step_costs(unit, chosen, decisions[app.name]))))

    def worst(self, planned: Sequence[Violation]) -> WorstCase:
        """Return the worst of objective and rules; a rule that is broken as planned is reported once."""
        known = {(one.kind, one.subject) for one in planned}
        found = (*self._late(), *self._outrun(), *self._overloaded())
        more = (one for one in found if (one.kind, one.subject) not in known)
        return WorstCase(self._objective(), (*planned, *more))

    def _largest(self, parts: Sequence[Contribution]) -> float:
        return largest(parts, self._uncertainty.budget)

    def _part(
        self, app: Application, weights: Sequence[float], costs: Sequence[float], *, shares: bool = True
    ) -> Contribution:
        """Return Σ_i w_i c_i with what every deviating share adds to its weights."""
        losses = self._uncertainty.losses(self._instance.dnn_of(app)) if shares else ()
        gains = tuple(loss * sum(costs[after:]) for after, loss in losses)
        base = sum(weight * cost for weight, cost in zip(weights, costs, strict=False))
        return Contribution(base, gains, self._uncertainty.growth(app))

    def _objective(self) -> float:
        instance, shares = self._instance, self._instance.accounting is Accounting.EXPECTED
        parts = []
        for app, steps in self._served:
            costs = [app.weight * sum(worth(instance.objective, *where) for where in step.spent) for step in steps]
            parts.append(self._part(app, instance.energy_weights(app), costs, shares=shares))
        return self._largest(parts) + sum(app.rejection_penalty_w or 0.0 for app in self._rejected)

    def _late(self) -> Iterator[Violation]:
        expected = self._instance.latency_kind is LatencyKind.EXPECTED
        for app, steps in self._served:
            weights = self._uncertainty.latency_weights(self._instance, app)
            part = self._part(app, weights, [step.latency_s for step in steps], shares=expected)
            latency = self._largest([Contribution(part.base, part.gains, 0.0)])
            if exceeds(latency, app.max_latency_s):
                message = (
                    f"application '{app.name}': latency {latency:.6g} s at worst exceeds {app.max_latency_s:.6g} s"
                )
                yield Violation(ViolationKind.LATENCY, app.name, message, latency, app.max_latency_s)

    def _outrun(self) -> Iterator[Violation]:
        for app, steps in self._served:
            arrivals = self._uncertainty.arrivals(app, self._instance.dnn_of(app))
            for i, (step, each) in enumerate(zip(steps, arrivals, strict=False), start=1):
                load, limit = each * step.compute_s * step.share, step.share * step.node.parallel
                if step.node.reserves and exceeds(load, limit):
                    message = f"application '{app.name}': block {i} outruns its share of '{step.node.name}' at worst"
                    yield Violation(ViolationKind.STABILITY, app.name, message, load, limit)

    def _overloaded(self) -> Iterator[Violation]:
        network = self._instance.network
        for node in network.nodes:
            if not node.reserves:
                parts = self._loads([[_time(step, node.name) for step in steps] for _, steps in self._served])
                yield from self._over(Resource.COMPUTE, node.name, self._largest(parts), float(node.parallel))
        for link in network.links:
            parts = self._loads(
                [[step.counted_bits * step.hops.count(link) for step in steps] for _, steps in self._served]
            )
            subject = f"{link.source}->{link.target}"
            yield from self._over(Resource.BANDWIDTH, subject, self._largest(parts), link.bandwidth_bit_per_s)

    def _loads(self, amounts: Sequence[Sequence[float]]) -> list[Contribution]:
        """Return what every application asks of a resource, from what each of its steps asks for once."""
        parts = []
        for (app, _), one in zip(self._served, amounts, strict=True):
            if any(one):
                rate = app.rate_per_s or 0.0
                survival = self._instance.dnn_of(app).survival
                parts.append(self._part(app, survival, [rate * amount for amount in one]))
        return parts

    def _over(self, resource: Resource, subject: str, load: float, limit: float) -> Iterator[Violation]:
        if exceeds(load, limit):
            kind, unit = "link" if resource is Resource.BANDWIDTH else "node", UNITS[resource]
            message = f"{kind} '{subject}': {resource} load {load:.6g} {unit} at worst exceeds {limit:.6g} {unit}"
            yield Violation(ViolationKind(resource.value), subject, message, load, limit)


def _time(step: StepCosts, node: str) -> float:
    """Return how long the step occupies one place of a node [s], 0 where it runs elsewhere."""
    return step.compute_s * step.share if step.node.name == node else 0.0
