"""Stations against the formulas of queueing theory, and the whole against the plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import factorial
from typing import Any

import numpy as np
import pytest

from finbench.benchmarks.methods import run_method
from finbench.benchmarks.simulation.causes import lateness
from finbench.benchmarks.simulation.options import SimulationOptions
from finbench.benchmarks.simulation.simulate import SimulatedStation, Simulation, simulate
from finbench.benchmarks.simulation.stages import StationKind, itineraries
from finbench.fin_graph.joint.greedy import solve as greedy
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import DNN, Application, Block, Exit, Instance, Link, Network, Node
from finbench.models.io import load_instance, shipped
from finbench.models.loads import uses
from finbench.models.options import Options
from tests.random_instances import random_shared_instance


def one_server(rate: float, *, places: int = 1, share: float | None = None) -> tuple[Instance, Deployment]:
    """An application whose only block takes one second at the only node."""
    shares = (1.0,) if share is None else (share, 1.0)
    node = Node(name="n", compute_ops_per_s=1.0, power_w=2.0, parallel=places, compute_shares=shares)
    dnn = DNN(
        name="d",
        input_bits=1.0,
        blocks=(Block(ops=1.0, output_bits=1.0),),
        exits=(Exit(after_block=1, exit_fraction=1.0, accuracy=0.9),),
    )
    app = Application(name="a", dnn="d", source="n", rate_per_s=rate, max_latency_s=5.0, min_accuracy=0.5)
    instance = Instance(name="one", network=Network(name="one", nodes=(node,)), dnns=(dnn,), applications=(app,))
    decided = ApplicationDeployment(
        application="a", last_exit=1, placement=("n",), shares=None if share is None else (share,)
    )
    return instance, Deployment(deployments=(decided,))


def run(instance: Instance, deployment: Deployment, **options: Any) -> Simulation:
    return simulate(instance, deployment, SimulationOptions(**options))


def erlang_wait(load: float, places: int) -> float:
    """Mean wait of M/M/c in mean services (Erlang's C)."""
    full = load**places / factorial(places) * places / (places - load)
    waits = full / (sum(load**k / factorial(k) for k in range(places)) + full)
    return waits / (places - load)


def means(instance: Instance, deployment: Deployment, **options: Any) -> tuple[float, float]:
    """Mean wait over ten seeds, and half the width of its 99.9 % interval."""
    waits = [run(instance, deployment, seed=seed, **options).applications[0].waiting_s.value for seed in range(10)]
    return float(np.mean(waits)), float(4.78 * np.std(waits, ddof=1) / np.sqrt(10))


@pytest.mark.parametrize("load", [0.2, 0.7, 0.9])
def test_fixed_services_wait_as_pollaczek_and_khinchine_say(load: float) -> None:
    wait, width = means(*one_server(load), samples=200_000)
    assert wait == pytest.approx(load / (2 * (1 - load)), abs=width)
    assert width < 0.1 * wait


@pytest.mark.parametrize(("load", "places"), [(0.2, 1), (0.7, 1), (0.9, 1), (1.4, 2), (3.5, 4), (10.0, 12)])
def test_exponential_services_wait_as_erlang_says(load: float, places: int) -> None:
    wait, width = means(*one_server(load, places=places), samples=200_000, service="exponential")
    assert wait == pytest.approx(erlang_wait(load, places), abs=width)
    assert width < 0.1 * wait


def test_a_reserved_share_serves_that_much_slower() -> None:
    (station,) = run(*one_server(0.2, share=0.25), samples=50_000).stations
    assert station.station.kind is StationKind.RESERVATION
    assert station.utilisation == pytest.approx(0.8, rel=0.02)


def test_samples_that_come_at_equal_distances_do_not_wait_and_bursts_wait_longest() -> None:
    waits = {kind: run(*one_server(0.5), arrivals=kind).applications[0].waiting_s.value for kind in ARRIVALS}
    assert waits["periodic"] == pytest.approx(0.0, abs=1e-6)
    assert waits["periodic"] < waits["poisson"] < waits["bursty"]


ARRIVALS = ("poisson", "periodic", "bursty")


@pytest.mark.parametrize("kind", ARRIVALS)
def test_samples_arise_as_often_as_the_rate_says(kind: str) -> None:
    found = run(*one_server(0.5), arrivals=kind, samples=400_000)
    assert found.samples / found.horizon_s == pytest.approx(0.5, rel=0.02)


def test_what_is_full_has_a_queue_that_grows_as_the_rates_say() -> None:
    """At twice what a server can do, half of all samples wait in the end: the queue is λ − μ times the time."""
    found = run(*one_server(2.0), samples=100_000, warm_up=0.0)
    assert found.stations[0].queue == pytest.approx((2 - 1) * found.horizon_s / 2, rel=0.02)
    assert found.stations[0].utilisation == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("name", sorted(shipped("instances")))
def test_one_sample_at_a_time_meets_the_plan_exactly(name: str) -> None:
    instance = load_instance(name)
    (solved,) = solutions(instance)
    found = run(instance, solved, arrivals="alone", samples=20_000)
    (app,) = found.applications
    for _, mean, planned in app.exits.values():
        assert mean == pytest.approx(planned, rel=1e-9)
    assert max(planned for *_, planned in app.exits.values()) == pytest.approx(app.deepest_s, rel=1e-9)
    assert app.waiting_s.value == pytest.approx(0, abs=1e-9 * app.latency_s.value)
    shares = [(share, planned) for share, _, planned in app.exits.values()]
    assert sum(share * planned for share, planned in shares) == pytest.approx(app.latency_s.value, rel=1e-9)
    assert app.energy_j.holds(app.planned_energy_j, slack=5e-3)
    assert app.latency_s.holds(app.planned_latency_s, slack=5e-3)


def solutions(instance: Instance) -> Iterator[Deployment]:
    found = greedy(instance, Options(), time_limit_s=None, seed=0).deployment
    if found is not None and found.deployments:
        yield found


@pytest.mark.parametrize("levels", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_shared_systems_are_as_busy_as_their_loads_say(seed: int, levels: bool) -> None:
    instance = random_shared_instance(seed, levels=levels, penalties=True)
    for deployment in solutions(instance):
        found = run(instance, deployment, samples=60_000)
        busy = {(one.station.kind, one.station.subject): one for one in found.stations}
        for use in uses(instance, evaluate(instance, deployment).loads):
            kind = {"compute": StationKind.NODE, "bandwidth": StationKind.LINK}.get(use.resource)
            if kind is not None and (kind, use.subject) in busy:
                assert busy[kind, use.subject].planned_utilisation == pytest.approx(use.utilisation, rel=1e-9)
                assert busy[kind, use.subject].utilisation == pytest.approx(use.utilisation, rel=0.1, abs=0.01)
        for app in found.applications:
            assert app.energy_j.holds(app.planned_energy_j, slack=0.05)
            assert app.latency_s.value - app.waiting_s.value == pytest.approx(app.planned_latency_s, rel=0.05)
        assert all(littles_law_holds(one) for one in found.stations)


def littles_law_holds(one: SimulatedStation) -> bool:
    return one.littles_gap < 0.02 or one.inside < 1e-3 or one.utilisation > 0.95


def test_the_same_seed_gives_the_same_numbers_and_another_one_others() -> None:
    instance, deployment = one_server(0.7)
    one, two, other = (run(instance, deployment, samples=5000, seed=seed) for seed in (1, 1, 2))
    assert one == two
    assert one.applications != other.applications


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    instance, deployment = one_server(0.5)
    held = [
        run(instance, deployment, samples=20_000, seed=seed).applications[0].latency_s.holds(1.5) for seed in range(200)
    ]
    assert 0.88 <= np.mean(held) <= 0.99


def test_samples_are_doubled_until_the_interval_is_as_narrow_as_asked() -> None:
    found = run(*one_server(0.7), samples=2000, until_ci=0.02)
    assert found.precise
    assert found.samples > 3000
    assert found.applications[0].latency_s.relative <= 0.02


def test_exits_and_arrivals_can_be_replayed() -> None:
    instance = load_instance("balexnet-cifar10")
    (deployment,) = solutions(instance)
    name, last = instance.applications[0].name, deployment.deployments[0].last_exit
    found = simulate(
        instance,
        deployment,
        SimulationOptions(warm_up=0.0),
        trace={name: np.array([0.0, 1.0, 2.0, 3.0])},
        exits={name: np.array([1, 9])},
    )
    assert found.applications[0].samples == 4
    assert {exit_: share for exit_, (share, *_) in found.applications[0].exits.items()} == {
        1: 0.5,
        last: 0.5,
    } or last == 1


def test_the_chosen_alternative_is_simulated() -> None:
    instance, _ = one_server(0.2)
    slow = instance.dnns[0].model_copy(update={"name": "slow", "blocks": (Block(ops=2.0, output_bits=1.0),)})
    app = instance.applications[0].model_copy(update={"dnn": None, "dnns": ("d", "slow")})
    both = instance.model_copy(update={"dnns": (*instance.dnns, slow), "applications": (app,)})
    for name, seconds in (("d", 1.0), ("slow", 2.0)):
        decided = ApplicationDeployment(application="a", dnn=name, last_exit=1, placement=("n",))
        (met,) = run(both, Deployment(deployments=(decided,)), arrivals="alone", samples=100).applications
        assert met.latency_s.value == pytest.approx(seconds)


def test_who_has_no_rate_is_simulated_alone_only() -> None:
    instance, deployment = one_server(1.0)
    app = instance.applications[0].model_copy(update={"rate_per_s": None})
    without = instance.model_copy(update={"applications": (app,)})
    with pytest.raises(ValueError, match="application 'a': rate_per_s is missing"):
        run(without, deployment)
    assert run(without, deployment, arrivals="alone").applications[0].within.value == 1.0


def test_stations_of_links_keep_their_delay_apart() -> None:
    nodes = (Node(name="n", compute_ops_per_s=1.0, power_w=1.0), Node(name="m", compute_ops_per_s=1.0, power_w=1.0))
    link = Link(
        source="n", target="m", bandwidth_bit_per_s=4.0, tx_energy_j_per_bit=1.0, rx_energy_j_per_bit=2.0, delay_s=3.0
    )
    instance, _ = one_server(0.1)
    moved = instance.model_copy(update={"network": Network(name="two", nodes=nodes, links=(link,))})
    decided = ApplicationDeployment(application="a", last_exit=1, placement=("m",))
    stations, (road,) = itineraries(moved, Deployment(deployments=(decided,)))
    assert [one.subject for one in stations] == ["n->m", "m"]
    assert [(stage.service_s, stage.after_s) for stage in road.stages] == [(0.25, 3.0), (1.0, 0.0)]
    assert road.energies_j() == ((1.0, 3.0),)
    assert replace(stations[0], places=1) == stations[0]


def at_load(name: str, load: float, **changes: Any) -> tuple[Instance, Deployment]:
    """A shipped instance and its optimum, at a rate that fills its fullest station so far."""
    instance = load_instance(name).model_copy(update=changes)
    deployment = run_method(instance, "label-setting").deployment
    assert deployment is not None
    rated = with_rate(instance, 1.0)
    stations = run(rated, deployment, samples=200).stations
    return with_rate(instance, load / max(one.planned_utilisation or 0.0 for one in stations)), deployment


def with_rate(instance: Instance, rate: float) -> Instance:
    apps = tuple(app.model_copy(update={"rate_per_s": rate}) for app in instance.applications)
    return instance.model_copy(update={"applications": apps})


@pytest.mark.parametrize("name", sorted(shipped("instances")))
def test_at_a_load_of_one_per_cent_the_plan_is_met(name: str) -> None:
    instance, deployment = at_load(name, 0.01)
    (regular,) = run(instance, deployment, arrivals="periodic", samples=50_000).applications
    for _, mean, planned in regular.exits.values():
        assert mean == pytest.approx(planned, rel=1e-9), "samples at equal distances never meet"
    found = [run(instance, deployment, samples=50_000, seed=seed).applications[0] for seed in range(5)]
    assert sum(one.energy_j.holds(one.planned_energy_j, slack=1e-12) for one in found) >= 4
    for one in found:
        for _, mean, planned in one.exits.values():
            assert planned * (1 - 1e-9) <= mean <= planned * 1.02, "the wait of a station at 1 % is half a per cent"


@pytest.mark.parametrize("name", sorted(shipped("instances")))
def test_at_a_load_of_seventy_per_cent_it_is_said_where_waiting_breaks_the_target(name: str) -> None:
    instance, deployment = at_load(name, 0.7)
    found = run(instance, deployment, samples=50_000)
    (app,), (fullest, *_) = found.applications, found.stations
    assert app.within.value < 1
    (late,) = lateness(instance, deployment, found)
    assert late.where == fullest.station
    assert late.late == pytest.approx(1 - app.within.value)
    assert late.of_s == pytest.approx(app.waiting_s.value, rel=0.05)


def test_applications_without_a_sample_are_named() -> None:
    instance, deployment = one_server(0.5)
    quiet = instance.applications[0].model_copy(update={"name": "quiet", "rate_per_s": 1e-9})
    both = instance.model_copy(update={"applications": (*instance.applications, quiet)})
    other = deployment.deployments[0].model_copy(update={"application": "quiet"})
    found = run(both, Deployment(deployments=(*deployment.deployments, other)), samples=1000)
    assert found.unseen == ("quiet",)
    assert [one.application for one in found.applications] == ["a"]
