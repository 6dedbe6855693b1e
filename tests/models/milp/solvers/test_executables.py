"""What CBC and GLPK print and write, as recorded, is read rightly; both need not be installed for this."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from finbench.models.milp.solvers import cbc, glpk
from finbench.models.milp.solvers.executable import Spoken, run_on_file
from finbench.models.milp.solvers.interface import Limits, SolveProgram
from finbench.models.milp.solvers.standard_form import StandardForm, UncheckedAnswer, checked_answer
from finbench.models.result import Clock, Status
from tests.models.milp.solvers.test_highs import knapsack

FORM = StandardForm.of(knapsack())
"""Three columns, whose order is that of the objective: −3, −4, −5."""


def cbc_says(first: str, lines: str = "", log: str = "") -> UncheckedAnswer:
    return cbc.answer_of(Spoken(log, f"{first}\n{lines}", False), FORM)


def glpk_says(log: str, solution: str = "", stopped: bool = False) -> UncheckedAnswer:
    return glpk.answer_of(Spoken(log, solution, stopped), FORM)


def test_an_optimal_answer_of_cbc_is_read() -> None:
    answer = cbc_says("Optimal - objective value -5.00", "      2 c2     1     -5\n", "Enumerated nodes:    7\n")
    assert (answer.status, answer.bound, answer.node_count) == (Status.OPTIMAL, -5, 7)
    assert answer.columns is not None
    assert answer.columns.tolist() == [0, 0, 1]


def test_an_answer_of_cbc_within_a_gap_is_read_to_eight_digits() -> None:
    log = "Cbc0011I Exiting as integer gap of 0.5 less than 1e-10 or 20%"
    answer = cbc_says("Optimal (within gap tolerance) - objective value -5", "**    2 c2     1     -5\n", log)
    assert answer.status is Status.OPTIMAL
    assert answer.bound == pytest.approx(-5.5)
    assert checked_answer(answer, FORM, Limits(mip_gap=0.2), {}).status is Status.FEASIBLE
    assert checked_answer(answer, FORM, Limits(), {}).status is Status.ERROR


def test_cbc_stopped_by_the_time_limit_keeps_incumbent_and_bound() -> None:
    log = "Cbc0005I Partial search - best objective -4 (best possible -5.5), took 1 iterations"
    answer = cbc_says("Stopped on time - objective value -4", "1 c1 1 -4\n", log)
    assert answer.status is Status.TIME_LIMIT
    assert answer.columns is not None
    assert answer.bound is not None
    assert -5.51 < answer.bound < -5.5
    without = cbc_says("Stopped on time (no integer solution - continuous used) - objective value -6", "1 c1 0.5 0\n")
    assert (without.status, without.columns, without.bound) == (Status.TIME_LIMIT, None, None)


@pytest.mark.parametrize("said", ["Infeasible - objective value 19.6", "Integer infeasible - objective value 5.1"])
def test_cbc_infeasible_has_no_solution(said: str) -> None:
    answer = cbc_says(said, "      0 c0    0.5      1\n")
    assert (answer.status, answer.columns, answer.bound) == (Status.INFEASIBLE, None, None)


def test_cbc_that_overruns_has_hit_the_limit_and_cbc_that_is_silent_has_failed() -> None:
    assert cbc.answer_of(Spoken("Welcome", "", True), FORM).status is Status.TIME_LIMIT
    assert cbc_says("").status is Status.ERROR


SOLUTION = "s mip 1 3 {} -5\ni 1 4\nj 1 0\nj 2 0\nj 3 1\ne o f\n"
TREE = "+     3: mip =  -5.000000000e+00 >=  {}   0.0% (0; 1)\n"


@pytest.mark.parametrize(
    "log",
    [
        TREE.format("   tree is empty") + "INTEGER OPTIMAL SOLUTION FOUND\nTime used:   0.0 secs\n",
        "Objective value = -5\nINTEGER OPTIMAL SOLUTION FOUND BY MIP PREPROCESSOR\n",
    ],
)
def test_an_optimal_answer_of_glpk_is_read(log: str) -> None:
    answer = checked_answer(glpk_says(log, SOLUTION.format("o")), FORM, Limits(), {})
    assert (answer.status, answer.objective, answer.bound) == (Status.OPTIMAL, -5, -5)


@pytest.mark.parametrize(
    "said", ["PROBLEM HAS NO INTEGER FEASIBLE SOLUTION", "PROBLEM HAS NO PRIMAL FEASIBLE SOLUTION"]
)
def test_an_infeasible_answer_of_glpk_has_no_solution(said: str) -> None:
    answer = glpk_says(f"GLPK 5.0\n{said}\n", SOLUTION.format("n"))
    assert (answer.status, answer.columns) == (Status.INFEASIBLE, None)


def test_glpk_at_a_limit_takes_the_bound_from_its_log() -> None:
    log = TREE.format(" -5.500000000e+00") + "TIME LIMIT EXCEEDED; SEARCH TERMINATED\n"
    answer = glpk_says(log, SOLUTION.format("f"))
    assert answer.status is Status.TIME_LIMIT
    assert answer.columns is not None
    assert answer.bound == pytest.approx(-5.5)
    stopped = glpk_says(TREE.format(" -5.500000000e+00"), "", stopped=True)
    assert (stopped.status, stopped.columns) == (Status.TIME_LIMIT, None)
    assert stopped.bound == answer.bound
    assert glpk_says("+ 3: mip =     not found yet >=              -inf        (1; 0)\n").bound is None


def test_glpk_that_fails_is_an_error() -> None:
    assert glpk_says("glpsol: unknown option\n").status is Status.ERROR


def command(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_program_that_ignores_its_limit_is_stopped() -> None:
    clock = Clock(1.0)
    spoken = run_on_file(FORM, clock, lambda *_: ["sh", "-c", "echo bound; exec sleep 60"], grace_s=0.2)
    assert spoken.stopped
    assert spoken.log == "bound\n"
    assert clock.elapsed_s < 30


RUN_LONG = """
import sys
from pathlib import Path
from finbench.models.milp.solvers.executable import run_on_file
from finbench.models.result import Clock
from tests.models.milp.solvers.test_executables import FORM, command
code = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(60)"
run_on_file(FORM, Clock(), lambda model, solution, left: [*command(code), sys.argv[1]], grace_s=0)
"""


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_a_program_ends_with_the_run_that_started_it_and_leaves_no_file(sent: int, tmp_path: Path) -> None:
    note, folder = tmp_path / "pid", tmp_path / "temporary"
    folder.mkdir()
    run = subprocess.Popen([sys.executable, "-c", RUN_LONG, str(note)], env={**os.environ, "TMPDIR": str(folder)})
    number = awaited(lambda: note.exists() and note.read_text())
    run.send_signal(sent)
    assert run.wait(10) == -sent
    awaited(lambda: not psutil.pid_exists(int(number)) or psutil.Process(int(number)).status() == psutil.STATUS_ZOMBIE)
    assert list(folder.iterdir()) == []


def awaited(condition: Callable[[], Any]) -> Any:
    """Return the value of a condition once it holds, waiting half a minute at most."""
    for _ in range(600):
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("waited for half a minute")


def test_a_program_gets_the_model_and_leaves_its_solution() -> None:
    def copy(model: Path, solution: Path, left: float | None) -> list[str]:
        return command(f"import shutil; shutil.copy({str(model)!r}, {str(solution)!r}); print({left})")

    spoken = run_on_file(FORM, Clock(), copy, grace_s=0)
    assert "COLUMNS" in spoken.solution
    assert (spoken.log, spoken.stopped) == ("None\n", False)


@pytest.mark.parametrize("solve", [cbc.solve_with_cbc, glpk.solve_with_glpk])
def test_a_limit_that_has_passed_starts_nothing(solve: SolveProgram) -> None:
    answer = solve(knapsack(), Limits(), Clock(0.0))
    assert answer.status is Status.TIME_LIMIT
    assert "before" in (answer.reason or "")


def test_limits_arrive_on_the_command_lines() -> None:
    paths = Path("model"), Path("solution")
    words = cbc.command_line(Limits(0.1, threads=2, seed=5), *paths, 2.5)
    for option in ("-ratioGap 0.1", "-threads 2", "-timeMode elapsed", "-seconds 2.5", "-increment 1e-09"):
        assert option in " ".join(words)
    assert "-seconds" not in cbc.command_line(Limits(), *paths, None)
    assert glpk.command_line(Limits(0.1), *paths, 2.5)[-4:] == ["--mipgap", "0.1", "--tmlim", "2"]
    assert "--tmlim" not in glpk.command_line(Limits(), *paths, 0.5)


def test_a_solution_that_breaks_a_row_is_an_error() -> None:
    said = cbc_says("Optimal - objective value -12", "0 c0 1 -3\n1 c1 1 -4\n2 c2 1 -5\n")
    answer = checked_answer(said, FORM, Limits(), {})
    assert (answer.status, answer.values) == (Status.ERROR, None)
    assert "breaks a row by 4.5" in (answer.reason or "")
