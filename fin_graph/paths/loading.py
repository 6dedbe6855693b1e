"""Load the compiled searches before a clock runs."""

from __future__ import annotations

from functools import cache

from finbench.models.instance import DNN, Application, Block, Exit, Instance, Link, Network, Node


@cache
def load_compiled() -> None:
    """Run every compiled search once on the smallest problem.

    The first call in a process loads the machine code from the disk, or compiles it where there is none. What a method
    reports for its phases is then its own work.
    """
    from finbench.fin_graph.paths import bounds, kernel, label_search, shortest
    from finbench.fin_graph.paths.arrays import path_problem
    from finbench.models.result import Clock

    instance = smallest()
    problem = path_problem(instance, instance.applications[0])
    assert problem is not None
    kernel.least_energy_replica_path(problem, 1)
    bounds.secant_step(problem.edges, problem.source, 1.0, 0.5, bounds.Secant(0.0, 2.0, 1.0, 1.0, 0.0, 0.0, False))
    label_search.latency_energy_frontier(problem, Clock())
    to_go = shortest.costs_to_go(problem.edges, 1.0, 0.0)
    shortest.latency_along(problem.edges, to_go.next_link, problem.source)


@cache
def load_labels_with_loads() -> None:
    """Do the same for the search whose labels carry loads, which only capacities that bind call for."""
    from math import inf

    from finbench.fin_graph.paths.arrays import path_problem
    from finbench.fin_graph.paths.bounds import lagrangian_dual
    from finbench.fin_graph.paths.load_search import LoadSearch
    from finbench.fin_graph.paths.own_loads import OwnLoads
    from finbench.models.result import Clock

    instance = smallest()
    problem = path_problem(instance, instance.applications[0])
    assert problem is not None
    critical = OwnLoads.of(instance, instance.applications[0]).critical((0,), problem)
    LoadSearch(problem, lagrangian_dual(problem), critical, limit=inf, k=1, clock=Clock()).run()


@cache
def load_cumulative() -> None:
    """Run the search with cumulative rounding once, as `load_compiled` does with the others."""
    from finbench.fin_graph.paths.arrays import path_problem
    from finbench.fin_graph.paths.kernel import least_energy_replica_path

    instance = smallest()
    problem = path_problem(instance, instance.applications[0])
    assert problem is not None
    least_energy_replica_path(problem, 1, how="cumulative")


def smallest() -> Instance:
    """Return an instance of two nodes, one link and one block."""
    nodes = tuple(Node(name=name, compute_ops_per_s=1.0, power_w=1.0) for name in "ab")
    link = Link(source="a", target="b", bandwidth_bit_per_s=1.0, tx_energy_j_per_bit=1.0, rx_energy_j_per_bit=1.0)
    exit_ = Exit(after_block=1, exit_fraction=1.0, accuracy=1.0)
    dnn = DNN(name="dnn", input_bits=1.0, blocks=(Block(ops=1.0, output_bits=1.0),), exits=(exit_,))
    app = Application(name="app", dnn="dnn", source="a", max_latency_s=9.0, min_accuracy=0.0)
    return Instance(
        name="smallest", network=Network(name="net", nodes=nodes, links=(link,)), dnns=(dnn,), applications=(app,)
    )
