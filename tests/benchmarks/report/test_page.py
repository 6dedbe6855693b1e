"""The page as text: self-contained, strict, escaped; what is wrong with the results is said."""

from __future__ import annotations

import json
import re
import shutil
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.report.together import NO_BREAK
from finbench.benchmarks.rows.reading import INSTANCES as FILE
from tests.benchmarks.report.conftest import IMAGE, QUOTES, SCRIPT, read_rows, write_rows


def report(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["report", *(str(argument) for argument in arguments)])


def read(page: Path) -> str:
    """Return the page with plain spaces between numbers and their units."""
    return page.read_text(encoding="utf-8").replace(NO_BREAK, " ")


def embedded(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def column(data: dict[str, Any], name: str) -> list[Any]:
    """A column of runs, row by row."""
    packed = data["runs"][name]
    if isinstance(packed, dict) and "same" in packed:
        packed = data["runs"][packed["same"]]
    if isinstance(packed, list):
        return packed
    return [packed["values"][k] for k in packed.get("of_run", [0] * data["count"])]


@pytest.fixture
def copied(results: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(results, tmp_path / "copied"))


def test_nothing_is_loaded_and_only_its_own_script_and_style_may_run(page: Path) -> None:
    text = read(page)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert policy[1].startswith("default-src &#39;none&#39;; script-src &#39;sha256-")
    for tag in ("script", "style"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert b64encode(sha256(content.encode()).digest()).decode() in policy[1]
    addresses = set(re.findall(r"(?:https?:)?//[\w.]+\.\w+[^\s\"')]*", re.sub(r"(?m)^\s*//.*$", "", text)))
    assert addresses == {"http://www.w3.org/2000/svg"}, "the name of a namespace is no address that is asked"
    assert not re.search(
        r"\b(?:src|srcset|@import|url\()\s*=?",
        re.sub(r"img-src|default-src|script-src|style-src", "", text[: text.index("<body>")]),
    )


def test_names_never_become_markup(page: Path) -> None:
    text = read(page)
    for name in (SCRIPT, QUOTES, IMAGE):
        assert name not in text
    data = embedded(text)
    assert SCRIPT in [instance["name"] for instance in data["instances"]]
    assert QUOTES in data["runs"]["group"]["texts"]
    assert [IMAGE, "mobile"] in [node for network in data["networks"] for node in network["nodes"]]


def test_every_run_is_there_with_every_digit(page: Path, results: Path) -> None:
    data, rows = embedded(read(page)), read_rows(results)
    assert data["count"] == len(rows)
    for name in ("objective", "energy_j", "time_s", "lower_bound", "latency_s"):
        assert column(data, name) == [row[name] for row in rows]
    variants = data["runs"]["variant"]
    assert [variants["texts"][k] for k in variants["of_run"]] == [row["variant"] for row in rows]
    assert [data["instances"][k]["key"] for k in column(data, "instance")] == [row["content_hash"][:16] for row in rows]


def test_placements_are_those_of_the_rows(page: Path, results: Path) -> None:
    data = embedded(read(page))
    for row, number in zip(read_rows(results), column(data, "placement"), strict=True):
        if not row["deployments"]:
            assert number is None
            continue
        drawn = [app["blocks"] for app in data["placements"][number]["applications"]]
        assert [[block[0] for block in app] for app in drawn] == [app["placement"] for app in row["deployments"]]
        energies = [block[3] + block[4] for app in drawn for block in app]
        assert sum(energies) == pytest.approx(row["energy_j"], rel=1e-12)


def test_of_a_large_network_only_what_is_used_is_kept(page: Path) -> None:
    data = embedded(read(page))
    (large,) = (network for network in data["networks"] if network["all_nodes"] == 70)
    used = {name for placement in data["placements"] for app in placement["applications"] for name, *_ in app["blocks"]}
    assert len(large["nodes"]) < 20
    assert {name for name, _ in large["nodes"]} <= used | {"mobile0"}


def test_the_summary_says_what_ran_and_how_it_ended(page: Path, results: Path) -> None:
    text = read(page)
    assert "Runs of 5 methods on instances in 4 groups, each run with a limit of 10 s." in text
    assert "The optimum is proven on 14 instances." in text
    for value, meaning in (("92", "runs"), ("14", "instances")):
        assert f"<dt>{meaning}</dt><dd>{value}</dd>" in text
    found = sum(bool(row["deployments"]) for row in read_rows(results))
    assert f"All {found} recorded deployments were evaluated again" in " ".join(text.split())


def test_the_same_results_give_the_same_page(page: Path, results: Path, tmp_path: Path) -> None:
    assert report(results, "-o", tmp_path / "again.html").exit_code == 0
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()


def test_the_title_is_chosen_and_escaped(results: Path, tmp_path: Path) -> None:
    assert report(results, "-o", tmp_path / "r.html", "--title", f"A {SCRIPT}").exit_code == 0
    assert "<h1>A &lt;script&gt;alert(1)&lt;/script&gt;</h1>" in read(tmp_path / "r.html")


def test_an_altered_row_is_named(copied: Path, tmp_path: Path) -> None:
    rows = read_rows(copied)
    rows[0]["objective"] *= 0.9
    write_rows(copied, rows)
    assert report(copied, "-o", tmp_path / "r.html").exit_code == 0
    text = read(tmp_path / "r.html")
    assert "These results contradict themselves" in text
    assert "label-setting is recorded with" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"instance": "elsewhere"}, "is recorded on &#39;elsewhere&#39;, but its content hash is that of"),
        ({"application": "someone"}, "a deployment of another instance: there is no application &#39;someone&#39;"),
        ({"placement": ["moon"] * 5}, "a deployment of another instance: there is no node &#39;moon&#39;"),
    ],
)
def test_a_row_of_another_instance_is_named(change: dict[str, Any], said: str, copied: Path, tmp_path: Path) -> None:
    rows = read_rows(copied)
    changed = next(row for row in rows if row["deployments"])
    (changed if "instance" in change else changed["deployments"][0]).update(change)
    write_rows(copied, rows)
    assert report(copied, "-o", tmp_path / "r.html").exit_code == 0
    assert said in read(tmp_path / "r.html")


