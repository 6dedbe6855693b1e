"""What a deployment is made of, as columns of a row: energy of computing and of sending, where blocks run, exits.

Of all applications h that are served, weighted by their rates λ_h (1 for one without a rate), with steps i and weights
e_i as in eq. (1), survival s_i:

    computing    Σ_h λ_h Σ_i e_i ε_{i,n}            transfers    Σ_h λ_h Σ_i e_i d_{i−1} Σ (e^tx + e^rx)
    executions of a tier    Σ_h λ_h Σ_i s_i [x_i in the tier]

Both energies together are the total power, or the energy of one inference.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from finbench.models.deployment import Deployment
from finbench.models.instance import Instance
from finbench.models.step_costs import step_costs

NO_TIER = "no tier"
"""Name of the tier of nodes that name none."""


def plan_columns(instance: Instance, deployment: Deployment) -> dict[str, Any]:
    """Return the column `plan` of a structurally sound deployment.

    Returns
    -------
    dict
        `compute` and `transfer`, the energies [W, or J without rates]; `executions`, those of each tier [1/s, or of one
        inference]; `last_exits`, how many applications have each exit as their last.
    """
    apps = {app.name: app for app in instance.applications}
    energies, last_exits = {"compute": 0.0, "transfer": 0.0}, Counter[str]()
    executions: defaultdict[str, float] = defaultdict(float)
    for decision in deployment.deployments:
        app = apps[decision.application].choice(decision.dnn)
        if app is None:
            continue
        last_exits[str(decision.last_exit)] += 1
        survival = instance.dnn_of(app).survival
        for share, step in zip(survival, step_costs(instance, app, decision), strict=False):
            energies["compute"] += app.weight * step.compute_energy_j
            energies["transfer"] += app.weight * step.transfer_energy_j
            executions[step.node.tier or NO_TIER] += app.weight * share
    return {**energies, "executions": dict(executions), "last_exits": dict(sorted(last_exits.items()))}
