"""The commands of the library of instances: `finbench library …`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from finbench.benchmarks.cli.exit_codes import CONTRADICTED, FOUND
from finbench.benchmarks.cli.options import AsJson, writable_folder
from finbench.benchmarks.cli.panels import DATA
from finbench.benchmarks.cli.solving import FileFormat
from finbench.benchmarks.library.entry import LibraryTier
from finbench.benchmarks.library.known_value import KnownValue
from finbench.benchmarks.library.library import VALUES, Library, load_library, shipped_library
from finbench.benchmarks.rows.reading import RUNS
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.sheet import printable
from finbench.models.io import InputError

commands = typer.Typer()
library = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")


Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Instances or tiers; left out: all instances.")
]
TierOption = Annotated[LibraryTier | None, typer.Option("--tier", help="Instances of this tier alone.")]
Folder = Annotated[
    Path | None, typer.Option("--folder", help="A copy of the library's folder v1; left out: the shipped one.")
]


@library.command("list")
def list_instances(
    names: Names = None, tier: TierOption = None, folder: Folder = None, as_json: AsJson = False
) -> None:
    """List instances: size, tier, best value, gap, who found it, and how many methods proved it in which time.

    The times are processor times under a limit of 12 s, from when the instances were chosen.

    Example: [bold]finbench library list --tier small[/bold]
    """
    from finbench.benchmarks.terminal.library_view import print_library

    opened = _opened(folder)
    print_library(opened, opened.chosen(names or [], tier), as_json=as_json)


@library.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An instance of the library.")],
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show one instance: what makes it, what is known of it since when, and how hard methods found it.

    Example: [bold]finbench library show balexnet-cifar10-own[/bold]
    """
    from finbench.benchmarks.terminal.library_view import print_entry

    opened = _opened(folder)
    print_entry(opened, opened.entry(name), as_json=as_json)


@library.command()
def check(names: Names = None, tier: TierOption = None, folder: Folder = None, as_json: AsJson = False) -> None:
    """Make instances again, and recompute every value and proof in exact arithmetic.

    Exit code 5 where something does not hold. An instance, a value and a proof are what the files say, or one line says
    what is not.

    Example: [bold]finbench library check --tier tiny[/bold]
    """
    from finbench.benchmarks.library.checking import check_library
    from finbench.benchmarks.terminal.library_view import print_findings
    from finbench.benchmarks.terminal.progress import counted

    opened = _opened(folder)
    entries = opened.chosen(names or [], tier)
    with counted("checking") as told:
        findings = list(check_library(opened, entries, told))
    print_findings(findings, as_json=as_json)
    raise typer.Exit(CONTRADICTED if any(each.fault for each in findings) else FOUND)


@library.command()
def export(
    names: Names = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the files.")] = Path("library"),
    file_format: Annotated[FileFormat, typer.Option("--format", help="File format.")] = FileFormat.MPS,
    tier: TierOption = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="milp-flow: the whole program, nothing removed by bounds.")
    ] = False,
) -> None:
    """Write both programs of instances, compressed, with readable names, for any other solver.

    Beside them lie library.solu, with the values in the units of the files, and programs.csv.

    Example: [bold]finbench library export --tier tiny --format mps -o programs[/bold]
    """
    from finbench.benchmarks.library.exporting import export_library
    from finbench.benchmarks.terminal.progress import counted

    opened = _opened(None)
    entries = opened.chosen(names or [], tier)
    writable_folder(output)
    with counted("writing") as told:
        programs = export_library(opened, entries, file_format.value, output, plain=plain, told=told)
    written = [each for each in programs if each.file]
    console.print_written(output)
    missing = len(programs) - len(written)
    print(f"{len(written)} programs of {len(entries)} instances; {missing} that cannot be, see programs.csv")


@library.command("update")
def append(
    given: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME FILE... | RESULTS...",
            help="An instance and its deployment, certificate, or both; or folders of results.",
        ),
    ],
    method: Annotated[str | None, typer.Option(help="Who found it; left out: the method that a file names.")] = None,
    proof: Annotated[
        list[str] | None,
        typer.Option(help='A method that proves it, such as "milp-flow (solver=scip)" (repeatable).'),
    ] = None,
    folder: Folder = None,
) -> None:
    """Append a better value, bound or proof, once the exact checker has found that it holds.

    What is worse than known, or says nothing new, is refused. Nothing is written over.

    Of folders of results every deployment that is better than the library's is appended, with a certificate where there
    is none. Words are refused, a line each: a claim that cannot be true (exit code 5), a bound that nothing proves.

    Example: [bold]finbench library update campus-n20-a20-u70-s1 best.json proof.json[/bold]

    Example: [bold]finbench library update results/library --folder my-copy/v1[/bold]
    """
    opened = _opened(folder)
    folders = [Path(each) for each in given if os.path.isdir(each) or Path(each).name == RUNS]
    if folders and len(folders) < len(given):
        raise InputError("update", "takes an instance and its files, or folders of results: not both")
    if folders and (method or proof):
        raise InputError("--method, --proof", "go with an instance and its files: rows of results name their methods")
    writable_folder(opened.folder)
    if folders:
        raise typer.Exit(CONTRADICTED if _hand_in(opened, folders) else FOUND)
    name, *files = given
    opened.entry(name)
    if not files:
        raise InputError(name, "a deployment, a certificate, or both must stand beside an instance")
    _append_files(opened, name, [Path(each) for each in files], method, proof or ())


def _append_files(opened: Library, name: str, files: Sequence[Path], method: str | None, proofs: Sequence[str]) -> None:
    from finbench.benchmarks.library.updating import given_parts, update

    parts = given_parts(files)
    found_by = method or parts.method
    if not found_by:
        raise InputError("--method", "required, since no file names the method")
    new = update(opened, name, parts.deployment, parts.certificate, method=found_by, proofs=proofs)
    print(_appended(new))
    console.print_written(opened.folder / VALUES)


def _hand_in(opened: Library, folders: Sequence[Path]) -> bool:
    """Hand in what folders of results hold; return whether something in them cannot be true."""
    from finbench.benchmarks.leaderboard.handing_in import hand_in
    from finbench.benchmarks.terminal.progress import counted

    appended, refused, wrong = 0, 0, False
    with counted("checking") as told:
        for each in hand_in(opened, folders, told=told):
            new, wrong = each.appended, wrong or each.refuted
            print(_appended(new) if new is not None else printable(f"{each.instance}: {each.who}: {each.refusal}"))
            appended, refused = appended + (new is not None), refused + (new is None)
    print(f"{appended} values appended, {refused} refused")
    if appended:
        console.print_written(opened.folder / VALUES)
    return wrong


def _appended(new: KnownValue) -> str:
    return f"{new.name}: {new.known_as}, objective {new.objective}, bound {new.bound}, by {printable(new.method)}"


def _opened(folder: Path | None) -> Library:
    return shipped_library() if folder is None else load_library(folder)


commands.add_typer(
    library,
    name="library",
    help="Instances by difficulty, the best values known, and their proofs.",
    rich_help_panel=DATA,
)
