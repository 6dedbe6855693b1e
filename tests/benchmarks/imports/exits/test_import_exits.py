"""Tables of exits: shares and accuracies against a plain recount, what dominates what, and what is refused."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import finbench as fb
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.imports.exits.exit_profiles import ExitProfile, load_dnn, load_exit_profiles
from finbench.benchmarks.imports.exits.tables import exit_profiles
from finbench.models.io import InputError, data_directory

Row = tuple[str, int, float, int, float]
"""Sample, exit, confidence, whether it is right, entropy."""


def drawn_rows(samples: int, exits: int, seed: int = 1) -> list[Row]:
    draw = np.random.default_rng(seed)
    rows = []
    for sample in range(samples):
        ease = draw.random()
        for exit_ in range(1, exits + 1):
            confidence = float(np.clip(ease + 0.15 * exit_ + draw.normal(0, 0.2), 0, 1))
            rows.append((f"s{sample}", exit_, confidence, int(draw.random() < confidence), 1 - confidence))
    return [rows[k] for k in draw.permutation(len(rows))]


def table(rows: list[Row], path: Path) -> Path:
    lines = [
        f"{sample},{exit_},{confidence!r},{right},{entropy!r}" for sample, exit_, confidence, right, entropy in rows
    ]
    path.write_text("\n".join(["sample,exit,confidence,correct,entropy", *lines]) + "\n")
    return path


def plain_recount(rows: list[Row], thresholds: tuple[float, ...], *, entropy: bool) -> list[tuple[float, float]]:
    """Return share and accuracy of every exit, one sample after the other."""
    samples = sorted({row[0] for row in rows})
    exits = len(thresholds) + 1
    said = {(row[0], row[1]): row for row in rows}
    leave, right = [0] * exits, [0] * exits
    for sample in samples:
        left = exits
        for exit_ in range(1, exits):
            _, _, confidence, _, doubt = said[sample, exit_]
            if (doubt <= thresholds[exit_ - 1]) if entropy else (confidence >= thresholds[exit_ - 1]):
                left = exit_
                break
        leave[left - 1] += 1
        for last in range(1, exits + 1):
            right[last - 1] += said[sample, min(left, last)][3]
    return [(one / len(samples), other / len(samples)) for one, other in zip(leave, right, strict=True)]


def pairs(setting: ExitProfile) -> list[tuple[float, float]]:
    return [(each.exit_fraction, each.accuracy) for each in setting.exits]


@pytest.mark.parametrize(("exits", "by"), list(product((1, 2, 3), ("confidence", "entropy"))))
def test_shares_and_accuracies_are_those_of_a_plain_recount(exits: int, by: str, tmp_path: Path) -> None:
    rows = drawn_rows(80, exits)
    made = exit_profiles(table(rows, tmp_path / "t.csv"), by=by, steps=5, most=1000)
    assert exits == 1 or len(made.settings) > 3
    for setting in made.settings:
        assert np.allclose(pairs(setting), plain_recount(rows, setting.thresholds, entropy=by == "entropy"), atol=1e-12)


def merits(setting: list[tuple[float, float]]) -> list[float]:
    left = np.cumsum([share for share, _ in setting])[:-1]
    return [*(round(float(share), 9) for share in left), *(accuracy for _, accuracy in setting)]


def test_what_is_kept_is_what_nothing_on_the_grid_beats(tmp_path: Path) -> None:
    rows = drawn_rows(60, 3, seed=4)
    made = exit_profiles(table(rows, tmp_path / "t.csv"), steps=6, most=1000)
    by_exit = [sorted(row[2] for row in rows if row[1] == k) for k in (1, 2)]
    grid = [[each[round(k * 59 / 6)] for k in range(7)] for each in by_exit]
    every = [merits(plain_recount(rows, each, entropy=False)) for each in product(*grid)]
    best = {
        tuple(one)
        for one in every
        if not any(all(b >= a for a, b in zip(one, two, strict=True)) and two != one for two in every)
    }
    assert {tuple(merits(pairs(setting))) for setting in made.settings} == best
    few = exit_profiles(tmp_path / "t.csv", steps=6, most=3)
    assert [few.settings[0], few.settings[-1]] == [made.settings[0], made.settings[-1]]
    assert len(few.settings) == 3


def test_a_summary_gives_one_setting(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("exit,accuracy,share\n2,0.8,0.3\n1,0.9,0.5\n3,0.7,0.2\n")
    (setting,) = exit_profiles(path).settings
    assert np.allclose(pairs(setting), [(0.5, 0.45), (0.3, 0.45 + 0.24), (0.2, 0.45 + 0.24 + 0.14)])


GOOD = "sample,exit,confidence,correct\na,1,0.5,1\na,2,0.9,1\n"

BAD = {
    "a formula": (f"{GOOD}\"=cmd|'/c calc'!A1\",1,0.5,1\n", "begin like a formula"),
    "a formula in a number": (f"{GOOD}b,1,=1+1,1\n", "line 4: confidence = '=1+1': must be a number"),
    "not a number": (f"{GOOD}b,1,nan,1\n", "must be a number from 0 to 1"),
    "too sure": (f"{GOOD}b,1,1.5,1\n", "must be a number from 0 to 1"),
    "neither right nor wrong": (f"{GOOD}b,1,0.5,2\n", "must be 1 or 0"),
    "no exit": (f"{GOOD}b,0,0.5,1\n", "must be a whole number from 1"),
    "twice": (f"{GOOD}a,2,0.5,1\n", "stands twice for sample 'a'"),
    "an exit is missing": (f"{GOOD}b,2,0.5,1\n", "sample 'b': exit 1 is missing"),
    "too few cells": (f"{GOOD}b,1\n", "line 4: has 2 cells"),
    "other columns": ("sample,exit,score\n", "columns 'sample, exit, score'"),
    "a column twice": ("sample,exit,exit,confidence,correct\n", "column 'exit': stands twice"),
    "no rows": ("sample,exit,confidence,correct\n", "has no rows"),
    "nothing": ("", "is empty"),
    "shares above one": ("exit,share,accuracy\n1,0.9,0.5\n2,0.9,0.5\n", "sums to 1.8"),
    "a gap": ("exit,share,accuracy\n1,0.5,0.5\n3,0.5,0.5\n", "without gaps"),
    "a summary with an exit twice": ("exit,share,accuracy\n1,0.5,0.5\n1,0.5,0.5\n", "stands twice"),
    "a byte that is no text": (
        "sample,exit,confidence,correct\n\udce4,1,1,1\n",
        "is not valid CSV: holds bytes that are no UTF-8",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    text, words = BAD[name]
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(errors="surrogateescape"))
    run = CliRunner().invoke(app, ["import", "exits", str(path), "-o", str(tmp_path / "o.toml")])
    assert (run.exit_code, run.stdout) == (2, "")
    assert words in run.stderr
    assert run.stderr.count("\n") == 1
    assert not (tmp_path / "o.toml").exists()


def test_a_grid_of_too_many_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--grid"):
        exit_profiles(table(drawn_rows(3, 6), tmp_path / "t.csv"), steps=10)


def test_a_dnn_is_written_under_each_setting_as_alternatives(tmp_path: Path) -> None:
    file = data_directory() / "dnns" / "balexnet-cifar10.toml"
    base = load_dnn(file)
    path = table(drawn_rows(200, len(base.exits)), tmp_path / "t.csv")
    arguments = ["--dnn", str(file), "--grid", "4", "--most", "3", "-o", str(tmp_path / "e.toml")]
    run = CliRunner().invoke(app, ["import", "exits", str(path), *arguments])
    assert run.exit_code == 0, run.output
    settings = load_exit_profiles(tmp_path / "e.toml").settings
    assert len(settings) == 3
    for k, setting in enumerate(settings, start=1):
        dnn = load_dnn(tmp_path / f"e-{k}.toml")
        assert dnn.name == f"{base.name}-{k}"
        assert [(each.exit_fraction, each.accuracy) for each in dnn.exits] == pairs(setting)
        assert dnn.blocks == base.blocks
    instance = fb.load("balexnet-cifar10")
    dnns = tuple(load_dnn(tmp_path / f"e-{k}.toml") for k in (1, 2, 3))
    (app_,) = instance.applications
    chosen = app_.model_copy(update={"dnn": None, "dnns": tuple(dnn.name for dnn in dnns), "min_accuracy": 0.0})
    both = fb.Instance(name="either", network=instance.network, dnns=dnns, applications=(chosen,))
    assert fb.solve(both, "fin", gamma=20).feasible


def test_another_number_of_exits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("exit,share,accuracy\n1,1,0.9\n")
    arguments = ["--dnn", str(data_directory() / "dnns" / "balexnet-cifar10.toml"), "-o", str(tmp_path / "e.toml")]
    run = CliRunner().invoke(app, ["import", "exits", str(path), *arguments])
    assert run.exit_code == 2
    assert "has 3" in run.stderr or "has 2" in run.stderr
