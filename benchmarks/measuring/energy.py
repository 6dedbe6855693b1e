"""Energy that a processor takes, by its own counters (RAPL), which Linux shows below /sys/class/powercap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

LEAST_WINDOW_S = 0.25
"""Time that is measured at least [s]: the counters advance every millisecond."""

MICRO = 1e-6


@dataclass(frozen=True)
class EnergyCounter:
    """The counter of one processor package, in microjoules; it begins anew at `period`."""

    name: str
    file: Path
    period: int

    def read(self) -> int:
        """Return where it stands [µJ]."""
        return int(self.file.read_text())

    def joules(self, before: int, after: int) -> float:
        """Return the energy between two readings, less than a period apart [J]."""
        return MICRO * (after - before if after >= before else after - before + self.period)


@dataclass(frozen=True)
class Counters:
    """What a machine offers: its counters, or why there are none."""

    packages: tuple[EnergyCounter, ...]
    lacking: str = ""
    """Why there are none; empty where there are."""


def energy_counters(folder: Path) -> Counters:
    """Return the counters of all processor packages; `folder` is where the system shows them.

    Zones within a package (cores, memory controller) are part of it, and zones of the whole platform are left out.
    """
    found = []
    for zone in sorted(folder.glob("*:*")) if folder.is_dir() else []:
        try:
            name = (zone / "name").read_text().strip()
            if not name.startswith("package"):
                continue
            counter = EnergyCounter(name, zone / "energy_uj", int((zone / "max_energy_range_uj").read_text()))
            counter.read()
        except PermissionError:
            return Counters((), "the processor's energy counters may be read by root alone")
        except (OSError, ValueError):
            return Counters((), "the processor's energy counters cannot be read")
        found.append(counter)
    return Counters(tuple(found), "" if found else "the machine offers no energy counters of its processor (RAPL)")


def energy_of(run: Callable[[], object], counters: Counters, window_s: float = LEAST_WINDOW_S) -> float:
    """Return the energy of one run [J]: that of all packages, idle parts of them included, over repeated runs.

    Parameters
    ----------
    run : callable
    counters : Counters
        At least one.
    window_s : float
        Runs follow each other for at least this long [s].
    """
    before = [counter.read() for counter in counters.packages]
    begin, runs = perf_counter(), 0
    while runs == 0 or perf_counter() - begin < window_s:
        run()
        runs += 1
    pairs = zip(counters.packages, before, strict=True)
    return sum(counter.joules(earlier, counter.read()) for counter, earlier in pairs) / runs
