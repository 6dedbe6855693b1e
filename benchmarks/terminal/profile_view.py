"""A profile, for people and for programs."""

from __future__ import annotations

from typing import Any

from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.analysis.units import sized
from finbench.benchmarks.measuring.profiling import BlockProfile, ModelProfile
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.sheet import printable

COLUMNS = ("block", "ends with", "median", "spread", "exit head", "energy", "operations/s")


def print_profile(profile: ModelProfile) -> None:
    """Print what was measured of every block, and what a reader must know of it."""
    rows = [_row(profile, each) for each in profile.blocks]
    title = f"{printable(profile.dnn.name)}: {profile.options.repetitions} passes"
    console.output().print(console.table(title, COLUMNS, rows, text_columns=2))
    whole, together = profile.whole.median_s, profile.together_s
    print(f"blocks one after the other {sized(together, 's', 4)}, whole model {sized(whole, 's', 4)}")
    for name in profile.missing_heads:
        print(f"exit '{printable(name)}': the model does not have its head: no time holds it")
    if profile.busy:
        numbers = ", ".join(map(str, profile.busy))
        which = plural(len(profile.busy), "block")
        print(f"{which} {numbers}: times spread widely: the machine was busy, measure again")
    if profile.counters.lacking:
        print(f"energy is left out: {profile.counters.lacking}")


def _row(profile: ModelProfile, each: BlockProfile) -> tuple[str, ...]:
    ops = profile.dnn.blocks[each.block.number - 1].ops
    median = each.times.median_s
    return (
        str(each.block.number),
        printable(each.block.name),
        sized(median, "s", 4),
        f"{100 * each.times.spread:.2g} %",
        "" if each.head is None else sized(each.head.median_s, "s", 4),
        "" if each.energy_j is None else sized(each.energy_j, "J", 4),
        f"{ops / median:.3g}" if median > 0 else "",
    )


def to_json(profile: ModelProfile) -> dict[str, Any]:
    """Return a profile as a JSON-compatible table."""
    return {
        "dnn": profile.dnn.name,
        "threads": profile.options.threads,
        "repetitions": profile.options.repetitions,
        "whole_model_s": profile.whole.median_s,
        "together_s": profile.together_s,
        "missing_heads": list(profile.missing_heads),
        "energy_left_out": profile.counters.lacking or None,
        "blocks": [
            {
                "block": each.block.number,
                "time_s": each.times.median_s,
                "spread": each.times.spread,
                "busy": each.times.busy,
                "head_s": None if each.head is None else each.head.median_s,
                "energy_j": each.energy_j,
            }
            for each in profile.blocks
        ],
    }
