"""`fb.solve` gives an answer that knows its instance, its costs and its faults, and shows them."""

from __future__ import annotations

import inspect
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import finbench as fb
from finbench.api.signature import shows_options
from finbench.benchmarks.methods import METHODS
from finbench.benchmarks.upkeep.signatures import module_file, solve_module
from finbench.models.io import load_deployment
from tests.benchmarks.conftest import OPTIMUM_J, TOO_SLOW, AddMethod, add_method, answer

__all__ = ["add_method"]  # a fixture


@pytest.fixture
def solution() -> fb.Solution:
    return fb.solve(fb.load("balexnet-cifar10"), "exhaustive")


def test_the_example_of_the_readme_works() -> None:
    instance = fb.load("balexnet-cifar10")
    result = fb.solve(instance, "fin", gamma=100)
    assert result.deployment is not None
    assert fb.evaluate(instance, result.deployment).objective == pytest.approx(OPTIMUM_J)


def test_a_solution_forwards_result_and_evaluation(solution: fb.Solution) -> None:
    assert solution.deployment is solution.result.deployment
    assert (solution.status, solution.feasible, solution.reason) == (fb.Status.OPTIMAL, True, None)
    assert solution.objective == solution.evaluation.objective == pytest.approx(OPTIMUM_J)  # type: ignore[union-attr]
    assert solution.lower_bound == pytest.approx(OPTIMUM_J)
    assert solution.claimed_objective == pytest.approx(OPTIMUM_J)
    assert solution.gap == pytest.approx(0.0)
    assert solution.violations == ()
    assert solution.contradictions == []
    assert solution.time_s == pytest.approx(sum(solution.times_s.values()) - solution.times_s.get("load", 0.0))
    assert solution.method == "exhaustive"
    assert solution.instance.name == "balexnet-cifar10"


def test_a_solution_in_words_has_its_costs_against_their_targets(solution: fb.Solution) -> None:
    said = solution.summary()
    assert said.startswith("balexnet-cifar10 · exhaustive: optimal\n")
    for part in ("0.02139546 J", "0.003693726 s of at most 0.005 s", "0.8595 of at least 0.8", "device → device"):
        assert part in said
    assert "violation" not in said
    assert repr(solution) == "<Solution of balexnet-cifar10 by exhaustive: optimal, 0.0213955 J>"


def test_a_solution_as_a_table_has_a_row_for_each_application(solution: fb.Solution) -> None:
    (row,) = solution.to_frame().to_dict("records")
    assert (row["application"], row["last_exit"]) == ("balexnet-cifar10", 3)
    assert row["placement"] == ("device", "device", "device", "cloud", "cloud")
    assert row["energy_j"] == pytest.approx(OPTIMUM_J)
    campus = fb.generate("campus", nodes=4, applications=3, load=1.2, penalty=3.0, seed=1)
    shared = fb.solve(campus, "exhaustive")
    table = shared.to_frame()
    assert list(table["application"]) == [app.name for app in campus.applications]
    assert list(table["served"]) == [app.name not in shared.deployment.rejected for app in campus.applications]  # type: ignore[union-attr]
    assert table[~table["served"]]["energy_j"].isna().all()
    assert table["energy_j"].sum() == pytest.approx(shared.evaluation.energy_j)  # type: ignore[union-attr]


def test_what_breaks_a_rule_says_so_everywhere(add_method: AddMethod) -> None:
    add_method("liar", answer(TOO_SLOW, fb.Status.FEASIBLE, OPTIMUM_J / 2))
    lied = fb.solve(fb.load("balexnet-cifar10"), "liar")
    assert not lied.feasible
    for shown in (lied.summary(), lied.to_html()):
        assert "violation: application 'balexnet-cifar10': latency" in shown.replace("&#x27;", "'")
        assert "contradiction: liar claims" in shown


def test_a_solution_without_a_deployment_can_be_shown() -> None:
    nothing = fb.solve(fb.load("balexnet-cifar10").with_overrides(max_latency_s=1e-9), "exhaustive")
    assert nothing.status is fb.Status.INFEASIBLE
    assert nothing.deployment is None
    assert "infeasible" in nothing.summary()
    assert "infeasible" in nothing.to_html()
    assert list(nothing.to_frame()["served"]) == [False]
    with pytest.raises(fb.InputError, match="nothing is deployed"):
        nothing.plot()
    with pytest.raises(fb.InputError, match="there is no deployment"):
        nothing.save("nowhere.json")


