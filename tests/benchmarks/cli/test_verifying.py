"""`finbench solve --certificate` and `finbench verify`: from a run to a proof, and what refutes it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from finbench.benchmarks.cli.app import app


def finbench(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("proof")
    deployment, certificate = folder / "deployment.json", folder / "certificate.json"
    made = finbench(
        "solve", "balexnet-cifar10", "--method", "label-setting", "-o", deployment, "--certificate", certificate
    )
    assert made.exit_code == 0, made.output
    return deployment, certificate


def test_what_solve_writes_is_proven(proof: tuple[Path, Path]) -> None:
    deployment, certificate = proof
    found = finbench("verify", "balexnet-cifar10", certificate, deployment, "--json")
    assert found.exit_code == 0, found.output
    said = json.loads(found.stdout)
    assert said["verdict"] == "proven"
    assert float(Fraction(said["objective"])) == pytest.approx(0.02139545744, rel=1e-9)
    assert said["gap"] == pytest.approx(0, abs=1e-12)


def test_the_tightest_constraints_are_shown(proof: tuple[Path, Path]) -> None:
    found = finbench("verify", "balexnet-cifar10", proof[0])
    assert found.exit_code == 0
    assert "0.001306273895" in found.stdout
    assert "proven: feasible, objective 0.02139545744" in found.stdout


def test_a_deployment_that_misses_a_target_is_refuted(proof: tuple[Path, Path]) -> None:
    found = finbench("verify", "balexnet-cifar10", *proof, "--max-latency-s", "0.0036")
    assert found.exit_code == 5
    assert "refuted: (8) balexnet-cifar10: 0.003693726105 against 0.0036" in found.stdout


def test_a_certificate_of_another_instance_proves_nothing(proof: tuple[Path, Path]) -> None:
    found = finbench("verify", "balexnet-cifar10", *proof, "--max-latency-s", "0.006")
    assert found.exit_code == 4
    assert "not proven: the certificate is for another instance" in found.stdout


def test_that_nothing_fits_is_proven_without_a_deployment(tmp_path: Path) -> None:
    certificate = tmp_path / "none.json"
    targets = ("--max-latency-s", "0.0001")
    made = finbench("solve", "balexnet-cifar10", "--method", "milp-flow", *targets, "--certificate", certificate)
    assert made.exit_code == 3, made.output
    found = finbench("verify", "balexnet-cifar10", certificate, *targets)
    assert found.exit_code == 0
    assert "proven: no path of application 'balexnet-cifar10' meets its targets" in found.stdout


def test_two_deployments_are_one_too_many(proof: tuple[Path, Path]) -> None:
    found = finbench("verify", "balexnet-cifar10", proof[0], proof[0])
    assert found.exit_code == 2
    assert "is a second deployment: one at most" in found.output


def test_a_certificate_with_a_wrong_field_is_refused(proof: tuple[Path, Path], tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    document = json.loads(proof[1].read_text())
    document["applications"][0]["multiplier"] = -1
    wrong.write_text(json.dumps(document))
    found = finbench("verify", "balexnet-cifar10", proof[0], wrong)
    assert found.exit_code == 2
    assert "multiplier = -1: must be greater than or equal to 0" in found.output
