"""Networks and placements as the page draws them: each distinct one once, nodes and DNNs by their number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from finbench.benchmarks.judging.judged import Judged
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.instance import DNN, Application, Instance, Network
from finbench.models.step_costs import step_costs

MOST_NODES = 60
"""Of larger networks only sources and nodes that a deployment uses are drawn."""

MOST_APPLICATIONS = 50
"""Of more applications the first are drawn."""

MOST_USES = 10
"""Of a shared system the fullest nodes and links are listed, so many of them."""

Table = dict[str, Any]
"""JSON-compatible."""


@dataclass
class Gallery:
    """What is drawn, as it is collected; equal networks, DNNs and placements are kept once."""

    networks: list[Table] = field(default_factory=list)
    dnns: list[Table] = field(default_factory=list)
    placements: list[Table] = field(default_factory=list)
    _known: dict[tuple[str, str], int] = field(default_factory=dict)
    _used: dict[int, set[str]] = field(default_factory=dict)
    _networks: list[Network] = field(default_factory=list)
    _placed: dict[int, int] = field(default_factory=dict)
    """Numbers of placements by the identity of their evaluations; equal decisions share one (`verdicts`)."""

    def instance(self, instance: Instance) -> Table:
        """Return the network's number, and the applications with their targets."""
        network, apps = self._network(instance.network), instance.applications[:MOST_APPLICATIONS]
        self._used[network].update(app.source for app in apps)
        return {
            "network": network,
            "several": len(instance.applications),
            "applications": [self._application(instance, app) for app in apps],
        }

    def placement(self, judged: Judged) -> int | None:
        """Return the number of the run's placement; None where there is none that could be drawn."""
        deployment, evaluation = judged.result.deployment, judged.evaluation
        if deployment is None or evaluation is None or evaluation.objective is None:
            return None
        if id(evaluation) not in self._placed:
            self._placed[id(evaluation)] = self._new_placement(judged, deployment)
        return self._placed[id(evaluation)]

    def _new_placement(self, judged: Judged, deployment: Deployment) -> int:
        instance = judged.instance
        network = self._network(instance.network)
        drawn = {app.name: app for app in instance.applications[:MOST_APPLICATIONS]}
        table: Table = {
            "network": network,
            "applications": [
                self._decision(instance, drawn[one.application], one)
                for one in deployment.deployments
                if one.application in drawn
            ],
            "rejected": [name for name in deployment.rejected if name in drawn],
        }
        if len(instance.applications) > 1:
            table["uses"] = [[use.subject, use.resource.value, use.load, use.limit] for use in judged.uses[:MOST_USES]]
        return self._number("placement", repr(table), self.placements, table)

    def finish(self) -> None:
        """Fill in the networks, now that it is known which nodes are used."""
        for number, network in enumerate(self._networks):
            cut = len(network.nodes) > MOST_NODES
            shown = [node for node in network.nodes if not cut or node.name in self._used[number]]
            names = {node.name for node in shown}
            self.networks[number] = {
                "nodes": [[node.name, node.tier] for node in shown],
                "links": [[a.source, a.target] for a in network.links if {a.source, a.target} <= names],
                "all_nodes": len(network.nodes),
            }

    def _network(self, network: Network) -> int:
        number = self._number("network", network.model_dump_json(), self.networks, {})
        if number == len(self._networks):
            self._networks.append(network)
            self._used[number] = set()
        return number

    def _application(self, instance: Instance, app: Application) -> Table:
        return {
            "name": app.name,
            "dnn": self._dnn_number(instance.dnns_of(app)[0]),
            "source": app.source,
            "rate_per_s": app.rate_per_s,
            "max_latency_s": app.max_latency_s,
            "min_accuracy": app.min_accuracy,
            "pinned": app.pinned,
        }

    def _dnn_number(self, dnn: DNN) -> int:
        return self._number("dnn", dnn.model_dump_json(), self.dnns, _dnn(dnn))

    def _decision(self, instance: Instance, app: Application, decision: ApplicationDeployment) -> Table:
        blocks, choice = [], app.choice(decision.dnn)
        assert choice is not None  # the evaluator has passed the deployment
        for step in step_costs(instance, choice, decision):
            self._used[self._network(instance.network)].update((step.node.name, *step.route))
            energies, times = (step.compute_energy_j, step.transfer_energy_j), (step.compute_s, step.transfer_s)
            blocks.append([step.node.name, step.share, list(step.route), *energies, *times])
        chosen = {} if decision.dnn is None else {"dnn": self._dnn_number(instance.dnn_of(choice))}
        return {"application": app.name, **chosen, "last_exit": decision.last_exit, "blocks": blocks}

    def _number(self, kind: str, key: str, kept: list[Table], table: Table) -> int:
        number = self._known.setdefault((kind, key), len(kept))
        if number == len(kept):
            kept.append(table)
        return number


def _dnn(dnn: DNN) -> Table:
    return {
        "name": dnn.name,
        "input_bits": dnn.input_bits,
        "blocks": [[block.name, block.ops, block.output_bits] for block in dnn.blocks],
        "exits": [[one.name, one.after_block, one.exit_fraction, one.accuracy] for one in dnn.exits],
        "survival": list(dnn.survival),
    }
