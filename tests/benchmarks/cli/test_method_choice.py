"""Which methods `compare` runs, with which options."""

from __future__ import annotations

import pytest

from finbench.benchmarks.cli.method_choice import chosen_methods
from finbench.benchmarks.methods import check_options
from finbench.models.io import InputError

LISTS = {"gamma": "10,100", "solver": "highs"}


def test_methods_run_once_with_each_value_of_the_lists_they_have() -> None:
    found = chosen_methods("fin, milp-flow,mcp", (), {"gamma": "10,100", "solver": "highs,scip"})
    assert [(name, options.get("gamma"), options.get("solver")) for name, options in found] == [
        ("fin", 10, None), ("fin", 100, None), ("milp-flow", None, "highs"), ("milp-flow", None, "scip"),
        ("mcp", None, None),
    ]  # fmt: skip


def test_a_single_method_has_its_own_options_and_defaults_for_the_others() -> None:
    (one, two) = chosen_methods("", ["milp-flow solver=scip strengthen=off mip-gap=0.5", "fin"], LISTS)
    assert one == ("milp-flow", check_options("milp-flow", {"solver": "scip", "strengthen": False, "mip_gap": 0.5}))
    assert two == ("fin", check_options("fin", {}))


def test_lists_in_a_single_method_expand_to_their_product() -> None:
    found = chosen_methods("", ["fin gamma=1,2 restarts=0,3"], LISTS)
    assert [(options["gamma"], options["restarts"]) for _, options in found] == [(1, 0), (1, 3), (2, 0), (2, 3)]


def test_a_choice_that_is_named_twice_comes_once() -> None:
    assert len(chosen_methods("fin,mcp", ["fin gamma=10", "mcp"], LISTS)) == 3


@pytest.mark.parametrize(
    ("single", "named"),
    [
        ("", ["--method", "must be a method"]),
        ("magic", ["method 'magic'"]),
        ("fin gamma", ["'gamma'", "must be an option and its value"]),
        ("fin gamma=", ["'gamma='", "must be an option and its value"]),
        ("fin gamma=x", ["--method: gamma", "'x'", "whole numbers"]),
        ("fin gamma=0", ["gamma = 0"]),
        ("fin colour=red", ["method 'fin'", "colour = red", "its options: gamma"]),
        ("mcp k=1", ["method 'mcp'", "its options: none"]),
        ("milp-flow strengthen=maybe", ["'maybe'", "on or off"]),
        ("milp-flow 'solver=scip", ["--method"]),
    ],
)
def test_what_no_method_takes_is_one_line(single: str, named: list[str]) -> None:
    with pytest.raises(InputError) as error:
        chosen_methods("", [single], LISTS)
    assert [part for part in named if part not in str(error.value)] == []
