"""Damaged results: every command that reads them refuses them in one line or answers; none ends in a traceback."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.analysis import growth, measures, statistics
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.rows.reading import load_rows
from finbench.models.io import InputError

MUTANTS = {"table": 80, "csv": 80, "latex": 50, "plot": 25, "report": 60, "compare-results": 70, "leaderboard": 40}
"""How many of them each command is given."""

CAMPAIGN = """
name = "small"
time_limit_s = 10
warm_up = false
methods = [
    { name = "label-setting" }, { name = "milp-flow" }, { name = "fin", options = { gamma = [5, 10, 20] } },
    { name = "mcp" },
]
[[instances]]
group = "grid"
instances = ["balexnet-cifar10"]
max_latency_s = [0.0001, 0.005, 0.007]
min_accuracy = [0.5]
[[families]]
group = "ladder"
family = "tiered"
nodes = [3, 5, 8]
blocks = [4]
exits = [2]
seeds = [1]
[[shared_families]]
group = "campus"
family = "campus"
nodes = [4]
applications = [2]
load = [0.5, 1.2]
penalty = 5.0
seeds = [1]
methods = [{ name = "fin" }, { name = "greedy" }]
"""


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


NASTY = (
    *('""', '"text"', '"1"', '"\\ud800"', '"\\u0000"', '"$\\\\frac{"', "null", "true", "false", "0", "-1", "1", "2"),
    *("1.5", "-1e308", "1e308", "1e-320", "18446744073709551616", str(10**40), "9" * 5000, "NaN", "Infinity", "1e999"),
    *("[]", "{}", "[1]", "[[]]", '["a", 1]', '{"a": 1}', '{"a": {"b": [null]}}', "[[0.1, null, 1.0]]", "[[1, 2]]"),
    *(deep(40), deep(100_000), '{"a":' * 60 + "1" + "}" * 60, '"' + "x" * 5000 + '"', "[[2, 1, 1], [1, 1, 1]]"),
)
"""JSON, or nearly."""

MARK = "MARK-THAT-IS-REPLACED"


def places(table: Any) -> list[tuple[Any, Any]]:
    """Every table or list with every key or index in it."""
    keys = list(table) if isinstance(table, dict) else range(len(table)) if isinstance(table, list) else []
    return [(table, key) for key in keys] + [place for key in keys for place in places(table[key])]


def with_another_value(line: str, draw: random.Random) -> str:
    table = json.loads(line)
    # Most values lie within instances and trajectories. A column itself is therefore drawn every other time.
    holder, key = draw.choice(places(table) if draw.random() < 0.5 else [(table, key) for key in table])
    holder[key] = MARK
    return json.dumps(table).replace(json.dumps(MARK), draw.choice(NASTY))


def without_a_value(line: str, draw: random.Random) -> str:
    table = json.loads(line)
    holder, key = draw.choice(places(table) if draw.random() < 0.5 else [(table, key) for key in table])
    del holder[key]
    return json.dumps(table)


def with_more(line: str, draw: random.Random) -> str:
    table = json.loads(line)
    names = ("side", "proven", "gamma", "best_bound", "worth", "time_x_s", "exit_kind", "arcs", "", "load", "cpu")
    table[draw.choice(names)] = MARK
    return json.dumps(table).replace(json.dumps(MARK), draw.choice(NASTY))


def with_two_swapped(line: str, draw: random.Random) -> str:
    table = json.loads(line)
    one, two = draw.sample(list(table), 2)
    table[one], table[two] = table[two], table[one]
    return json.dumps(table)


def with_bytes_changed(line: str, draw: random.Random) -> str:
    start = draw.randrange(len(line))
    return line[:start] + draw.choice(['"', "}", "[", "0", ",", "\\", "\x00", "é"]) + line[start + draw.randrange(3) :]


CHANGES: tuple[Callable[[str, random.Random], str], ...] = (
    with_another_value, with_another_value, with_another_value, without_a_value, with_more, with_two_swapped,
    with_bytes_changed,
)  # fmt: skip


def mutate(folder: Path, draw: random.Random) -> str:
    """Change one or more lines of a file of results, and return a description of the change."""
    name = draw.choice(["runs.jsonl", "runs.jsonl", "runs.jsonl", "environments.jsonl", "instances.jsonl"])
    lines = (folder / name).read_text().splitlines()
    change, number, seed = draw.choice(CHANGES), draw.randrange(len(lines)), draw.random()
    chosen = range(len(lines)) if draw.random() < 0.3 else [number]
    for k in chosen:
        lines[k] = change(lines[k], random.Random(seed))
    (folder / name).write_text("\n".join(lines) + "\n")
    return f"{name}: {change.__name__} in line {number + 1} of {len(chosen)} changed"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mutated")
    (folder / "small.toml").write_text(CAMPAIGN)
    made = CliRunner().invoke(app, ["run", str(folder / "small.toml"), "-o", str(folder)])
    assert made.exit_code == 0, made.output
    return folder / "small"


@contextmanager
def few_resamples() -> Iterator[None]:
    """Draw few bootstrap samples: what intervals are is of no matter to whether damaged results are read."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (measures, statistics, growth):
            patch.setattr(module, "RESAMPLES", 20)
        yield


