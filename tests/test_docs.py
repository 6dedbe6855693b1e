"""Documents name what is there, and all of it; what they show to be run does run."""

from __future__ import annotations

import doctest
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest
from docutils import nodes
from docutils.utils import new_document
from finbench_docs import code, commands, options, schema
from finbench_docs.columns import align, in_columns
from finbench_docs.links import dead_links
from finbench_docs.mathml import converted
from finbench_docs.offline import loads_from_elsewhere
from finbench_docs.unbroken import keep_together
from sphinx.errors import ExtensionError
from typer.testing import CliRunner

import finbench
from finbench.benchmarks.analysis.claims import GAMMAS
from finbench.benchmarks.cli.app import app, every_command
from finbench.benchmarks.methods import METHODS
from finbench.models.instance import Instance, Network, Node

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(chain(ROOT.glob("*.md"), DOCS.rglob("*.md")))
DECISIONS = DOCS / "decisions"
FILES_NAMED_IN = [
    page
    for page in PAGES
    if page.name != "CHANGELOG.md"  # which tells of files that were
]
TUTORIALS = [page for page in PAGES if page.parent.name == "tutorials" and page.name != "index.md"]

TESTED_ELSEWHERE = {"make run", "pip install ."}
"""Commands that install: `.ci/run` and `test_install.py` run them."""

SLOW_PAGES = {"README.md"}
"""Pages whose commands take seconds: column generation, a campaign."""


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def rooms() -> set[str]:
    """Return every folder of modules, with a slash at its end as CONTRIBUTING writes it."""
    tops = [path.parent for path in ROOT.glob("*/__init__.py")]
    folders = {init.parent for top in tops for init in top.rglob("__init__.py") if top.name != "tests"}
    return {f"{folder.relative_to(ROOT)}/" for folder in folders} | {"data/", "docs/", "tests/"}


def fenced(page: Path, language: str) -> list[str]:
    """Return the blocks of a page in one language, as they stand between their fences."""
    return re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)


def shown_commands(page: Path) -> list[str]:
    """Return the commands that a page shows, without prompts and remarks."""
    lines = "".join(fenced(page, "console")).splitlines()
    assert all(line.startswith("$ ") for line in lines), f"{page}: a command begins with '$ '"
    return [re.sub(r"\s+#.*", "", line.removeprefix("$ ")) for line in lines]


def test_the_table_of_rooms_lists_every_room_once() -> None:
    listed = re.findall(r"^\| `([a-z_]+/[a-z_/]*)` \|", text_of(ROOT / "CONTRIBUTING.md"), re.MULTILINE)
    assert sorted(listed) == sorted(rooms())


def test_every_decision_stands_in_the_list_and_has_its_three_headings() -> None:
    records = sorted(DECISIONS.glob("[0-9]*.md"))
    assert re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", text_of(DECISIONS / "README.md")) == [
        one.name for one in records
    ]
    for number, record in enumerate(records, start=1):
        headings = re.findall(r"^#+ (.*)$", text_of(record), re.MULTILINE)
        assert headings[0].startswith(f"{number:04d}: ")
        assert headings[1:] == ["Context", "Decision", "Consequences"]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[)#]", text_of(page))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", FILES_NAMED_IN, ids=name_of)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    named = re.findall(r"`((?:models|fin_graph|benchmarks|data|tests|docs|\.ci)/[\w./-]+)`", text_of(page))
    assert [name for name in named if not (ROOT / name).exists() and "NAME" not in name] == []


