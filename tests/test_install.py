"""What a user installs: one name, whole, and unmoved by whatever lies in the folder where it is used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("models", "fin_graph", "benchmarks", "data")
STRANGERS = (*PARTS, "tests")
BUILD = """
import sys
from setuptools import build_meta
make, folder = sys.argv[1:3]
print(getattr(build_meta, make)(folder, dict(option.split("=") for option in sys.argv[3:])))
"""
TYPED = """
import finbench
reveal_type(finbench.load("blenet-mnist").network.nodes)
reveal_type(finbench.solve(finbench.load("blenet-mnist")).lower_bound)
"""


@dataclass(frozen=True)
class Distributions:
    """A copy of the sources, and what is built from it."""

    sources: Path
    wheel: Path
    sdist: Path
    site: Path
    """Folder that the wheel is installed into, without what it depends on."""
    build: Callable[..., Path]
    """Call a hook of the build back end: its name, the sources, the folder for what it makes, and settings."""


def printed(command: list[str], folder: Path, **changed: str) -> str:
    """Run a command that has to succeed, in a folder, with environment variables changed; return what it prints."""
    environment = {**os.environ, **changed}
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def pip(*arguments: str) -> None:
    printed([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments], ROOT)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """Build sdist and wheel once, from a copy, since a build leaves folders among its sources."""
    scratch = tmp_path_factory.mktemp("install")
    sources, tools, site = scratch / "sources", scratch / "tools", scratch / "site"
    sources.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, sources)
    for name in ("finbench", *STRANGERS):
        shutil.copytree(ROOT / name, sources / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    pip("install", "--constraint", str(ROOT / "constraints.txt"), "--target", str(tools), "setuptools")

    def build(hook: str, folder: Path, target: Path, *settings: str) -> Path:
        target.mkdir(exist_ok=True)
        command = [sys.executable, "-c", BUILD, hook, str(target), *settings]
        return target / printed(command, folder, PYTHONPATH=str(tools)).splitlines()[-1]

    wheel, sdist = (build(f"build_{kind}", sources, scratch / kind) for kind in ("wheel", "sdist"))
    pip("install", "--no-deps", "--target", str(site), str(wheel))
    return Distributions(sources, wheel, sdist, site, build)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A working folder with packages of the names that the checkout's parts have; each raises when it is imported."""
    folder = tmp_path / "project"
    for name in STRANGERS:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"raise RuntimeError('the stranger {name} was imported')\n")
    return folder


@dataclass(frozen=True)
class Installed:
    """What is installed, used in a folder."""

    site: Path
    folder: Path

    def finbench(self, *arguments: str, **changed: str) -> str:
        """Run the installed command and return what it prints."""
        return self.python(str(self.site / "bin" / "finbench"), *arguments, **changed)

    def python(self, *arguments: str, **changed: str) -> str:
        """Run Python, which with `-c` looks for modules in the working folder first, and return what it prints."""
        return printed([sys.executable, *arguments], self.folder, PYTHONPATH=str(self.site), **changed)


@pytest.fixture
def installed(built: Distributions, elsewhere: Path) -> Installed:
    return Installed(built.site, elsewhere)


def names_in(wheel: Path) -> set[str]:
    return set(ZipFile(wheel).namelist())


def sources_of(part: str) -> set[str]:
    """Everything of a part that git knows, under the name that it has in the wheel."""
    return {f"finbench/{name}" for name in printed(["git", "ls-files", "--", part], ROOT).splitlines()}


def test_finbench_is_the_only_name_that_an_installation_brings(built: Distributions) -> None:
    (metadata,) = built.site.glob("*.dist-info")
    assert {path.name for path in built.site.iterdir()} == {"finbench", metadata.name, "bin"}
    assert {name.partition("/")[0] for name in names_in(built.wheel)} == {"finbench", metadata.name}
    assert [path.name for path in (built.site / "bin").iterdir()] == ["finbench"]


@pytest.mark.parametrize("part", PARTS)
def test_the_wheel_holds_every_file_of_a_part(built: Distributions, part: str) -> None:
    expected = sources_of(part)
    assert len(expected) > 5
    assert {name for name in names_in(built.wheel) if name.startswith(f"finbench/{part}/")} == expected


def test_the_wheel_holds_the_python_interface(built: Distributions) -> None:
    expected = set(printed(["git", "ls-files", "--", "finbench/api", "finbench/__init__.py"], ROOT).splitlines())
    assert len(expected) > 10
    assert expected <= names_in(built.wheel)