NASTY = "<script>alert('x')</script> & \"co\" $_"


def renamed(instance: fb.Instance) -> fb.Instance:
    """The instance with names that are no HTML and no mathematics."""
    data = instance.model_dump(mode="json")
    data["name"] = data["applications"][0]["name"] = NASTY
    data["network"]["nodes"][0]["name"] = NASTY
    for link in data["network"]["links"]:
        for end in ("source", "target"):
            link[end] = NASTY if link[end] == "device" else link[end]
    data["applications"][0] |= {"source": NASTY, "pinned": {}}
    return fb.Instance.model_validate(data)


def test_html_is_well_formed_and_escapes_every_name(solution: fb.Solution) -> None:
    for instance in (solution.instance, renamed(solution.instance)):
        shown = fb.solve(instance, "exhaustive").to_html()
        tree = ET.fromstring(shown)
        circles = [element for element in tree.iter() if element.tag.endswith("circle")]
        assert len(circles) == 5, "one for each block"
        assert "<script" not in shown


def test_notebooks_show_solutions_and_results_as_html(solution: fb.Solution) -> None:
    shown = type(solution).__dict__["_repr_html_"](solution)
    assert shown == solution.to_html()
    assert "_repr_html_" in vars(fb.Results)


def test_html_of_several_applications_lists_them() -> None:
    shared = fb.solve(fb.generate("campus", nodes=4, applications=2, load=0.7, seed=1), "greedy")
    tree = ET.fromstring(shared.to_html())
    assert "2 of 2 applications" in shared.to_html()
    assert sum(element.tag == "tr" for element in tree.iter()) >= 2


def test_a_placement_is_drawn_on_the_axes_that_are_given(solution: fb.Solution) -> None:
    axes = Figure().subplots()
    assert solution.plot(axes) is axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["device", "cloud"]
    assert np.asarray(axes.lines[0].get_xydata())[:, 1].tolist() == [0, 0, 0, 0, 1, 1]
    assert fb.solve(renamed(solution.instance), "exhaustive").plot(Figure().subplots()).get_title(loc="left")


def test_a_solution_is_saved_as_a_deployment_file(solution: fb.Solution, tmp_path: Path) -> None:
    file = tmp_path / "deployment.json"
    solution.save(file)
    assert load_deployment(file) == solution.deployment
    with pytest.raises(fb.InputError, match=r"must end in \.json"):
        solution.save(tmp_path / "deployment.txt")


def test_the_signatures_of_solve_are_those_that_the_option_classes_give() -> None:
    assert module_file().read_text(encoding="utf-8") == solve_module(), (
        "write it anew: python -m finbench.benchmarks.upkeep.signatures"
    )


def test_help_and_completion_show_every_option_of_every_method() -> None:
    shown = inspect.signature(fb.solve).parameters
    told = inspect.getdoc(fb.solve) or ""
    for method in METHODS.values():
        assert f"``{method.name}``" in told
        for name, option in method.options.model_fields.items():
            assert shown[name].default == option.default
            assert f"``{name} = {option.default!r}``" in told
    assert list(shown)[:4] == ["instance", "method", "time_limit_s", "seed"]


def test_showing_options_leaves_the_function_as_it_is() -> None:
    def function(*, first: int = 1, **rest: object) -> tuple[int, dict[str, object]]:
        return first, rest

    assert shows_options(function)(first=2, gamma=3) == (2, {"gamma": 3})
    assert "gamma" in inspect.signature(function).parameters


@pytest.mark.parametrize(
    ("method", "options", "said"),
    [("magic", {}, "no such method"), ("fin", {"gama": 1}, "did you mean 'gamma'"), ("fin", {"gamma": 0}, "gamma = 0")],
)
def test_a_wrong_method_or_option_is_one_line(method: str, options: dict[str, int], said: str) -> None:
    with pytest.raises(fb.InputError, match=said):
        fb.solve(fb.load("blenet-mnist"), method, **options)
