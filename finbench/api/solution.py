"""What `fb.solve` returns: an instance, what a method said of it, and the evaluator's verdict on that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finbench.benchmarks.judging.judged import Judged
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import Evaluation, Violation
from finbench.models.instance import Instance
from finbench.models.io import InputError
from finbench.models.result import Result, Status

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class Solution:
    """The answer of a method, judged.

    Costs and violations are the evaluator's; status, bound and times are the method's own.
    """

    judged: Judged
    """Instance, method, options, result and evaluation."""

    @property
    def instance(self) -> Instance:
        """The instance that was solved."""
        return self.judged.instance

    @property
    def method(self) -> str:
        """Name of the method."""
        return str(self.judged.method)

    @property
    def options(self) -> Mapping[str, Any]:
        """The method's options, defaults included."""
        return self.judged.options

    @property
    def result(self) -> Result:
        """What the method returned, unjudged."""
        return self.judged.result

    @property
    def evaluation(self) -> Evaluation | None:
        """The evaluator's verdict on the deployment; None where there is no deployment."""
        return self.judged.evaluation

    @property
    def deployment(self) -> Deployment | None:
        """The decisions; None where there are none."""
        return self.result.deployment

    @property
    def status(self) -> Status:
        """How the run ended."""
        return self.result.status

    @property
    def reason(self) -> str | None:
        """One line: why there is no deployment, or why the method refused."""
        return self.result.reason

    @property
    def feasible(self) -> bool:
        """Whether there is a deployment that breaks no rule."""
        return self.judged.found

    @property
    def objective(self) -> float | None:
        """Evaluated objective (eq. 3): J for a single application without a rate, else W."""
        return self.judged.objective

    @property
    def claimed_objective(self) -> float | None:
        """The objective that the method claims."""
        return self.result.claimed_objective

    @property
    def lower_bound(self) -> float | None:
        """The method's proven lower bound on the objective."""
        return self.result.lower_bound

    @property
    def gap(self) -> float | None:
        """(E − LB)/LB against the method's own bound; None without one."""
        return self.judged.gap

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every rule that the deployment breaks."""
        return self.judged.violations

    @property
    def contradictions(self) -> list[str]:
        """Claims of the method that cannot be true, a line each."""
        return self.judged.contradictions

    @property
    def time_s(self) -> float:
        """Wall-clock time of the run, the loading of compiled code left out [s]."""
        return self.judged.time_s

    @property
    def times_s(self) -> Mapping[str, float]:
        """Wall-clock time of each phase [s]."""
        return self.result.times_s

    @property
    def info(self) -> Mapping[str, Any]:
        """Facts of the run that only this method has."""
        return self.result.info

    def placement(self, application: str | None = None) -> ApplicationDeployment:
        """Return the decisions for one application.

        Parameters
        ----------
        application : str, optional
            Its name; left out where there is only one.

        Raises
        ------
        InputError
            If there is no deployment of it, or several and none is named.
        """
        served = {} if self.deployment is None else {each.application: each for each in self.deployment.deployments}
        if application is None and len(served) == 1:
            return next(iter(served.values()))
        if application is None or application not in served:
            known = f"deployed are: {', '.join(served)}" if served else "nothing is deployed"
            raise InputError(f"application '{application or '?'}'", known)
        return served[application]

    def summary(self) -> str:
        """Return status, costs against targets, bound, gap and violations as plain text of several lines."""
        from finbench.api.summary import summary_text

        return summary_text(self)

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a row for each application.

        Returns
        -------
        pandas.DataFrame
            Columns `application`, `served`, `dnn` (of several the chosen one), `last_exit`, `placement` (a tuple of
            names of nodes), `energy_j` (per inference), `latency_s`, `max_latency_s`, `accuracy` and `min_accuracy`;
            costs are None where it is not served.
        """
        from finbench.api.summary import application_frame

        return application_frame(self)

    def plot(self, ax: Axes | None = None, *, application: str | None = None) -> Axes:
        """Draw which node runs each block of an application, and return the Axes.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Left out: those of a new figure.
        application : str, optional
            Left out: the only one.

        Raises
        ------
        InputError
            As `placement` does.
        """
        from finbench.api.plot import placement

        return placement(ax, self, application=application)

    def save(self, path: str | Path) -> None:
        """Write the deployment to a JSON file that `finbench evaluate` reads.

        Raises
        ------
        InputError
            If there is no deployment, or the file cannot be written.
        """
        from finbench.api.instances import save

        if self.deployment is None:
            raise InputError(path, "not written: there is no deployment")
        save(self.deployment, path)

    def __repr__(self) -> str:
        objective = "" if self.objective is None else f", {self.objective:.6g} {self.instance.objective_unit}"
        return f"<Solution of {self.instance.name} by {self.judged.variant}: {self.status}{objective}>"

    def to_html(self) -> str:
        """Return costs, bound, gap, violations and the placement drawn, as a fragment of HTML; notebooks show it."""
        from finbench.api.page import solution_html

        return solution_html(self)

    def _repr_html_(self) -> str:
        return self.to_html()