def test_types_data_and_templates_are_installed(built: Distributions) -> None:
    assert (built.site / "finbench" / "py.typed").is_file()
    suffixes = {path.suffix for path in (built.site / "finbench" / "data").rglob("*") if path.is_file()}
    assert suffixes >= {".toml", ".csv"}
    templates = {path.suffix for path in (built.site / "finbench/benchmarks/report/templates").iterdir()}
    assert templates == {".html", ".css", ".js"}


def test_an_sdist_builds_the_same_wheel(built: Distributions, tmp_path: Path) -> None:
    with tarfile.open(built.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
        names = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    (sources,) = tmp_path.iterdir()
    assert names_in(built.build("build_wheel", sources, tmp_path / "wheel")) == names_in(built.wheel)
    assert "tests" not in names


def test_strangers_would_be_imported_if_anybody_asked_for_them(installed: Installed) -> None:
    for name in STRANGERS:
        with pytest.raises(AssertionError, match=f"the stranger {name} was imported"):
            installed.python("-c", f"import {name}")


def test_the_public_face_works_beside_strangers(installed: Installed) -> None:
    code = (
        "import finbench as fb; print(fb.__file__); instance = fb.load('blenet-mnist');"
        "print(fb.evaluate(instance, fb.solve(instance, 'fin', gamma=100).deployment).violations)"
    )
    assert installed.python("-c", code).split() == [str(installed.site / "finbench" / "__init__.py"), "()"]


def test_the_command_solves_beside_strangers_and_keeps_machine_code_where_it_is_told(
    installed: Installed, tmp_path: Path
) -> None:
    cache = tmp_path / "machine-code"
    said = installed.finbench("solve", "blenet-mnist", "--engine", "arrays", "--json", FINBENCH_CACHE_DIR=str(cache))
    assert json.loads(said)["status"] in ("optimal", "feasible")
    assert list(cache.glob("*/*.nbi"))
    assert not list(installed.site.rglob("*.nb[ic]"))


@pytest.mark.skipif(find_spec("ortools") is None, reason="OR-Tools is not installed")
def test_cp_sat_talks_to_its_process_beside_strangers(installed: Installed) -> None:
    assert (
        json.loads(installed.finbench("solve", "blenet-mnist", "--method", "cp-sat", "--json"))["status"] == "optimal"
    )


def test_a_campaign_runs_in_worker_processes_beside_strangers(installed: Installed) -> None:
    installed.finbench("run", "smoke", "-o", "results")
    assert statuses(installed.folder / "results" / "smoke") <= {"optimal", "feasible", "no-solution", "unsupported"}
    installed.finbench("report", "results/smoke", "-o", "report.html")
    assert "smoke" in (installed.folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.skipif(find_spec("distributed") is None, reason="Dask is not installed")
def test_a_campaign_runs_on_a_cluster_beside_strangers(installed: Installed) -> None:
    installed.finbench("run", "smoke", "-o", "results", "--backend", "dask", "--method", "single-node")
    assert statuses(installed.folder / "results" / "smoke") <= {"feasible", "no-solution"}


def statuses(results: Path) -> set[str]:
    rows = [json.loads(line) for line in (results / "runs.jsonl").read_text().splitlines()]
    assert rows
    return {row["status"] for row in rows}


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_mypy_knows_the_types_of_what_is_installed(built: Distributions, kind: str, tmp_path: Path) -> None:
    """An editable installation shows types in its strict mode only: the other is an import hook, which mypy ignores."""
    package = built.wheel
    if kind == "editable":
        package = built.build("build_editable", built.sources, tmp_path / "editable", "editable_mode=strict")
    project = tmp_path / "project"
    venv.create(project / "env", with_pip=False)
    site = sysconfig.get_path("purelib", "venv", {"base": str(project / "env")})
    ZipFile(package).extractall(site)
    (project / "script.py").write_text(TYPED)
    mypy = [sys.executable, "-m", "mypy", "--python-executable", str(project / "env" / "bin" / "python")]
    said = printed([*mypy, "--ignore-missing-imports", "--cache-dir", str(tmp_path / "cache"), "script.py"], project)
    assert 'Revealed type is "tuple[finbench.models.network.Node, ...]"' in said
    assert 'Revealed type is "float | None"' in said