def test_every_command_of_make_that_a_page_names_is_there() -> None:
    made = re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE)
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z]+)`", text_of(page))}
    assert named <= set(made)
    assert set(made) - {"install", "help"} <= set(re.findall(r'@echo "make ([a-z]+)', text_of(ROOT / "Makefile")))


def test_the_readme_is_short_and_names_every_method_with_its_page() -> None:
    lines = text_of(ROOT / "README.md").splitlines()
    assert len(lines) < 200
    linked = [match[1] for line in lines if (match := re.match(r"\| \[`([a-z-]+)`\]\(docs/methods/\1\.md\) \|", line))]
    assert sorted(linked) == sorted(METHODS)


HEADINGS = ["The idea", "Equations", "Options", "What is guaranteed", "When it fails", "Source"]


@pytest.mark.parametrize("method", METHODS)
def test_a_method_has_a_page_that_says_what_it_is_when_it_fails_and_where_it_comes_from(method: str) -> None:
    page = text_of(DOCS / "methods" / f"{method}.md")
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == HEADINGS
    assert page.startswith(f"# `{method}`\n")
    assert f"```{{generated}} options {method}\n```" in page


# Equations: docs/problem.md numbers them; programs, docstrings and pages say the same numbers.

LABELS = re.findall(r"^\$\$ \(eq-(\d+)\)$", text_of(DOCS / "problem.md"), re.MULTILINE)
NUMBERS = [int(label) for label in LABELS]


def test_the_readmes_claims_are_those_of_the_resolutions_that_are_measured() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (matched,) = re.findall(r"points matched[^;]*;", text)
    assert tuple(int(gamma) for gamma in re.findall(r"γ = (\d+):", matched)) == GAMMAS


def test_equations_are_numbered_in_their_order() -> None:
    assert list(range(1, len(NUMBERS) + 1)) == NUMBERS  # which is how the site numbers them
    assert len(NUMBERS) >= 25


def test_every_row_of_the_programs_is_named_after_an_equation() -> None:
    found = code.rows_of_programs()
    assert {number for number, _ in found} <= set(NUMBERS)
    assert {3, *range(5, 17), 21, 23} <= {number for number, _ in found}
    assert {(8, "eq8_latency"), (7, "eq7_flow_conservation"), (16, "eq16_no_direct_link")} <= set(found)


def cited_equations() -> Iterator[tuple[str, int]]:
    """Yield every file with each number of an equation that it cites: eq. 3, eqs. 11–13, 21."""
    for part in ("models", "fin_graph", "benchmarks", "finbench"):
        for file in sorted((ROOT / part).rglob("*.py")):
            for cited in re.findall(r"\beqs?\. ?(\(?\d+\)?(?:(?:–|, | and )\(?\d+\)?)*)", text_of(file)):
                yield from ((name_of(file), int(number)) for number in re.findall(r"\d+", cited))


def test_an_equation_that_the_code_cites_is_on_the_page() -> None:
    cited = list(cited_equations())
    assert len(cited) > 100
    assert [(file, number) for file, number in cited if number not in NUMBERS] == []


def test_every_equation_is_cited_by_the_code_or_stands_in_a_docstring() -> None:
    sources = "\n".join(text_of(file) for part in ("models", "fin_graph") for file in (ROOT / part).rglob("*.py"))
    cited = {number for _, number in cited_equations()}
    assert [n for n in NUMBERS if n not in cited and not re.search(rf"\({n}\)", sources)] == []


# What is generated while the site is built.


@pytest.mark.parametrize("method", METHODS)
def test_a_table_of_options_has_every_option_with_its_help(method: str) -> None:
    shown = options.options_of(method)
    for name, field in METHODS[method].options.model_fields.items():
        assert f"| `{name}` |" in shown
        assert str(field.description) in shown


def test_rules_of_values_are_said_in_words() -> None:
    shown = {name: options.rule(field) for name, field in METHODS["fin"].options.model_fields.items()}
    assert shown["gamma"] == "whole number ≥ 1"
    assert shown["engine"] == "`auto`, `networkx`, `arrays`"
    assert shown["certify"] == "number ≥ 0"
    assert options.rule(Node.model_fields["name"]) == "text, not empty"
    assert options.rule(Node.model_fields["tier"]) == "text"
    assert options.rule(Network.model_fields["nodes"]) == "list of [Node](#node) (at least 1)"
    assert options.default(Node.model_fields["tier"]) == '`""`'
    assert options.default(Instance.model_fields["accounting"]) == "`expected`"


def test_a_table_of_fields_has_every_field_and_links_to_what_is_on_the_page() -> None:
    shown = schema.fields("models.instance.Instance", "models.instance.Network")
    assert "[Network](#network)" in shown
    assert "(#dnn)" not in shown  # which has no section here
    for model in (Instance, Network):
        assert f"## {model.__name__}\n" in shown
        assert all(f"| `{name}` |" in shown for name in model.model_fields)


def commands_with_options() -> Iterator[tuple[str, list[str]]]:
    for name, command in every_command().items():
        yield name, [spelling for each in command.params for spelling in each.opts if spelling.startswith("-")]


def test_the_command_reference_has_every_command_with_every_option() -> None:
    sections = re.split(r"^## ", commands.commands(), flags=re.MULTILINE)
    by_name = {section.partition("\n")[0]: section for section in sections}
    found = dict(commands_with_options())
    assert len(found) >= 20
    for name, spellings in found.items():
        section = by_name[f"`finbench {name}`"]
        assert [each for each in spellings if each not in section] == []
        assert "[bold]" not in section


def test_the_python_reference_has_every_public_name() -> None:
    shown = code.api()
    assert [name for name in finbench.__all__ if f"`{name}" not in shown] == []


def test_every_module_with_a_page_has_that_page() -> None:
    pages = {page.stem for page in (DOCS / "reference" / "python").glob("*.md")}
    assert pages == set(code.PAGES)


def test_a_page_that_would_load_from_the_network_is_found(tmp_path: Path) -> None:
    (tmp_path / "good.html").write_text('<a href="https://there/">x</a><script src="_static/a.js"></script>')
    (tmp_path / "script.html").write_text('<script async src="https://there/a.js"></script>')
    (tmp_path / "style.html").write_text("<link rel='stylesheet' href='//there/a.css'>")
    (tmp_path / "font.css").write_text("@import url(https://there/font.css);")
    assert loads_from_elsewhere(tmp_path) == {"script.html", "style.html", "font.css"}


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<h2 id="here"></h2><a href="b.html#there">x</a><a href="#here">x</a>')
    (tmp_path / "b.html").write_text('<a name="there" href="https://there/"></a><img src="c.png">')
    assert dead_links(tmp_path) == ["b.html: c.png"]
    (tmp_path / "c.png").write_bytes(b"")
    (tmp_path / "b.html").write_text('<a href="a.html?x#nowhere">x</a><a href="d.html">x</a>')
    assert dead_links(tmp_path) == ["a.html: b.html#there", "b.html: a.html?x#nowhere", "b.html: d.html"]


