"""The report says what runs made of the library's instances: solved by tier, who and when, the bound over time."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import Any

import pytest

from finbench.benchmarks.library.known_value import KnownValue
from finbench.benchmarks.library.library import Library, shipped_library
from finbench.benchmarks.report.library_section import LibraryLine, LibrarySection, library_section
from finbench.benchmarks.report.page import report_page
from finbench.benchmarks.rows.row import Row
from tests.benchmarks.conftest import OPTIMUM_J, made_up_row
from tests.benchmarks.leaderboard.conftest import EMPTY, OWN, row_of

SHIPPED = shipped_library()
BUILT = {name: SHIPPED.entries[name].build() for name in (OWN, EMPTY)}
KEPT = {one.content_hash: one for one in BUILT.values()}


@cache
def made() -> tuple[Row, ...]:
    return tuple(row_of(one, method, {}) for one in BUILT.values() for method in ("label-setting", "mcp"))


def rows(**fields: Any) -> list[Row]:
    return [{**row, **fields} for row in made()]


def section(of: list[Row] | None = None, library: Library = SHIPPED) -> LibrarySection:
    found = library_section(rows() if of is None else of, KEPT, library)
    assert found is not None
    return found


def line_of(found: LibrarySection, name: str) -> LibraryLine:
    return next(line for tier in found.tiers for line in tier.lines if line.cells[0].text == name)


def texts(line: LibraryLine) -> list[str]:
    return [cell.text for cell in line.cells]


def old_library(**fields: Any) -> Library:
    """Return the library as it may have been on an earlier day: a deployment and a bound of `OWN`."""
    told = {"name": OWN, "known_as": "best", "method": "mcp", "version": "0.1.0", "date": date(2026, 10, 1)}
    value = KnownValue.model_validate({**told, "objective": 1.2 * OPTIMUM_J, "bound": 0.5 * OPTIMUM_J, **fields})
    return Library(SHIPPED.folder, SHIPPED.entries, {OWN: (value,)})


def test_other_campaigns_have_no_such_section() -> None:
    made_up = [made_up_row("a", "fin", objective=1.0)]
    assert library_section(made_up, {}, SHIPPED) is None
    assert 'id="library"' not in report_page(made_up, {}, "title")


def test_a_line_says_what_is_known_who_solved_it_and_when() -> None:
    found = section()
    assert texts(line_of(found, OWN)) == [OWN, "optimal", "21.3955 mJ", "0.0000", "label-setting", "2026-11-01"]
    assert texts(line_of(found, EMPTY))[1:] == ["infeasible", "–", "–", "label-setting", "2026-11-01"]
    (tier,) = found.tiers
    assert tier.title == "tiny: 2 of 2 instances solved"


def test_who_solved_nothing_is_not_named_and_no_date_is_made_up() -> None:
    found = section([row for row in rows(started_at=None) if row["method"] == "mcp"])
    assert texts(line_of(found, OWN))[4:] == ["–", "–"]
    assert found.tiers[0].title.startswith("tiny: 0 of 2")


def test_methods_are_counted_by_tier_on_each_machine() -> None:
    (table,) = section().machines
    by_method = {row[1].text: dict(zip(table.columns, (cell.text for cell in row), strict=True)) for row in table.rows}
    assert by_method["label-setting"]["tiny"] == "2/2"
    assert by_method["mcp"]["tiny"] == "0/2"


def test_the_picture_shows_objective_and_bound_from_the_librarys_day_to_the_runs() -> None:
    found = section(library=old_library())
    picture = str(line_of(found, OWN).picture)
    words = re.findall(r'aria-label="([^"]*)"', picture)
    assert words == ["least objective from 0.0256745 to 0.0213955; best bound from 0.0106977 to 0.0213955"]
    objective, bound = re.findall(r' d="M([^"]*)"', picture)
    assert float(objective.split()[1].split("H")[0]) < float(bound.split()[1].split("H")[0]), "the bound lies below"
    assert objective.split("V")[-1] == bound.split("V")[-1], "they meet at the end"
    assert found.span == "from 2026-10-01 00:00 to 2026-11-01 12:00 UTC"
    assert texts(line_of(found, OWN))[1] == "better in these runs"


def test_what_was_closed_all_the_time_is_said_in_words() -> None:
    day = SHIPPED.history[OWN][0].date
    found = section(rows(started_at=f"{day}T12:00:00Z"))
    assert line_of(found, OWN).picture == f"closed since {day}"


def test_a_refuted_run_solves_nothing_and_moves_no_bound() -> None:
    cheats = [{**row, "lower_bound": 0.9} if row["method"] == "label-setting" else row for row in rows()]
    found = section(cheats, old_library())
    assert found.refuted is not None
    assert {row[0].text for row in found.refuted.rows} == {OWN}
    assert texts(line_of(found, OWN))[4] == "–"
    assert "best bound 0.0106977" in line_of(found, OWN).picture


@pytest.mark.parametrize("kept", [KEPT, {}], ids=["kept", "made again"])
def test_the_page_has_the_section_without_scripts_too(kept: dict[str, Any]) -> None:
    page = report_page(rows(), kept, "title")
    inside = page[page.index('<section id="library"') : page.index('<section id="runs"')]
    assert '<a href="#library">Library</a>' in page
    assert OWN in inside
    assert "scripted" not in inside
