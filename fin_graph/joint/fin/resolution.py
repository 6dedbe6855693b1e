"""How FIN for many applications rounds latencies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finbench.fin_graph.options import FinOptions
    from finbench.fin_graph.paths.kernel import How


@dataclass(frozen=True)
class Resolution:
    """The steps that latencies are rounded to."""

    gamma: int = 100
    """Number of latency steps γ that a budget is divided into."""
    how: How = "up"
    """Up to a step edge by edge (eq. 17), or along the path: `cumulative` (eq. 32)."""

    @classmethod
    def of(cls, options: FinOptions) -> Resolution:
        """Return the steps that FIN's options ask for."""
        return cls(options.gamma, options.how)

    def finer(self, times: int) -> Resolution:
        """Return steps that are so many times as fine."""
        return replace(self, gamma=times * self.gamma)
