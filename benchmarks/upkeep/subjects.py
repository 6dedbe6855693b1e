"""What targets are measured on."""

from __future__ import annotations

import numpy as np

from finbench.benchmarks.families import generate
from finbench.fin_graph.paths.arrays import PathProblem, path_problem
from finbench.models.instance import DNN, Instance


def problem_of(instance: Instance) -> PathProblem:
    """Return the single application of an instance as the methods on arrays take it."""
    problem = path_problem(instance, instance.applications[0])
    assert problem is not None
    return problem


def linked_instance(family: str, nodes: int, blocks: int, seed: int = 0) -> Instance:
    """Return a half-tight instance of a family, with one exit."""
    return generate(family, nodes=nodes, blocks=blocks, exits=1, seed=seed, tightness=0.5)


def with_alternatives(instance: Instance, count: int, spread: float, seed: int = 0) -> Instance:
    """Return an instance of one DNN whose application may run `count`: this one, and others drawn around it.

    Operations and outputs of their blocks differ from it by a part of up to `spread`.
    """
    rng, (dnn,), (app,) = np.random.default_rng(seed), instance.dnns, instance.applications
    others = tuple(_drawn_around(dnn, f"{dnn.name}-{k}", spread, rng) for k in range(1, count))
    names = (dnn.name, *(other.name for other in others))
    several = app.model_copy(update={"dnn": None, "dnns": names})
    return instance.model_copy(update={"dnns": (dnn, *others), "applications": (several,)})


def _drawn_around(dnn: DNN, name: str, spread: float, rng: np.random.Generator) -> DNN:
    factors = rng.uniform(1 - spread, 1 + spread, (len(dnn.blocks), 2)).tolist()
    blocks = tuple(
        block.model_copy(update={"ops": ops * block.ops, "output_bits": bits * block.output_bits})
        for block, (ops, bits) in zip(dnn.blocks, factors, strict=True)
    )
    return dnn.model_copy(update={"name": name, "blocks": blocks})