def test_a_contradiction_is_named(copied: Path, tmp_path: Path) -> None:
    rows = read_rows(copied)
    rows[1] |= {"status": "infeasible", "deployments": [], "found": False, "objective": None, "claimed_objective": None}
    write_rows(copied, rows)
    report(copied, "-o", tmp_path / "r.html")
    assert "says infeasible, label-setting has a feasible deployment" in (tmp_path / "r.html").read_text()


def test_without_instances_the_page_says_what_it_lacks(copied: Path, tmp_path: Path) -> None:
    (copied / FILE).write_text("")
    assert report(copied, "-o", tmp_path / "r.html").exit_code == 0
    text = read(tmp_path / "r.html")
    assert "These results hold no instances" in text
    assert embedded(text)["networks"] == []


def test_failures_alone_make_a_page(copied: Path, tmp_path: Path) -> None:
    answers = ("content_hash", "found", "objective", "energy_j", "lower_bound", "time_s", "times_s", "deployments")
    rows = [{name: value for name, value in row.items() if name not in answers} for row in read_rows(copied)[:3]]
    write_rows(copied, [row | {"status": "error", "reason": "broke", "found": False} for row in rows])
    made = report(copied, "-o", tmp_path / "r.html")
    assert made.exit_code == 0, made.output
    text = read(tmp_path / "r.html")
    assert "cannot be said" in text
    assert "No run is conclusive." in text


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no such folder of results"), ("", "holds no runs"), ("{", "line 1 is cut off")],
)
def test_folders_without_results_are_one_line(tmp_path: Path, content: str | None, said: str) -> None:
    folder = tmp_path / "results"
    if content is not None:
        folder.mkdir()
        (folder / "runs.jsonl").write_text(content)
    refused = report(folder, "-o", tmp_path / "r.html")
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert said in refused.stderr
    assert not (tmp_path / "r.html").exists()


