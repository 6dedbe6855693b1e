"""Small systems whose answers are known by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from finbench.models.instance import DNN, Application, Block, Exit, Instance, Link, Network, Node

Desk = Callable[..., Instance]


@pytest.fixture
def desk() -> Desk:
    """A device of 10 op/s and 100 J/op beside a server of 10 op/s and 1 J/op; a block of 1 op for each application.

    Applications are given as keyword arguments of `Application`, which have a rate of 6/s unless they say otherwise:
    the server has room for one of them.
    """

    def build(*apps: dict[str, object]) -> Instance:
        nodes = (
            Node(name="device", compute_ops_per_s=10.0, power_w=1000.0),
            Node(name="server", compute_ops_per_s=10.0, power_w=10.0),
        )
        ends = (("device", "server"), ("server", "device"))
        links = tuple(
            Link(source=a, target=b, bandwidth_bit_per_s=1e6, tx_energy_j_per_bit=0.0, rx_energy_j_per_bit=0.0)
            for a, b in ends
        )
        dnn = DNN(
            name="dnn",
            input_bits=1.0,
            blocks=(Block(ops=1.0, output_bits=1.0),),
            exits=(Exit(after_block=1, exit_fraction=1.0, accuracy=0.9),),
        )
        usual = {"dnn": "dnn", "source": "device", "rate_per_s": 6.0, "max_latency_s": 1.0, "min_accuracy": 0.5}
        return Instance(
            name="desk",
            network=Network(name="desk", nodes=nodes, links=links),
            dnns=(dnn,),
            applications=tuple(
                Application.model_validate({"name": f"app{k}", **usual, **app}) for k, app in enumerate(apps)
            ),
        )

    return build