COMMANDS = {
    "table": ["table", "{folder}"],
    "csv": ["table", "{folder}", "--format", "csv"],
    "latex": ["table", "{folder}", "--format", "latex"],
    "plot": ["plot", "{folder}", "-o", "{folder}/profile.svg"],
    "report": ["report", "{folder}", "-o", "{folder}/report.html"],
    "compare-results": ["compare-results", "{folder}", "{results}", "--force"],
    "leaderboard": ["leaderboard", "{folder}", "{results}"],
}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_damaged_results_never_end_in_a_traceback(command: str, results: Path, tmp_path: Path) -> None:
    draw = random.Random(f"results, {command}")
    answered = refused = 0
    for number in range(MUTANTS[command]):
        folder = tmp_path / str(number)
        shutil.copytree(results, folder, ignore=shutil.ignore_patterns("figures", "logs", "*.parquet", "*.csv"))
        done = mutate(folder, draw)
        arguments = [part.format(folder=folder, results=results) for part in COMMANDS[command]]
        with few_resamples():
            came = CliRunner().invoke(app, arguments)
        assert came.exception is None or isinstance(came.exception, SystemExit), (number, done, repr(came.exception))
        assert came.exit_code in (0, 1, 2, 5), (number, done, came.output)
        if came.exit_code == 2:
            assert came.stderr.count("\n") == 1, (number, done, came.stderr)
            refused += 1
        answered += came.exit_code != 2
        shutil.rmtree(folder)
    assert refused > MUTANTS[command] / 4
    assert answered > MUTANTS[command] / 20, "else nothing but refusals was tried"


@pytest.mark.parametrize("nasty", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize("column", ["time_s", "variant", "status", "options", "info", "violations", "deployments"])
def test_a_row_is_read_as_it_is_declared_or_refused(
    column: str, nasty: str, tmp_path: Path, one_row: Callable[[str, str], Path]
) -> None:
    folder = one_row(column, nasty)
    with suppress(InputError):
        (row,) = load_rows(folder)
        json.dumps(row, allow_nan=False, ensure_ascii=False).encode()
        return
    with pytest.raises(InputError, match=r"runs\.jsonl: line 1[^\n]+$"):
        load_rows(folder)


@pytest.fixture
def one_row(tmp_path: Path) -> Callable[[str, str], Path]:
    from tests.benchmarks.conftest import made_up_row, write_results

    def written(column: str, text: str) -> Path:
        folder = write_results(tmp_path, [made_up_row("a", "fin", objective=1.0, **{column: MARK})])
        file = folder / "runs.jsonl"
        file.write_text(file.read_text().replace(json.dumps(MARK), text))
        return folder

    return written