def test_an_empty_folder_and_a_place_that_cannot_be_written_are_refused(results: Path, tmp_path: Path) -> None:
    assert "cannot be read" in report(tmp_path, "-o", tmp_path / "r.html").stderr
    assert "cannot be written" in report(results, "-o", tmp_path / "no" / "r.html").stderr


def test_help_teaches() -> None:
    shown = " ".join(report("--help").stdout.split())
    for word in ("without any network", "finbench report results/published -o report.html", "side by side"):
        assert word in shown


def test_the_date_is_that_of_the_rows(copied: Path, tmp_path: Path) -> None:
    rows = read_rows(copied)
    for row, moment in zip(rows, ("2026-03-01T23:59:00.000Z", "2026-03-02T00:10:00.000Z"), strict=False):
        row["started_at"] = moment
    write_rows(copied, [{**row, "started_at": row["started_at"] if k < 2 else None} for k, row in enumerate(rows)])
    report(copied, "-o", tmp_path / "r.html")
    text = read(tmp_path / "r.html")
    assert (
        f"Runs begun 2026-03-01 23:59 to 2026-03-02 00:10 UTC (not recorded of {len(rows) - 2} runs); measured" in text
    )
    write_rows(copied, [{name: value for name, value in row.items() if name != "started_at"} for row in rows])
    report(copied, "-o", tmp_path / "r.html")
    assert "Date of the runs not recorded; measured on" in read(tmp_path / "r.html")


def test_the_campaigns_file_is_shown_and_its_lack_is_said(page: Path, copied: Path, tmp_path: Path) -> None:
    assert "hostile.json" in read(page)
    (copied / "campaign.toml").write_text("# </script>\nname = 'x'\n")
    report(copied, "-o", tmp_path / "r.html")
    assert "# &lt;/script&gt;\nname" in read(tmp_path / "r.html")
    (copied / "campaign.toml").unlink()
    report(copied, "-o", tmp_path / "r.html")
    assert "do not hold the file of their campaign" in read(tmp_path / "r.html")


def test_a_run_of_two_groups_is_listed_once_with_both(copied: Path, tmp_path: Path) -> None:
    rows = read_rows(copied)
    again = [{**row, "group": "again"} for row in rows[:3]]
    write_rows(copied, rows + again)
    report(copied, "-o", tmp_path / "r.html")
    text = read(tmp_path / "r.html")
    data = embedded(text)
    assert data["count"] == len(rows)
    groups = data["runs"]["group"]
    assert [groups["names"][groups["of_run"][k]] for k in (2, 3)] == [["grid", "again"], ["grid"]]
    assert f"<dt>runs</dt><dd>{len(rows)}</dd>" in text
    assert "3 rows of the results are of runs that another group asks for as well" in text
    assert "<h3>again</h3>" in text


def test_without_scripts_figures_and_tables_are_there_and_no_button(page: Path) -> None:
    body = read(page).split("<body>")[1].split('<script type="application/json"')[0]
    assert "<button" not in body
    static = re.findall(r"<noscript>(.*?)</noscript>", body, re.DOTALL)
    figures = [part for part in static if "<svg" in part]
    assert len(figures) == body.count('<figure id="')
    assert all("<path" in part and "NaN" not in part and "nan" not in part for part in figures)


def test_the_page_says_what_transfers_take(page: Path) -> None:
    text = " ".join(read(page).split())
    assert "Transfers take next to no time in every group (at most 5 %" in text
    assert "560 Gbit/s to 4.5 Tbit/s" in text


def test_a_number_of_the_text_is_that_of_the_table(page: Path) -> None:
    text = read(page)
    said = re.search(r"Fastest by the median of its conclusive runs: ([^,]+), ([^ ]+ [mµ]?s) \((\d+) of (\d+)", text)
    assert said
    name, time, conclusive, runs = said.groups()
    table = text.split("<span>All groups together: ")[1]
    row = re.search(rf"<td data-value=\"\d+\">{re.escape(name)}</td>(.*?)</tr>", table, re.DOTALL)
    assert row
    cells = re.findall(r">([^<]*)</td>", row[1])
    assert (cells[0], cells[1], cells[7]) == (runs, conclusive, time)
