"""What a tree visits, and how it divides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from finbench.fin_graph.joint.branching import tree as tree_module
from finbench.fin_graph.joint.branching.branch import Branch
from finbench.fin_graph.joint.branching.choosing import Chooser
from finbench.fin_graph.joint.branching.relaxing import BranchRelaxation, Outcome
from finbench.fin_graph.joint.columns.incumbent import Incumbent


class Watch:
    """What a tree visits, and how it divides; spots are closed to nobody, and lists close no branch."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.visited: list[tuple[Branch, Outcome]] = []
        self.divided: list[tuple[Branch, tuple[Branch, ...]]] = []
        choose, relax = Chooser.choose, BranchRelaxation.solve

        def watched_choice(chooser: Chooser, branch: Branch, outcome: Outcome) -> Any:
            choice = choose(chooser, branch, outcome)
            if choice is not None:
                self.divided.append((branch, choice.children))
            return choice

        def watched_solve(relaxation: BranchRelaxation, branch: Branch, *args: Any) -> Outcome:
            outcome = relax(relaxation, branch, *args)
            self.visited.append((branch, outcome))
            return outcome

        monkeypatch.setattr(Chooser, "choose", watched_choice)
        monkeypatch.setattr(BranchRelaxation, "solve", watched_solve)
        monkeypatch.setattr(tree_module, "hopeless", lambda pricer, *_: np.zeros(pricer.spots.total, np.bool_))
        # Incumbents come from whole solutions of branches alone, so that trees grow.
        monkeypatch.setattr(Incumbent, "improve", lambda *_: None)
        monkeypatch.setattr(Incumbent, "insert", lambda *_: None)
        monkeypatch.setattr(Incumbent, "round", lambda *_: None)
