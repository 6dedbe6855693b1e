"""A profile as a device: the measured runs, and a provenance that says how they came about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from finbench.benchmarks.analysis.units import sized
from finbench.benchmarks.imports.onnx.reading import shown
from finbench.benchmarks.measuring.profiling import BlockProfile, ModelProfile
from finbench.benchmarks.rows.environment import environment, machine
from finbench.models.instance import Device, MeasuredRun
from finbench.models.versions import package_version


def device_of(profile: ModelProfile, name: str) -> Device:
    """Return the device that a profile measured, under a name."""
    measured = {
        str(each.block.number): MeasuredRun(time_s=each.times.median_s, energy_j=each.energy_j)
        for each in profile.blocks
    }
    return Device(name=name, provenance="\n".join(_told(profile)), measured={profile.dnn.name: measured})


def _told(profile: ModelProfile) -> Iterator[str]:
    options = profile.options
    runtime = f"ONNX Runtime {package_version('onnxruntime')}"
    threads = "1 thread" if options.threads == 1 else f"{options.threads} threads"
    where = f"{machine(environment())}, {runtime}, {threads}"
    yield f"measured by finbench profile on {datetime.now(UTC):%Y-%m-%d}: {where}"
    samples = f"samples of {shown(profile.inputs.name)}" if profile.inputs else f"random samples, seed {options.seed}"
    yield (
        f"model: {shown(profile.model.name)}; {samples}; medians of {options.repetitions} passes over all blocks after "
        f"{options.warm_up} that are not recorded"
    )
    yield (
        f"whole model {sized(profile.whole.median_s, 's', 4)}, blocks one after the other "
        f"{sized(profile.together_s, 's', 4)}"
    )
    yield from map(_of_block, profile.blocks)
    for name in profile.missing_heads:
        yield f"exit '{shown(name)}': the model does not have its head: no time holds it"
    if profile.counters.packages:
        names = ", ".join(each.name for each in profile.counters.packages)
        yield f"energy: of the whole processor ({names}, RAPL), its idle part included"
    else:
        yield f"energy: left out: {profile.counters.lacking}"


def _of_block(each: BlockProfile) -> str:
    head = "" if each.head is None else f", of which its exit's head alone takes {sized(each.head.median_s, 's', 4)}"
    busy = ": the machine was busy, measure again" if each.times.busy else ""
    return f"block {each.block.number}: spread {100 * each.times.spread:.2g} %{busy}{head}"
