"""CP-SAT on instances that use what version 2 of the file format added."""

from __future__ import annotations

import pytest

from finbench.models import exhaustive
from finbench.models.cp_sat import method
from finbench.models.options import ReducedProgramOptions
from tests.extended_instances import extended_instance, extended_shared_instance
from tests.few_and_many import few_and_many
from tests.models.cp_sat.conftest import needs_ortools
from tests.test_extended_model import assert_optimal

pytestmark = [needs_ortools, pytest.mark.usefixtures("one_process")]


@pytest.mark.parametrize("strengthen", [True, False])
@pytest.mark.parametrize("seed", few_and_many(range(400), 6))
def test_cp_sat_agrees_with_the_enumeration(seed: int, strengthen: bool) -> None:
    for instance in (extended_instance(seed), extended_shared_instance(seed)):
        found = method.solve(instance, ReducedProgramOptions(strengthen=strengthen))
        assert_optimal(instance, found, exhaustive.solve(instance))
