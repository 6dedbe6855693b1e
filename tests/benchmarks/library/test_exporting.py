"""Exported programs: solvers that read them themselves meet the values in the list beside them."""

from __future__ import annotations

import csv
import gzip
import re
import shutil
import subprocess
from collections.abc import Callable
from math import inf, nan
from pathlib import Path

import highspy
import pytest

from finbench.benchmarks.library.exporting import ExportedProgram, export_library
from finbench.benchmarks.library.library import SOLU, shipped_library
from finbench.models.milp.solvers.model_file import Format

SAMPLE = ("blenet-mnist-own", "blenet-mnist-infeasible", "balexnet-cifar10-d3-a85", "campus-n5-a3-u30-s1")


def by_highs(file: Path) -> float:
    """Return the optimum that HiGHS finds in a file; inf where there is none."""
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    assert highs.readModel(str(file)) == highspy.HighsStatus.kOk
    highs.run()
    status = highs.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return inf
    return float(highs.getObjectiveValue()) if status == highspy.HighsModelStatus.kOptimal else nan


def by_scip(file: Path) -> float:
    scip = pytest.importorskip("pyscipopt", reason="SCIP is not installed").Model()
    scip.hideOutput()
    scip.readProblem(str(file))
    scip.optimize()
    status = scip.getStatus()
    return float(scip.getObjVal()) if status == "optimal" else inf if status == "infeasible" else nan


def log_of(*words: str) -> str:
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout


def by_cbc(file: Path) -> float:
    log = log_of("cbc", str(file), "-solve", "-quit")
    if re.search(r"infeasible", log):
        return inf
    return float(re.findall(r"^Objective value: +(\S+)$", log, re.MULTILINE)[0])


def by_glpk(file: Path) -> float:
    form = "--freemps" if ".mps" in file.name else "--lp"
    log = log_of("glpsol", form, str(file), "--write", str(file.parent / "solution"))
    status, value = re.findall(r"^s \w+ \d+ \d+ (?:\w )?(\w) (\S+)$", (file.parent / "solution").read_text(), re.M)[0]
    return float(value) if status == "o" else inf if "NO" in log else nan


def exported(folder: Path, file_format: Format) -> tuple[list[ExportedProgram], dict[str, float]]:
    """Export the sample; return its programs, and the value of each by the name of its file."""
    library = shipped_library()
    programs = export_library(library, library.chosen(SAMPLE), file_format, folder)
    lines = [line.split() for line in (folder / SOLU).read_text().splitlines()]
    return programs, {name: float(value[0]) if sign == "=opt=" else inf for sign, name, *value in lines}


@pytest.mark.parametrize("solver", [by_highs, by_scip, by_cbc, by_glpk])
def test_solvers_meet_the_values_from_the_files_alone(solver: Callable[[Path], float], tmp_path: Path) -> None:
    formats: tuple[Format, ...] = ("mps", "lp")
    for file_format in formats:
        _, values = exported(tmp_path / file_format, file_format)
        assert len(values) == 7
        for name, value in values.items():
            file = tmp_path / file_format / f"{name}.{file_format}.gz"
            assert solver(file) == pytest.approx(value, rel=1e-6), file.name


def test_every_program_is_listed_with_its_unit_or_the_reason_why_it_is_missing(tmp_path: Path) -> None:
    programs, _ = exported(tmp_path, "mps")
    with (tmp_path / "programs.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["instance"], row["formulation"]) for row in rows] == [(p.instance, p.formulation) for p in programs]
    assert len(rows) == 2 * len(SAMPLE)
    (missing,) = [row for row in rows if not row["file"]]
    assert missing["reason"].startswith("milp-assignment uses direct links only")
    assert {row["file"] for row in rows if row["file"]} == {each.name for each in tmp_path.glob("*.gz")}


def test_names_can_be_read_and_equal_programs_give_equal_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        exported(tmp_path / folder, "mps")
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    text = gzip.decompress((tmp_path / "one" / "balexnet-cifar10-d3-a85.milp-flow.mps.gz").read_bytes()).decode()
    assert "eq8_latency" in text
