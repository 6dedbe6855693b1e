"""Writes `finbench/api/solve.py`: the signatures of `fb.solve`, from the classes that declare the methods' options.

    python -m finbench.benchmarks.upkeep.signatures

A test holds the file to what this module writes. So editors and `help(fb.solve)` show every option, and its class stays
the only place where it is declared.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import finbench
from finbench.benchmarks.methods import METHODS, Method
from finbench.models.io import write_text

HEAD = '''"""`fb.solve`, with a signature for each method.

Written by `python -m finbench.benchmarks.upkeep.signatures` from the classes of the methods' options; not by hand.
"""

from __future__ import annotations

from typing import Any, Literal, overload

from finbench.api.running import solved
from finbench.api.signature import shows_options
from finbench.api.solution import Solution
from finbench.models.instance import Instance

'''

OVERLOAD = """
@overload
def solve(
    instance: Instance,
    method: {method},
    *,
    time_limit_s: float | None = ...,
    seed: int = ...,
{options}) -> Solution: ...
"""

BODY = '''
@shows_options
def solve(
    instance: Instance, method: str = "fin", *, time_limit_s: float | None = None, seed: int = 0, **options: Any
) -> Solution:
    """Solve an instance with one method, and judge the answer.

    Parameters
    ----------
    instance : Instance
    method : str
        A name that `finbench methods` lists, or one that a plugin brings.
    time_limit_s : float or None
        Limit for the whole run [s]; None: no limit.
    seed : int
        Of everything that the method draws.
    **options
        Options of the method, as listed below.

    Returns
    -------
    Solution
        Deployment, status and bound as the method says, costs and violations as the evaluator finds.

    Raises
    ------
    InputError
        If there is no such method or option, or a value breaks the option's rule.

    Notes
    -----
    Options by method:

{listed}

    Examples
    --------
    >>> import finbench as fb
    >>> fb.solve(fb.load("blenet-mnist"), "exhaustive").status
    <Status.OPTIMAL: 'optimal'>
    """
    return solved(instance, method, time_limit_s=time_limit_s, seed=seed, **options)
'''

WIDTH = 120


def solve_module() -> str:
    """Return the text of the module that holds `fb.solve`."""
    own = [method for method in METHODS.values() if method.plugin is None]
    overloads = [_overload(method) for method in own]
    overloads.append(OVERLOAD.format(method="str", options="    **options: Any,\n"))
    listed = "\n".join(line for method in own for line in _listed(method))
    return HEAD + "\n".join(overloads) + "\n" + BODY.format(listed=listed.rstrip())


def _overload(method: Method) -> str:
    default = ' = "fin"' if method.name == "fin" else ""
    options = [
        f"    {name}: {type_text(option.annotation)} = ...,\n" for name, option in method.options.model_fields.items()
    ]
    return OVERLOAD.format(method=f'Literal["{method.name}"]{default}', options="".join(options))


def _listed(method: Method) -> list[str]:
    """Return the lines of the docstring that tell a method's options, as nested lists."""
    lines = [*_bullet(f"``{method.name}``: {method.title}", 4), ""]
    for name, option in method.options.model_fields.items():
        lines += _bullet(f"``{name} = {option.default!r}``: {option.description}", 6)
    return [*lines, ""] if method.options.model_fields else lines


def _bullet(text: str, indent: int) -> list[str]:
    spaces = " " * indent
    return wrap(text, WIDTH, initial_indent=f"{spaces}* ", subsequent_indent=f"{spaces}  ", break_on_hyphens=False)


def type_text(annotation: Any) -> str:
    """Return a type as it is written in a signature; the rules of `Annotated` are left to the class."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return type_text(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return " | ".join(type_text(part) for part in get_args(annotation))
    if origin is Literal:
        return f"Literal[{', '.join(_quoted(word) for word in get_args(annotation))}]"
    return "None" if annotation is NoneType else str(annotation.__name__)


def _quoted(word: object) -> str:
    return f'"{word}"' if isinstance(word, str) else repr(word)


def module_file() -> Path:
    """Return the file that `solve_module` belongs into."""
    return Path(finbench.__file__).resolve().parent / "api" / "solve.py"


if __name__ == "__main__":
    write_text(module_file(), solve_module())
