"""Compiled searches meet arrays of one order of elements: none is compiled a second time within a limit."""

from __future__ import annotations

import numpy as np

from finbench.fin_graph.joint.columns.listing import demands_of
from finbench.fin_graph.joint.system import SharedSystem
from tests.random_instances import random_shared_instance


def test_every_table_of_a_system_with_reservations_is_in_the_order_of_its_rows() -> None:
    for seed in range(20):
        system = SharedSystem.of(random_shared_instance(seed, levels=seed % 2 == 0, penalties=True))
        prices = np.ones(system.resources)
        for choice in (choice for group in system.groups for choice in group.choices):
            problems = (choice.problem(), choice.problem(prices), choice.problem(prices, system.empty_room()))
            tables = [table for problem in problems if problem is not None for table in problem.edges]
            tables += demands_of(choice, np.arange(3, dtype=np.int32))[:5]
            assert all(table.flags.c_contiguous for table in tables)
