"""What `finbench test-method` shows: a table of the checks, and every failure with the command that repeats it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import join

from finbench.benchmarks.judging.contract.checks import ASKED
from finbench.benchmarks.judging.contract.contract import Breach, ContractReport, Progress
from finbench.benchmarks.terminal.console import output, table
from finbench.benchmarks.terminal.sheet import printable
from finbench.models.io import dump_instance, write_text

SHOWN = 20
"""Failures that are printed; all are counted."""


@contextmanager
def showing_progress(method: str) -> Iterator[Progress]:
    """Show on a terminal which case is being looked at, for as long as the block lasts."""
    with output().status(f"{method}: beginning") as status:

        def report(kind: str, number: int, total: int) -> None:
            status.update(f"{method}: case {number} of {total}, {kind}")

        yield report


def print_report(report: ContractReport, folder: Path) -> None:
    """Print what was checked; write the instances of failures to `folder`, which is made where there are any."""
    screen = output()
    rows = [
        (check.value, asked, str(report.tried[check]), str(report.failed(check)))
        for check, asked in ASKED.items()
        if report.tried[check]
    ]
    columns = ("check", "what must hold", "looked at", "failed")
    screen.print(table(f"contract of {report.method.name}", columns, rows, text_columns=2))
    for kind, reason in report.refused.items():
        if not report.answered[kind]:
            screen.print(f"refuses {kind}: {printable(reason)}", markup=False)
    if not report.breaches:
        kept = sum(report.answered.values())
        screen.print(f"{report.method.name} keeps the contract on {kept} instances", markup=False)
        return
    folder.mkdir(parents=True, exist_ok=True)
    for breach in report.breaches[:SHOWN]:
        file = _written(breach, folder)
        screen.print(f"{breach.check}: {breach.kind}: {printable(breach.message)}", markup=False)
        screen.print(f"    {_command(report, breach, file)}", markup=False, soft_wrap=True)
    more = len(report.breaches) - SHOWN
    if more > 0:
        screen.print(f"… and {more} more", markup=False)


def _written(breach: Breach, folder: Path) -> Path:
    """Return the file of a failure's instance, written where it is not there yet."""
    instance = breach.asked.instance
    file = folder / f"{instance.content_hash[:12]}.json"
    if not file.exists():
        write_text(file, dump_instance(instance))
    return file


def _command(report: ContractReport, breach: Breach, file: Path) -> str:
    """Return the command that makes the run of a failure again."""
    asked, plugin = breach.asked, report.method.plugin
    words = ["finbench", *(["--plugin", plugin.path] if plugin is not None and plugin.path else [])]
    words += ["solve", str(file), "--method", report.method.name, "--seed", str(asked.seed)]
    words += ["--time-limit", f"{asked.time_limit_s:g}"]
    for name, value in asked.options.items():
        flag = name.rstrip("_").replace("_", "-")
        words += [f"--{flag}" if value else f"--no-{flag}"] if isinstance(value, bool) else [f"--{flag}", str(value)]
    return join(words)
