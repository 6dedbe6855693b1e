"""The backend that the command line names."""

from __future__ import annotations

from functools import partial

from finbench.benchmarks.campaigns.conditions import BackendName
from finbench.benchmarks.execution.local import run_locally, shares_of_cores
from finbench.benchmarks.execution.task import Backend
from finbench.models.io import InputError


def chosen_backend(name: BackendName, jobs: int, scheduler: str | None) -> Backend:
    """Return the backend of that name: the function that makes the runs.

    Parameters
    ----------
    name : BackendName
    jobs : int
        Runs at a time on this machine.
    scheduler : str or None
        Address of a Dask scheduler whose workers are to run everything; None: a cluster of `jobs` workers here.

    Raises
    ------
    InputError
        If there are fewer cores than jobs, Dask is not installed, or a scheduler's address is malformed or given
        for another backend.
    """
    if name is BackendName.LOCAL:
        if scheduler is not None:
            raise InputError("--scheduler", "needs --backend dask")
        shares_of_cores(jobs)
        return partial(run_locally, jobs=jobs)
    try:
        from finbench.benchmarks.execution.cluster import check_address, run_on_cluster
    except ModuleNotFoundError as error:
        if error.name not in ("dask", "distributed"):
            raise
        raise InputError("--backend dask", "is not installed: pip install 'finbench[dask]'") from None
    if scheduler is None:
        shares_of_cores(jobs)
    else:
        check_address(scheduler)
    return partial(run_on_cluster, scheduler=scheduler, jobs=jobs)
