"""Entry points lead to methods, families and solvers; nobody looks for them without need."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata

import pytest

import finbench as fb
from finbench.benchmarks.methods import find_method
from finbench.benchmarks.plugins.installed import installed_names, load_all_installed
from finbench.models.io import load_instance
from tests.benchmarks.plugins.conftest import IDLE, SOLVER

Install = Callable[..., None]

RING = """
import finbench as fb
from finbench.benchmarks.families.tiered import draw

fb.register_family(fb.Family("ringed", "tiered under another name", lambda rng, size: draw(rng, size)))
"""


def test_an_installed_method_is_found_by_its_name(install: Install) -> None:
    install("idle_a", IDLE.format(name="idle-a", depth=2), "[finbench.methods]\nidle-a = idle_a\n")
    assert "idle-a" in installed_names("method")
    assert fb.solve(fb.load("blenet-mnist"), "idle-a").reason == "sleeps 2 deep"
    plugin = find_method("idle-a").plugin
    assert plugin is not None
    assert plugin.origin == "idle-dist 1.5"
    with pytest.raises(fb.InputError, match=r"methods: .*, idle-a"):
        find_method("magic")


def test_an_installed_family_is_found_by_its_name(install: Install) -> None:
    install("ringed_b", RING, "[finbench.families]\nringed = ringed_b\n")
    made = fb.generate("ringed", nodes=4, blocks=3, exits=2, seed=1)
    assert made.network == fb.generate("tiered", nodes=4, blocks=3, exits=2, seed=1).network


def test_an_installed_solver_is_found_by_its_name(install: Install) -> None:
    install("mine_h", SOLVER.replace('"mine"', '"mine-h"'), "[finbench.solvers]\nmine-h = mine_h\n")
    assert fb.solve(fb.load("blenet-mnist"), "milp-flow", solver="mine-h").feasible


def test_an_installed_plugin_that_fails_is_one_line_and_hides_no_other(install: Install) -> None:
    install("idle_c", "1 / 0\n", "[finbench.methods]\nbroken-c = idle_c\n")
    install("idle_d", IDLE.format(name="idle-d", depth=2), "[finbench.methods]\nidle-d = idle_d\n", distribution="two")
    broken = load_all_installed("method")
    assert list(broken) == ["broken-c"]
    assert "idle-dist 1.5: cannot be loaded: ZeroDivisionError" in broken["broken-c"]
    assert find_method("idle-d")
    with pytest.raises(fb.InputError, match="cannot be loaded"):
        find_method("broken-c")


def test_an_entry_point_that_promises_too_much_is_one_line(install: Install) -> None:
    install("idle_e", IDLE.format(name="idle-e", depth=2), "[finbench.methods]\nother-e = idle_e\n")
    with pytest.raises(fb.InputError, match="entry point 'other-e': 'idle_e' registers no method of that name"):
        find_method("other-e")


def test_two_distributions_that_bring_one_name_are_one_line(install: Install) -> None:
    install("idle_f", IDLE.format(name="idle-f", depth=2), "[finbench.methods]\nidle-f = idle_f\n")
    install("idle_g", IDLE.format(name="idle-f", depth=3), "[finbench.methods]\nidle-f = idle_g\n", distribution="two")
    with pytest.raises(fb.InputError, match=r"several installed plugins bring it: idle-dist 1\.5, two 1\.5"):
        find_method("idle-f")


def test_nobody_looks_for_entry_points_where_a_name_is_the_suites_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def looked(**_: str) -> None:
        raise AssertionError("looked for entry points")

    monkeypatch.setattr(metadata, "entry_points", looked)
    instance = load_instance("blenet-mnist")
    assert fb.solve(instance, "fin").feasible
    assert fb.solve(instance, "milp-flow", solver="highs").feasible
    assert fb.generate("tiered", nodes=4, blocks=3, exits=2, seed=1)
    with pytest.raises(AssertionError, match="looked for entry points"):
        fb.solve(instance, "magic")
