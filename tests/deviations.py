"""Every deviation of exit shares and rates within a budget, as instances of their own, for `evaluate` to judge."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from finbench.models.deployment import Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.uncertainty import Uncertainty

Datum = tuple[str, int | None]
"""An application and one of its DNN's exits; None for its rate."""


def with_own_dnns(instance: Instance) -> Instance:
    """The instance with a DNN of its own for every application, so that their shares deviate apart."""
    dnns, apps = [], []
    for app in instance.applications:
        names = {name: f"{name} of {app.name}" for name in app.alternatives}
        dnns += [instance.dnn_by_name[name].model_copy(update={"name": own}) for name, own in names.items()]
        field = {"dnns": tuple(names.values())} if app.dnns else {"dnn": names[str(app.dnn)]}
        apps.append(app.model_copy(update=field))
    return rebuilt(instance, dnns=tuple(dnns), applications=tuple(apps))


def rebuilt(instance: Instance, **fields: object) -> Instance:
    own = {name: getattr(instance, name) for name in Instance.model_fields}
    return Instance(**{**own, **fields})


def vertices(instance: Instance, uncertainty: Uncertainty) -> Iterator[Instance]:
    """Every instance in which at most so many data deviate; each application must have one DNN, and its own."""
    data: list[Datum] = []
    for app in instance.applications:
        data += [(app.name, e) for e in range(len(instance.dnn_of(app).exits) - 1)]
        data += [(app.name, None)] if app.rate_per_s is not None else []
    for count in range(min(uncertainty.budget, len(data)) + 1):
        yield from (_deviated(instance, set(chosen), uncertainty.deviation) for chosen in combinations(data, count))


def _deviated(instance: Instance, chosen: set[Datum], deviation: float) -> Instance:
    dnns, apps = [], []
    for app in instance.applications:
        dnn, lost = instance.dnn_of(app), 0.0
        exits = list(dnn.exits)
        for e, one in enumerate(exits[:-1]):
            if (app.name, e) in chosen:
                lost += deviation * one.exit_fraction
                exits[e] = one.model_copy(update={"exit_fraction": one.exit_fraction * (1 - deviation)})
        exits[-1] = exits[-1].model_copy(update={"exit_fraction": min(1.0, exits[-1].exit_fraction + lost)})
        dnns.append(dnn.model_copy(update={"exits": tuple(exits)}))
        grown = (app.name, None) in chosen
        apps.append(app.model_copy(update={"rate_per_s": (app.rate_per_s or 0.0) * (1 + deviation)}) if grown else app)
    return rebuilt(instance, dnns=tuple(dnns), applications=tuple(apps))


def worst_by_enumeration(all_vertices: list[Instance], deployment: Deployment) -> float | None:
    """The largest objective over all vertices; None where any of them breaks a rule."""
    worst = 0.0
    for one in all_vertices:
        judged = evaluate(one, deployment)
        if not judged.feasible or judged.objective is None:
            return None
        worst = max(worst, judged.objective)
    return worst
