"""What the attack on the command line is made of: damaged documents, nasty values, and a run under guard."""

from __future__ import annotations

import json
import random
import resource
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import psutil
from typer.testing import CliRunner, Result

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.execution.memory import forget_peak, peak_bytes
from tests.benchmarks.rows.test_mutated_results import MARK, NASTY, few_resamples, places

Document = dict[str, Any]

CPU_S = 20.0
"""Most CPU time that one command may take [s]; a sound one takes well under a second."""

WALL_S = 120.0
"""Most wall-clock time, for a command that waits instead of working [s]."""

MEMORY_BYTES = 2**30
"""Most memory that one command may add to this process [byte]."""

ADDRESSES_BYTES = 4 * MEMORY_BYTES
"""Address space that it may add, libraries that it loads included [byte]: it ends what would fill the machine."""

FOUND, UNEXPECTED, BAD_INPUT, INFEASIBLE, NOTHING_FOUND, VIOLATED = 0, 1, 2, 3, 4, 5

CODES: dict[str, set[int]] = {
    "compare": {FOUND, BAD_INPUT, INFEASIBLE, NOTHING_FOUND},
    "check": {FOUND, UNEXPECTED, BAD_INPUT, INFEASIBLE},
    "solve": {FOUND, BAD_INPUT, INFEASIBLE, NOTHING_FOUND},
    "explain": {FOUND, BAD_INPUT, INFEASIBLE, NOTHING_FOUND},
    "frontier": {FOUND, BAD_INPUT, NOTHING_FOUND},
    "evaluate": {FOUND, BAD_INPUT, VIOLATED},
    "plan": {FOUND, BAD_INPUT, INFEASIBLE, NOTHING_FOUND},
    "stress": {FOUND, BAD_INPUT, VIOLATED},
    "replan": {FOUND, BAD_INPUT, INFEASIBLE, NOTHING_FOUND},
    "simulate": {FOUND, BAD_INPUT, VIOLATED},
    "split": {FOUND, BAD_INPUT, VIOLATED},
    "serve": {FOUND, UNEXPECTED, BAD_INPUT, VIOLATED},
    "verify": {FOUND, BAD_INPUT, NOTHING_FOUND, VIOLATED},
    "compare-results": {FOUND, UNEXPECTED, BAD_INPUT},
    "leaderboard": {FOUND, BAD_INPUT, VIOLATED},
    "library": {FOUND, BAD_INPUT, VIOLATED},
}
"""Exit codes that a command may end with; of those that are not here, 0 and 2. Code 5 would be a contradiction."""


class Hang(BaseException):
    """Raised in a command that takes too long."""


@dataclass
class Tally:
    """How the commands of an attack ended."""

    refused: int = 0
    answered: int = 0
    faults: list[str] = field(default_factory=list)
    """A line for every command that neither refused in one line nor answered with an exit code of its own."""

    def run(self, arguments: Sequence[str], about: object = None) -> Result:
        """Run a command under limits, and count how it ended; `about` is told where it is at fault."""
        came, peak = invoked(arguments)
        fault = fault_of(arguments, came)
        if fault is None and peak > MEMORY_BYTES:
            fault = f"took {peak / 2**30:.2f} GiB"
        if fault is not None:
            self.faults.append(f"{fault}: {list(arguments)} {about} ({came.exit_code}) {came.output[-600:]}")
        elif came.exit_code == BAD_INPUT:
            self.refused += 1
        else:
            self.answered += 1
        return came

    def assert_sound(self, *, refused: int, answered: int) -> None:
        """Assert that no command was at fault, and that enough of them refused and answered."""
        assert not self.faults, f"{len(self.faults)} faults, the first ones:\n" + "\n".join(self.faults[:8])
        assert (self.refused >= refused, self.answered >= answered) == (True, True), (self.refused, self.answered)


