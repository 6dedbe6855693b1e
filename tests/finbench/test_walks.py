"""Three walks from nothing to a result, by documented commands alone."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FINBENCH = Path(sysconfig.get_path("scripts")) / "finbench"
ROOT = Path(__file__).resolve().parents[2]

Walk = Callable[..., str]


@pytest.fixture
def finbench(tmp_path: Path) -> Walk:
    """Run the command in an empty folder, and return what it prints; it has to succeed."""

    def run(*words: str, code: int = 0) -> str:
        ran = subprocess.run([FINBENCH, *words], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran.stdout

    return run


def test_a_researcher_gets_from_a_campaign_to_a_table_and_a_figure(finbench: Walk, tmp_path: Path) -> None:
    finbench("run", "smoke", "-o", "results")
    folder = tmp_path / "results" / "smoke"
    rows = [json.loads(line) for line in (folder / "runs.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["status"] for row in rows} >= {"optimal", "feasible"}
    assert (folder / "tables.md").read_text(encoding="utf-8").startswith("# ")
    finbench("table", "results/smoke", "--format", "latex", "-o", "table.tex")
    assert "\\begin{tabular" in (tmp_path / "table.tex").read_text(encoding="utf-8")
    finbench("plot", "results/smoke", "-o", "profile.pdf")
    assert (tmp_path / "profile.pdf").read_bytes().startswith(b"%PDF")
    finbench("report", "results/smoke", "-o", "report.html")
    assert "smoke" in (tmp_path / "report.html").read_text(encoding="utf-8")


NETWORK = """
name = "workshop"

[[nodes]]
name = "camera"
tier = "mobile"
compute_ops_per_s = 2e9
power_w = 2.0

[[nodes]]
name = "box"
tier = "edge"
compute_ops_per_s = 5e10
power_w = 15.0

[[links]]
source = "camera"
target = "box"
bandwidth_bit_per_s = 5e7
tx_energy_j_per_bit = 2e-9
rx_energy_j_per_bit = 1e-9
"""

DNN = """
name = "inspector"
input_bits = 6e5

[[blocks]]
ops = 2e7
output_bits = 1e5

[[blocks]]
ops = 9e7
output_bits = 2e4

[[exits]]
after_block = 1
exit_fraction = 0.6
accuracy = 0.81

[[exits]]
after_block = 2
exit_fraction = 0.4
accuracy = 0.93
"""

INSTANCE = """
name = "inspection"
network = "network.toml"
dnns = ["dnn.toml"]

[[applications]]
name = "inspection"
dnn = "inspector"
source = "camera"
max_latency_s = 0.02
min_accuracy = 0.9
"""


def test_an_engineer_gets_from_own_files_to_a_placement(finbench: Walk, tmp_path: Path) -> None:
    for name, text in (("network.toml", NETWORK), ("dnn.toml", DNN), ("instance.toml", INSTANCE)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = json.loads(finbench("solve", "instance.toml", "--method", "milp-flow", "-o", "deployment.json", "--json"))
    assert found["status"] == "optimal"
    (placed,) = found["deployments"]
    # Block 2 takes 45 ms on the camera: it has to leave. Block 1 stays (0.020 J there; 600 kbit are 12 ms and 1.8 mJ,
    # then 0.006 J on the box): cheaper is to send the sample, at 12 + 0.4 + 1.8 ms.
    assert placed["placement"] == ["box", "box"]
    assert found["energy_j"] == pytest.approx(6e5 * 3e-9 + 2e7 * 15 / 5e10 + 0.4 * 9e7 * 15 / 5e10)
    assert found["latency_s"] == pytest.approx(6e5 / 5e7 + 2e7 / 5e10 + 9e7 / 5e10)
    assert json.loads(finbench("evaluate", "instance.toml", "deployment.json", "--json"))["violations"] == []
    finbench("draw", "instance.toml", "--deployment", "deployment.json", "-o", "system.png")
    assert (tmp_path / "system.png").stat().st_size > 1000
    finbench("solve", "instance.toml", "--min-accuracy", "0.99", "--method", "milp-flow", code=3)


def test_someone_gets_from_an_own_method_to_its_numbers(finbench: Walk, tmp_path: Path) -> None:
    for name in ("one_cut.py", "one_cut.toml"):
        text = (ROOT / "docs" / "examples" / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert "keeps the contract" in finbench("test-method", "one-cut", "--plugin", "one_cut.py")
    finbench(
        "generate", "ring", "--plugin", "one_cut.py", "--nodes", "6", "--blocks", "4", "--exits", "2", "-o", "r.json"
    )
    ran = finbench("compare", "r.json", "--plugin", "one_cut.py", "--methods", "label-setting,one-cut", "--json")
    exact, own = json.loads(ran)[0]["runs"]
    assert exact["energy_j"] <= own["energy_j"] * (1 + 1e-6)
    finbench("run", "one_cut.toml", "-o", "results")
    rows = (tmp_path / "results" / "one-cut" / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    assert sum(json.loads(row)["method"] == "one-cut" for row in rows) == 8
    (tmp_path / "one_cut.py").write_text(
        (tmp_path / "one_cut.py")
        .read_text(encoding="utf-8")
        .replace("best, least, times_s", "best, least / 2, times_s")
    )
    said = finbench("test-method", "one-cut", "--plugin", "one_cut.py", "--quick", code=1)
    assert "objectives" in said
    assert "the evaluator finds" in said
