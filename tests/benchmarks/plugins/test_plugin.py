"""A file becomes methods and options, travels to other processes, and fails in one line."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import finbench as fb
from finbench.benchmarks.execution.code_version import code_version
from finbench.benchmarks.methods import METHODS, find_method, run_method
from finbench.benchmarks.plugins.plugin import FILE_MODULE, MAX_BYTES, load_file, owner, plugins
from finbench.models.io import load_instance
from finbench.models.milp.solvers.highs import solve_with_highs
from tests.benchmarks.plugins.conftest import IDLE, SOLVER, WritePlugin


def test_a_file_brings_a_method_with_its_options(write_plugin: WritePlugin) -> None:
    file = write_plugin()
    load_file(file)
    result = run_method(load_instance("blenet-mnist"), "idle", depth=7)
    assert result.reason == "sleeps 7 deep"
    method = find_method("idle")
    assert (method.title, method.exact) == ("Does nothing.", False)
    assert method.options.model_fields["depth"].description == "How deep it sleeps."
    assert method.plugin is not None
    assert method.plugin.origin == str(file)


def test_a_file_is_loaded_once(write_plugin: WritePlugin) -> None:
    file = write_plugin()
    assert load_file(file) is not None
    before = METHODS["idle"]
    load_file(file)
    assert METHODS["idle"] is before


def modules_of_plugins() -> set[str]:
    return {name for name in sys.modules if name.startswith(FILE_MODULE)}


BROKEN: dict[str, tuple[str, str]] = {
    "no Python": ("def f(:\n", "line 1: invalid syntax"),
    "raises": ("import finbench\n\n1 / 0\n", "line 3: ZeroDivisionError: division by zero"),
    "ends the process": ("raise SystemExit(3)\n", "SystemExit: 3"),
    "a module that is missing": ("import nowhere_at_all\n", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
    "registers nothing": ("x = 1\n", "registers no method, family or solver"),
    "takes a name of the suite": (IDLE.format(name="fin", depth=1), "method 'fin': the name is taken by finbench"),
    "a name with a space": (IDLE.format(name="two words", depth=1), "method 'two words': name ="),
    "no title": (
        "import finbench as fb\nfb.register_method('mute', lambda *a, **k: None)\n", "method 'mute': title: required",
    ),
    "options of no class": (
        "import finbench as fb\nfb.register_method('odd', print, options=dict)\n", "options: must be a subclass",
    ),
    "a solver without a function": (
        "import finbench as fb\nfb.register_solver(fb.Solver('mine', 't', 'i'))\n", "solver 'mine': call: required",
    ),
    "a family that has a name of the suite": (
        "import finbench as fb\n@fb.family('tiered')\ndef draw(rng, size): 'Draws.'\n", "family 'tiered': the name is",
    ),
    "half-way": (IDLE.format(name="idle", depth=1) + "\nraise KeyError('later')\n", "KeyError: 'later'"),
}  # fmt: skip


@pytest.mark.parametrize("how", BROKEN)
def test_a_plugin_that_cannot_be_loaded_is_one_line_and_leaves_nothing_behind(
    how: str, write_plugin: WritePlugin
) -> None:
    text, said = BROKEN[how]
    file, methods, loaded, modules = write_plugin(text), dict(METHODS), plugins(), modules_of_plugins()
    with pytest.raises(fb.InputError) as caught:
        load_file(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert said in message
    assert "\n" not in message
    assert methods == METHODS
    assert plugins() == loaded
    assert modules_of_plugins() == modules


def test_a_file_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'")
    (tmp_path / "huge.py").write_bytes(b"#" * (MAX_BYTES + 1))
    cases = {
        "nowhere.py": "no such file", "folder.py": "is not a file", "text.txt": "must end in .py",
        "latin.py": "is not UTF-8", "huge.py": "must have at most",
    }  # fmt: skip
    for name, said in cases.items():
        with pytest.raises(fb.InputError, match=said):
            load_file(tmp_path / name)


def test_a_changed_file_takes_the_place_of_the_older_one(write_plugin: WritePlugin) -> None:
    load_file(write_plugin(depth=3))
    load_file(write_plugin(depth=4))
    assert METHODS["idle"].options.model_fields["depth"].default == 4
    load_file(write_plugin(name="awake"))
    assert "idle" not in METHODS, "what the file no longer has is gone"
    assert "awake" in METHODS
    with pytest.raises(fb.InputError, match="cannot be loaded"):
        load_file(write_plugin("1 / 0"))
    assert "awake" in METHODS, "a file that fails changes nothing"


def test_two_files_cannot_bring_the_same_name(write_plugin: WritePlugin) -> None:
    first = write_plugin()
    load_file(first)
    with pytest.raises(fb.InputError, match="method 'idle': the name is taken by") as caught:
        load_file(write_plugin(file="other.py", depth=9))
    assert str(first) in str(caught.value)
    assert METHODS["idle"].options.model_fields["depth"].default == 3


def test_a_method_travels_to_a_process_that_has_no_file(write_plugin: WritePlugin) -> None:
    file = write_plugin()
    load_file(file)
    packed = pickle.dumps((METHODS["idle"], load_instance("blenet-mnist")))
    file.unlink()
    code = (
        "import pickle, sys; from finbench.benchmarks.methods import run_method;"
        "method, instance = pickle.load(sys.stdin.buffer); print(run_method(instance, method).reason);"
        "print(method.options.model_fields['depth'].description)"
    )
    ran = subprocess.run([sys.executable, "-c", code], input=packed, capture_output=True, check=True)
    assert ran.stdout.decode().splitlines() == ["sleeps 3 deep", "How deep it sleeps."]


def test_what_is_typed_in_a_notebook_stays_there() -> None:
    def typed(instance: fb.Instance, options: fb.Options, **_: Any) -> fb.Result:
        """Is typed."""
        return fb.Result(fb.Status.NO_SOLUTION)

    typed.__module__ = "__main__"
    method = fb.register_method("typed", typed)
    with pytest.raises(fb.InputError, match="put it into a file"):
        pickle.dumps(method)


def test_what_is_registered_in_a_module_belongs_to_it() -> None:
    @fb.method("local", title="made here")
    def local(instance: fb.Instance, options: fb.Options, **_: Any) -> fb.Result:
        return fb.Result(fb.Status.NO_SOLUTION)

    found = owner("method", "local")
    assert found is not None
    assert found.module == __name__
    assert found.portable


def test_the_code_of_a_plugin_is_part_of_its_code_version(
    write_plugin: WritePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_file(write_plugin(depth=3))
    first = code_version(METHODS["idle"], {})
    assert first == code_version(METHODS["idle"], {})
    load_file(write_plugin(depth=4))
    assert code_version(METHODS["idle"], {}) != first
    load_file(write_plugin(depth=3))
    assert code_version(METHODS["idle"], {}) == first
    assert code_version(METHODS["fin"], {}) != first


def test_a_solver_comes_from_a_plugin(write_plugin: WritePlugin) -> None:
    instance = load_instance("blenet-mnist")
    with pytest.raises(fb.InputError, match="solver = 'mine'"):
        run_method(instance, "milp-flow", solver="mine")
    before = code_version(METHODS["milp-flow"], {"solver": "highs"})
    plugin = load_file(write_plugin(SOLVER))
    result = run_method(instance, "milp-flow", solver="mine")
    assert result.status is fb.Status.OPTIMAL
    assert sys.modules[plugin.module].CALLS
    assert code_version(METHODS["milp-flow"], {"solver": "mine"}) != before
    assert code_version(METHODS["milp-flow"], {"solver": "highs"}) == before


def test_a_solver_is_registered_from_python() -> None:
    fb.register_solver(fb.Solver("another", "HiGHS", "is there", call=solve_with_highs))
    solution = fb.solve(fb.load("blenet-mnist"), "milp-flow", solver="another")
    assert solution.status is fb.Status.OPTIMAL
