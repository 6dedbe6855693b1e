"""The guard: a process between a campaign and a worker. When either ends, it ends everything that the worker started.

    python -m finbench.benchmarks.execution.guard RESULTS [CORE ...]

starts a worker on the given cores. Tasks come in on standard input, answers leave through the file descriptor RESULTS;
what is printed goes to standard output and error, a log. The worker has a process group of its own. When standard
input is closed, the guard ends the worker: the campaign closes it on purpose, the kernel when the campaign is killed.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
from contextlib import suppress

from finbench.benchmarks.execution.descendants import adopt_orphans, end_descendants
from finbench.models.processes import die_with_parent


def main() -> None:
    """Start a worker and watch it; end with the same exit code or signal."""
    results, cores = int(sys.argv[1]), {int(core) for core in sys.argv[2:]}
    if cores:
        os.sched_setaffinity(0, cores)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    adopt_orphans()
    worker = os.fork()
    if worker == 0:
        _work(results)
    os.close(results)
    _wait_for_an_end(worker)
    _end_with(end_descendants()[worker])


def _work(results: int) -> None:
    die_with_parent()
    adopt_orphans()
    os.setpgid(0, 0)
    from finbench.benchmarks.execution.worker import serve

    serve(results)
    sys.exit()


def _wait_for_an_end(worker: int) -> None:
    """Sleep until the worker has ended or nobody can write to standard input any more."""
    ends = select.poll()
    ends.register(os.pidfd_open(worker), select.POLLIN)
    ends.register(sys.stdin.fileno(), 0)  # no data, only the hang-up
    ends.poll()


def _end_with(status: int) -> None:
    """End with the exit code or the signal that a wait status tells."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with suppress(OSError):  # SIGKILL has no handler to remove
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