def fault_of(arguments: Sequence[str], came: Result) -> str | None:
    """Return what is wrong with how a command ended; None where nothing is."""
    if came.exception is not None and not isinstance(came.exception, SystemExit):
        return repr(came.exception)[:300]
    if "Traceback" in came.output:
        return "a traceback"
    if came.exit_code not in CODES.get(arguments[0], {FOUND, BAD_INPUT}):
        return f"exit code {came.exit_code}"
    # What Typer itself refuses, it puts in a box, after the usage.
    one_line = came.stderr.count("\n") == 1 or came.stderr.startswith(("Usage: ", "╭─ Error"))
    if came.exit_code == BAD_INPUT and not (one_line and came.stdout == ""):
        return "a refusal that is not one line"
    return None


def invoked(arguments: Sequence[str]) -> tuple[Result, int]:
    """Return what a command of this process came to under limits, and the memory that it added at most [byte]."""
    before = psutil.Process().memory_info().rss
    forget_peak()
    with _guarded(), few_resamples():
        came = CliRunner().invoke(app, list(arguments))
    return came, peak_bytes() - before


@contextmanager
def _guarded() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    before = {kind: signal.signal(kind, _end) for kind in (signal.SIGPROF, signal.SIGALRM)}
    resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + ADDRESSES_BYTES, hard))
    signal.setitimer(signal.ITIMER_PROF, CPU_S)
    signal.setitimer(signal.ITIMER_REAL, WALL_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _end(_: int, frame: FrameType | None) -> NoReturn:
    raise Hang(f"too long, in {frame}")


def damaged(document: Document, draw: random.Random) -> str:
    """Return the JSON text of a document with one fault: a value replaced, removed, moved or repeated, or bytes."""
    others = (_replaced, _replaced, _replaced, _removed, _added, _moved, _repeated, _bitten)
    change = _rescaled if draw.random() < 0.5 else draw.choice(others)
    return change(json.loads(json.dumps(document)), draw)


def _rescaled(table: Document, draw: random.Random) -> str:
    """Replace one to three numbers by others that are often sound: larger, smaller, whole, or almost the same."""
    numbers = [(holder, key) for holder, key in places(table) if isinstance(holder[key], float)]
    for holder, key in draw.sample(numbers, min(len(numbers), draw.randint(1, 3))):
        value = holder[key]
        factors = (0.0, 0.5, 1 + 1e-6, 1 - 1e-6, 2.0, 10.0, 1e-3, 1e3, 1e-9, 1e9, 1e-30, 1e30, 1e-300, 1e200)
        holder[key] = draw.choice([value * draw.choice(factors), float(round(min(value, 1e15))), 1.0])
    return json.dumps(table)


def _replaced(table: Document, draw: random.Random) -> str:
    holder, key = draw.choice(places(table))
    holder[key] = MARK
    return json.dumps(table).replace(json.dumps(MARK), draw.choice(NASTY))


def _removed(table: Document, draw: random.Random) -> str:
    holder, key = draw.choice(places(table))
    del holder[key]
    return json.dumps(table)


def _added(table: Document, draw: random.Random) -> str:
    tables = [table, *(holder[key] for holder, key in places(table) if isinstance(holder[key], dict))]
    draw.choice(tables)[draw.choice(["", "name", "rate_per_s", "colour", "\x1b[31m", "schema_version"])] = MARK
    return json.dumps(table).replace(json.dumps(MARK), draw.choice(NASTY))


def _moved(table: Document, draw: random.Random) -> str:
    """Put the value of one place into another."""
    (one, first), (two, second) = draw.sample(places(table), 2)
    one[first] = json.loads(json.dumps(two[second]))
    return json.dumps(table)


def _repeated(table: Document, draw: random.Random) -> str:
    lists = [holder[key] for holder, key in places(table) if isinstance(holder[key], list) and holder[key]]
    if lists:
        chosen = draw.choice(lists)
        chosen.append(json.loads(json.dumps(draw.choice(chosen))))
    return json.dumps(table)


def _bitten(table: Document, draw: random.Random) -> str:
    text = json.dumps(table, indent=draw.choice([None, 1]))
    start = draw.randrange(len(text))
    bite = draw.choice(['"', "}", "[", "0", ",", "\\", "\x00", "é", "-", "e9", ""])
    return text[:start] + bite + text[start + draw.randrange(6) :]


def written(path: Path, text: str) -> Path:
    """Write a text whose characters need not be sound, and return its path."""
    path.write_bytes(text.encode(errors="surrogatepass"))
    return path
