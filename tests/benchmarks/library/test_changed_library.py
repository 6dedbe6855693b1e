"""A library whose files were changed is refused in one line, or its check says what does not hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.library import library as library_module
from finbench.benchmarks.library.checking import check_library, check_value, files_of
from finbench.benchmarks.library.library import INSTANCES, SOLU, VALUES, Library, load_library
from finbench.models.io import InputError


def replaced(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))


ROWS = [
    (INSTANCES, "one,tiny", "one,minute", r"instances\.csv: row 'one': tier = 'minute': must be"),
    (INSTANCES, "one,tiny", "Öne,tiny", r"row 'Öne': name = 'Öne': "),
    (INSTANCES, "two,", "one,", r"row 'one': name stands twice"),
    (INSTANCES, "two,", "small,", r"row 'small': name is the name of a tier"),
    (INSTANCES, "one,tiny,3", "one,tiny,x", r"row 'one': nodes = 'x': "),
    (INSTANCES, "name,tier", "name,level", r"columns: must be name,tier,"),
    (INSTANCES, "balexnet-cifar10", "", r"row 'one': family, instance: exactly one of the two is required"),
    (INSTANCES, "one,tiny,3,", "one,tiny,3,,,,,,,,,,,,,,,,,,,,,,,,,,", r"line 2: must have 21 cells"),
    (VALUES, "\none,", "\nnone,", r"values\.csv: row 'none': name: no such instance in instances\.csv"),
    (VALUES, "one,optimal", "one,perfect", r"row 'one': known_as = 'perfect': must be"),
    (VALUES, "one,optimal,0.0", "one,optimal,0.00", r"bound = .*: must not lie above the objective"),
    (VALUES, "one,optimal,0.0", "one,optimal,nan", r"row 'one': objective = "),
    (VALUES, "label-setting; milp-flow; certificate", "label-setting", r"optimal needs two that share no code"),
    (VALUES, "label-setting; milp-flow", "label-guessing", r"proofs: proof = 'label-guessing': must begin with one of"),
    (VALUES, "two,best,", "two,infeasible,", r"row 'two': objective = .*: required unless nothing fits"),
    (VALUES, "2026-11-01", "2026-13-01", r"row 'one': date = '2026-13-01': "),
    (VALUES, "solutions/one.json", "../one.json", r"row 'one': deployment = '\.\./one\.json': "),
]


@pytest.mark.parametrize(("file", "old", "new", "said"), ROWS, ids=[row[3][:60] for row in ROWS])
def test_a_row_that_breaks_a_rule_is_refused_in_one_line(
    small: Library, file: str, old: str, new: str, said: str
) -> None:
    replaced(small.folder, file, old, new)
    with pytest.raises(InputError, match=said):
        load_library(small.folder)
    came = CliRunner().invoke(app, ["library", "check", "--folder", str(small.folder)])
    assert came.exit_code == 2
    assert came.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("=best=", "=opt= ", r"line 2: '=opt= two .*': must be '=best= two "),
        ("=opt=  one 0", "=opt=  one 1", r"line 1: .*: must be '=opt= one 0"),
        ("=unkn= three\n", "", r"has 2 lines: must have 3"),
    ],
)
def test_a_list_of_values_that_says_other_than_the_values_is_refused(
    small: Library, old: str, new: str, said: str
) -> None:
    replaced(small.folder, SOLU, old, new)
    with pytest.raises(InputError, match=said):
        list(check_library(small, list(small.entries.values())))


def faults(folder: Path) -> list[str]:
    library = load_library(folder)
    return [found.fault for found in check_library(library, list(library.entries.values())) if found.fault]


def edited(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    def apply(file: Path) -> None:
        document = json.loads(file.read_text())
        change(document)
        file.write_text(json.dumps(document))

    return apply


def test_a_sound_library_has_no_fault(small: Library) -> None:
    assert faults(small.folder) == []


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("solutions/one.json", edited(lambda d: d["deployments"][0].update(last_exit=1)), "refuted: "),  # type: ignore[index]
        ("certificates/one.json", edited(lambda d: d.update(claim="infeasible")), "refuted: "),
        ("certificates/one.json", edited(lambda d: d.update(instance="0" * 64)), "bound = "),
        ("solutions/two.json", Path.unlink, "cannot be read"),
    ],
)
def test_a_changed_deployment_or_certificate_is_found(
    small: Library, file: str, change: Callable[[Path], None], said: str
) -> None:
    change(small.folder / file)
    (fault,) = faults(small.folder)
    assert said in fault
    came = CliRunner().invoke(app, ["library", "check", "--folder", str(small.folder)])
    assert came.exit_code == 5
    assert fault.splitlines()[0] in came.stdout


def test_a_bound_that_the_certificate_does_not_prove_is_found(small: Library) -> None:
    value = small.values["one"]
    assert value.bound is not None
    parts, instance = files_of(small.folder, value), small.entries["one"].build()
    check_value(instance, value, *parts)
    with pytest.raises(InputError, match=r"bound = .*: the checker finds: optimal: objective"):
        check_value(instance, value.model_copy(update={"bound": value.bound * (1 + 1e-7)}), *parts)


def test_an_instance_that_is_made_differently_is_found(small: Library) -> None:
    known = small.entries["three"].content_hash
    replaced(small.folder, INSTANCES, known, "0" * 64)
    (fault,) = faults(small.folder)
    assert fault.startswith(f"library:three: content_hash = {known[:12]}…: must be 000000000000…")


def test_values_that_were_changed_are_found(small: Library) -> None:
    value = small.values["two"].objective
    replaced(small.folder, VALUES, repr(value), "1.5")
    replaced(small.folder, SOLU, repr(value), "1.5")
    (fault,) = faults(small.folder)
    assert f"the objective is {value:.10g}, not 1.5" in fault


def test_released_instances_never_change(small: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (small.folder / INSTANCES).read_bytes()
    monkeypatch.setitem(library_module.RELEASED, small.folder.name, sha256(text).hexdigest())
    load_library(small.folder)
    replaced(small.folder, INSTANCES, "three,small", "three,medium")
    with pytest.raises(InputError, match=r"is not as version .* of the library was released: it never changes"):
        load_library(small.folder)
