"""Who proves an optimum: methods, and which of them share no code.

Two proofs are independent when their methods are of different lineages and no solver takes part in both. Lineages share
the problem's data and nothing else: programs for solvers (`models.programs`), graph methods (`fin_graph`), enumeration
(`models.exhaustive`), and the exact checker (`models.verify`), which stands here as `certificate`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import combinations

from finbench.benchmarks.methods import METHODS
from finbench.models.io import InputError
from finbench.models.milp.solvers.registry import SOLVERS

CERTIFICATE = "certificate"
"""The proof that the exact checker finds in a certificate."""

LINEAGES = {
    "milp-flow": "programs",
    "milp-assignment": "programs",
    "cp-sat": "programs",
    "label-setting": "graphs",
    "fin": "graphs",
    "larac": "graphs",
    "column-generation": "graphs",
    "exhaustive": "enumeration",
    CERTIFICATE: "checker",
}
"""The lineage of every method that can prove an optimum."""

OWN_SOLVER = {"column-generation": "highs", "cp-sat": "cp-sat"}
"""Solvers of methods that have no choice of them."""

_VARIANT = re.compile(r"(?P<method>[a-z-]+)(?: \((?P<options>[^()]*)\))?")


def checked_proof(variant: str, where: str) -> str:
    """Return a proof's variant, such as `milp-flow (solver=scip)`, if such a method can prove an optimum.

    Raises
    ------
    InputError
        Naming `where`, if it is malformed, no method of that name proves optima, or there is no such solver.
    """
    method, solver = _parts(variant)
    if method not in LINEAGES:
        raise InputError(where, f"proof = {variant!r}: must begin with one of {', '.join(LINEAGES)}")
    if solver is not None and solver not in SOLVERS and solver != OWN_SOLVER.get(method):
        raise InputError(where, f"proof = {variant!r}: solver: must be one of {', '.join(SOLVERS)}")
    return variant


def independent(one: str, other: str) -> bool:
    """Return whether two proofs share no code: other lineages, and no solver in common."""
    (first, by), (second, with_) = _parts(one), _parts(other)
    return LINEAGES[first] != LINEAGES[second] and (by is None or by != with_)


def independent_pair(proofs: Iterable[str]) -> tuple[str, str] | None:
    """Return the first two proofs that share no code; None where there are no such two."""
    return next((pair for pair in combinations(proofs, 2) if independent(*pair)), None)


def _parts(variant: str) -> tuple[str, str | None]:
    """Return method and solver of a variant; no method where it is malformed."""
    found = _VARIANT.fullmatch(variant)
    if found is None:
        return "", None
    method = found["method"]
    named = re.search(r"(?:^|, )solver=([^,]*)", found["options"] or "")
    if named is not None:
        return method, named[1]
    declared = METHODS[method].options.model_fields if method in METHODS else {}
    return method, declared["solver"].default if "solver" in declared else OWN_SOLVER.get(method)
