"""Placement of early-exit DNNs on mobile-edge-cloud networks: read an instance, solve it, judge a deployment.

    import finbench as fb

    instance = fb.load("balexnet-cifar10")
    solution = fb.solve(instance, "fin", gamma=100)
    print(solution.summary())

Names are fetched when they are used, with the libraries that they need, so that this import stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finbench.api import plot as plot
    from finbench.api.campaign import Results as Results
    from finbench.api.campaign import campaign as campaign
    from finbench.api.campaign import read_results as read_results
    from finbench.api.campaign import run as run
    from finbench.api.checking import check as check
    from finbench.api.comparison import compare as compare
    from finbench.api.extension import family as family
    from finbench.api.extension import load_plugin as load_plugin
    from finbench.api.extension import method as method
    from finbench.api.extension import register_family as register_family
    from finbench.api.extension import register_method as register_method
    from finbench.api.extension import register_solver as register_solver
    from finbench.api.extension import shared_family as shared_family
    from finbench.api.importing import import_dnn as import_dnn
    from finbench.api.importing import import_network as import_network
    from finbench.api.insight import explain as explain
    from finbench.api.insight import frontier as frontier
    from finbench.api.instances import evaluate as evaluate
    from finbench.api.instances import generate as generate
    from finbench.api.instances import load as load
    from finbench.api.instances import save as save
    from finbench.api.planning import compare_plans as compare_plans
    from finbench.api.planning import plan as plan
    from finbench.api.replanning import drift as drift
    from finbench.api.replanning import replan as replan
    from finbench.api.robustness import stress as stress
    from finbench.api.simulation import simulate as simulate
    from finbench.api.solution import Solution as Solution
    from finbench.api.solve import solve as solve
    from finbench.api.versions import show_versions as show_versions
    from finbench.benchmarks.campaigns.campaign import Campaign as Campaign
    from finbench.benchmarks.families.family import Family as Family
    from finbench.benchmarks.families.family import SharedFamily as SharedFamily
    from finbench.benchmarks.families.family import SharedSize as SharedSize
    from finbench.benchmarks.families.family import Size as Size
    from finbench.benchmarks.methods import Method as Method
    from finbench.benchmarks.planning.comparison import PricedPlan as PricedPlan
    from finbench.benchmarks.planning.fixed_point import FixedPoint as FixedPoint
    from finbench.benchmarks.planning.options import PlanningOptions as PlanningOptions
    from finbench.benchmarks.replanning.policies import Course as Course
    from finbench.benchmarks.replanning.policies import PolicyOptions as PolicyOptions
    from finbench.benchmarks.replanning.replan import Replan as Replan
    from finbench.benchmarks.robustness.stress import Stress as Stress
    from finbench.benchmarks.simulation.options import SimulationOptions as SimulationOptions
    from finbench.benchmarks.simulation.simulate import Simulation as Simulation
    from finbench.fin_graph.frontier import ExitFrontier as ExitFrontier
    from finbench.fin_graph.joint.explanation.explain import Explanation as Explanation
    from finbench.models.deployment import ApplicationDeployment as ApplicationDeployment
    from finbench.models.deployment import Deployment as Deployment
    from finbench.models.evaluate import ApplicationEvaluation as ApplicationEvaluation
    from finbench.models.evaluate import Evaluation as Evaluation
    from finbench.models.evaluate import Violation as Violation
    from finbench.models.instance import DNN as DNN
    from finbench.models.instance import Accounting as Accounting
    from finbench.models.instance import Application as Application
    from finbench.models.instance import Block as Block
    from finbench.models.instance import Exit as Exit
    from finbench.models.instance import Instance as Instance
    from finbench.models.instance import LatencyKind as LatencyKind
    from finbench.models.instance import Link as Link
    from finbench.models.instance import Network as Network
    from finbench.models.instance import Node as Node
    from finbench.models.io import InputError as InputError
    from finbench.models.milp.solvers.registry import Solver as Solver
    from finbench.models.moving import Migration as Migration
    from finbench.models.options import Options as Options
    from finbench.models.result import Clock as Clock
    from finbench.models.result import OutOfTime as OutOfTime
    from finbench.models.result import Result as Result
    from finbench.models.result import Status as Status

    __version__: str

_NAMES = {
    "api.campaign": "Results campaign read_results run",
    "api.checking": "check",
    "api.comparison": "compare",
    "api.extension": "family load_plugin method register_family register_method register_solver shared_family",
    "api.importing": "import_dnn import_network",
    "api.insight": "explain frontier",
    "api.instances": "evaluate generate load save",
    "api.planning": "compare_plans plan",
    "api.replanning": "drift replan",
    "api.robustness": "stress",
    "api.simulation": "simulate",
    "api.solution": "Solution",
    "api.solve": "solve",
    "api.versions": "show_versions",
    "benchmarks.campaigns.campaign": "Campaign",
    "benchmarks.families.family": "Family SharedFamily SharedSize Size",
    "benchmarks.methods": "Method",
    "benchmarks.planning.comparison": "PricedPlan",
    "benchmarks.planning.fixed_point": "FixedPoint",
    "benchmarks.planning.options": "PlanningOptions",
    "benchmarks.replanning.policies": "Course PolicyOptions",
    "benchmarks.replanning.replan": "Replan",
    "benchmarks.robustness.stress": "Stress",
    "benchmarks.simulation.options": "SimulationOptions",
    "benchmarks.simulation.simulate": "Simulation",
    "fin_graph.frontier": "ExitFrontier",
    "fin_graph.joint.explanation.explain": "Explanation",
    "models.deployment": "ApplicationDeployment Deployment",
    "models.evaluate": "ApplicationEvaluation Evaluation Violation",
    "models.instance": "Accounting Application Block DNN Exit Instance LatencyKind Link Network Node",
    "models.io": "InputError",
    "models.milp.solvers.registry": "Solver",
    "models.moving": "Migration",
    "models.options": "Options",
    "models.result": "Clock OutOfTime Result Status",
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = [
    "DNN",
    "Accounting",
    "Application",
    "ApplicationDeployment",
    "ApplicationEvaluation",
    "Block",
    "Campaign",
    "Clock",
    "Course",
    "Deployment",
    "Evaluation",
    "Exit",
    "ExitFrontier",
    "Explanation",
    "Family",
    "FixedPoint",
    "InputError",
    "Instance",
    "LatencyKind",
    "Link",
    "Method",
    "Migration",
    "Network",
    "Node",
    "Options",
    "OutOfTime",
    "PlanningOptions",
    "PolicyOptions",
    "PricedPlan",
    "Replan",
    "Result",
    "Results",
    "SharedFamily",
    "SharedSize",
    "Simulation",
    "SimulationOptions",
    "Size",
    "Solution",
    "Solver",
    "Status",
    "Stress",
    "Violation",
    "__version__",
    "campaign",
    "check",
    "compare",
    "compare_plans",
    "drift",
    "evaluate",
    "explain",
    "family",
    "frontier",
    "generate",
    "import_dnn",
    "import_network",
    "load",
    "load_plugin",
    "method",
    "plan",
    "plot",
    "read_results",
    "register_family",
    "register_method",
    "register_solver",
    "replan",
    "run",
    "save",
    "shared_family",
    "show_versions",
    "simulate",
    "solve",
    "stress",
]


def __getattr__(name: str) -> object:
    """Fetch a public name, and keep it."""
    from importlib import import_module

    if name == "__version__":
        from importlib import metadata  # which takes longer than the import of this module

        value: object = metadata.version("finbench")
    elif name == "plot":
        value = import_module("finbench.api.plot")
    elif name in _MODULE_OF:
        value = getattr(import_module(f"finbench.{_MODULE_OF[name]}"), name)
    else:
        raise AttributeError(f"module 'finbench' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