def test_a_formula_that_would_show_its_marks_is_refused() -> None:
    assert "<mtd" in converted(r"\begin{split} a &\ge b \end{split}", "block")
    with pytest.raises(ExtensionError, match="marks of alignment"):
        converted(r"\begin{aligned} a &\ge b \end{aligned}", "block")


def test_a_page_keeps_numbers_and_units_together_but_not_in_code() -> None:
    page = new_document("page")
    page += nodes.paragraph("", "at most 5 ms, ", nodes.literal("", "5 ms"))
    page += nodes.literal_block("", "time\t5 ms", classes=["output"])
    no_app: Any = None
    align(no_app, page)
    keep_together(no_app, page)
    assert page.astext() == "at most 5\u00a0ms, 5 ms\n\ntime  5 ms"


def test_tables_in_outputs_stand_in_columns() -> None:
    text = "wrote x\n\tvalue\ttarget\nenergy [J]\t0.1\nlatency [s]\t0.02\t≤ 0.06\n\nplacement\n"
    expected = [
        *("wrote x", "             value  target", "energy [J]   0.1", "latency [s]  0.02   ≤ 0.06"),
        *("", "placement", ""),
    ]
    assert in_columns(text).split("\n") == expected


# What is shown to be run.


@pytest.mark.parametrize("page", [page for page in PAGES if fenced(page, "python")], ids=name_of)
def test_python_on_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "page"}
    for block in fenced(page, "python"):
        exec(compile(block, name_of(page), "exec"), names)


def marked(page: Path) -> Any:
    return pytest.param(page, marks=[pytest.mark.slow] if name_of(page) in SLOW_PAGES else [], id=name_of(page))


@pytest.mark.parametrize("page", [marked(page) for page in PAGES if fenced(page, "console")])
def test_commands_on_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in shown_commands(page):
        if command not in TESTED_ELSEWHERE:
            program, *arguments = shlex.split(command)
            assert program == "finbench", command
            result = CliRunner().invoke(app, arguments)
            assert result.exit_code == 0, f"{command}: {result.output}"


def examples() -> Iterator[Any]:
    for name, command in every_command().items():
        text = " ".join((command.help or "").split())
        for k, example in enumerate(re.findall(r"\[bold\](finbench .*?)\[/bold\]", text)):
            own = re.sub(r" --plugin \S+", "", example.partition(" > ")[0])  # which is taken before a command is chosen
            yield pytest.param(name, command, own, id=f"{name}-{k}")


@pytest.mark.parametrize(("name", "command", "example"), list(examples()))
def test_an_example_of_the_help_is_a_line_that_its_command_takes(
    name: str, command: Any, example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program, *words = shlex.split(example.replace("\\[", "["))
    called, arguments = words[: len(name.split())], words[len(name.split()) :]
    assert (program, called) == ("finbench", name.split())
    command.make_context(name, arguments)


@pytest.mark.parametrize("page", TUTORIALS, ids=name_of)
def test_a_tutorial_is_a_page_that_the_build_executes(page: Path) -> None:
    assert text_of(page).startswith("---\nfile_format: mystnb\n")
    assert "```{code-cell} ipython3" in text_of(page)
    assert fenced(page, "python") == fenced(page, "console") == []
    assert "raises-exception" not in text_of(page)


def test_a_page_that_fails_to_execute_fails_the_build() -> None:
    configured = text_of(DOCS / "conf.py")
    assert 'nb_execution_mode = "force"' in configured
    assert "nb_execution_raise_on_error = True" in configured
    kernel = text_of(DOCS / "ipython" / "profile_default" / "ipython_kernel_config.py")
    assert "c.InteractiveShell.system_raise_on_error = True" in kernel
    assert re.search(r"sphinx-build .*-W\b", text_of(ROOT / "Makefile"))


def documented_modules() -> list[ModuleType]:
    names = [f"finbench.models.{name}" for name in code.PAGES]
    public = [getattr(finbench, name) for name in finbench.__all__ if name != "__version__"]
    own = {value.__name__ if isinstance(value, ModuleType) else value.__module__ for value in public}
    return [import_module(name) for name in sorted({*names, *own})]


@pytest.mark.parametrize("module", documented_modules(), ids=lambda module: module.__name__)
def test_examples_in_public_docstrings_give_what_they_show(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


def test_the_example_of_the_package_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"\n\n((?:    .*\n|\n)+)", finbench.__doc__ or "")
    exec(dedent(block), {})
    assert "0.0213954" in capsys.readouterr().out
