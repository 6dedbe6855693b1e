"""What targets are measured on."""

from __future__ import annotations

from finbench.benchmarks.families import generate
from finbench.fin_graph.paths.arrays import PathProblem, path_problem
from finbench.models.instance import Instance


def problem_of(instance: Instance) -> PathProblem:
    """Return the single application of an instance as the methods on arrays take it."""
    problem = path_problem(instance, instance.applications[0])
    assert problem is not None
    return problem


def linked_instance(family: str, nodes: int, blocks: int, seed: int = 0) -> Instance:
    """Return a half-tight instance of a family, with one exit."""
    return generate(family, nodes=nodes, blocks=blocks, exits=1, seed=seed, tightness=0.5)
