"""Which instances a method that searches one path can honour.

An application without a rate is a single inference: it loads no compute rate and no bandwidth (eqs. 11, 13), only
memory (eq. 12), and the objective is its energy per inference. An application with a rate loads all three. So the rate
1 means something else than no rate: 1 inference per second, whose load may exceed a capacity.
"""

from __future__ import annotations

from math import inf

from finbench.models.instance import Application, Instance, Node


def reason_to_refuse(instance: Instance) -> str | None:
    """Return why a method that routes one application on an otherwise empty system cannot take `instance`.

    A path search sees no capacity (eqs. 11–13), so it is exact about feasibility only where no capacity can bind.

    Parameters
    ----------
    instance : Instance

    Returns
    -------
    str or None
        One line for people; None where there is one application and no capacity can ever bind.
    """
    if len(instance.applications) > 1:
        return f"places one application; the instance has {len(instance.applications)}"
    app = instance.applications[0]
    if app.rejection_penalty_w is not None:
        return f"serves every application; '{app.name}' may be rejected"
    for node in instance.network.nodes:
        if node.reserves:
            return f"runs blocks at a node's whole rate; node '{node.name}' offers shares to reserve"
    found = (_resource_that_may_bind(instance, choice) for choice in app.choices)
    resource = next((one for one in found if one is not None), None)
    return None if resource is None else f"does not see capacities, and {resource} may bind"


def layered_arcs(instance: Instance) -> int:
    """Return the number of edges of a single application's extended graphs without pins: L (N + 2 A), L of all DNNs."""
    network, dnns = instance.network, instance.dnns_of(instance.applications[0])
    return sum(len(dnn.blocks) for dnn in dnns) * (len(network.nodes) + 2 * len(network.links))


def _resource_that_may_bind(instance: Instance, app: Application) -> str | None:
    """Return the first resource that could not bear all of the application's load by itself; None where all could."""
    dnn, rate = instance.dnn_of(app), app.rate_per_s or 0.0
    parameters = sum(block.parameter_bytes for block in dnn.blocks)
    operations = rate * sum(share * block.ops for share, block in zip(dnn.survival, dnn.blocks, strict=True))
    bits = rate * sum(share * dnn.transfer_bits(i) for i, share in enumerate(dnn.survival, start=1))
    for node in instance.network.nodes:
        if node.memory_bytes is not None and parameters > node.memory_bytes:
            return f"the memory of node '{node.name}'"
        if rate > 0 and _executions(instance, app, node, operations) > node.parallel:
            return f"the compute rate of node '{node.name}'"
    for link in instance.network.links:
        if bits > link.bandwidth_bit_per_s:
            return f"the bandwidth of link '{link.source}->{link.target}'"
    return None


def _executions(instance: Instance, app: Application, node: Node, operations: float) -> float:
    """Return the executions at the same time if all blocks of `app` that can run at `node` did (eq. 11).

    Where none was measured there, they follow from all `operations` per second.
    """
    dnn, measured = instance.dnn_of(app), instance.measurements(instance.dnn_of(app), node)
    rate = inf if node.compute_ops_per_s is None else node.compute_ops_per_s
    if not measured:
        return operations / rate
    times = (block.ops / rate for block in dnn.blocks)
    times = (measured[i].time_s if i in measured else time for i, time in enumerate(times, start=1))
    return app.weight * sum(share * time for share, time in zip(dnn.survival, times, strict=True))
