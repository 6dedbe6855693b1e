"""The page in headless Chromium: silent, sealed, sortable, filterable, drawn, and fit for a phone."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from finbench.benchmarks.analysis.frame import load_frame
from finbench.benchmarks.analysis.gaps import gap_by_gamma
from tests.benchmarks.report.conftest import IMAGE, QUOTES, SCRIPT, read_rows

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None, reason="needs Debian's chromium and chromium-driver: apt-get install them"
    ),
]

FLAGS = (
    *(
        "--headless",
        "--window-size=1280,900",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-dev-shm-usage",
    ),
    *(
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--force-prefers-reduced-motion",
    ),
)

Open = Callable[..., webdriver.Chrome]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield started
    started.quit()


@pytest.fixture
def opened(browser: webdriver.Chrome, page: Path) -> Iterator[webdriver.Chrome]:
    """The page, opened anew. After the test the browser must have logged no error and requested nothing else."""
    browser.get("about:blank")
    for kind in ("browser", "performance"):
        logged(browser, kind)
    browser.get(page.as_uri())
    yield browser
    assert logged(browser, "browser") == []
    assert {address.split("#")[0] for address in requested(browser)} <= {page.as_uri()}


def logged(browser: webdriver.Chrome, kind: str) -> list[dict[str, Any]]:
    """What the browser has logged since it was asked last."""
    return list(browser.get_log(kind))  # type: ignore[no-untyped-call]


def requested(browser: webdriver.Chrome) -> set[str]:
    """Addresses asked for, those inside the page (data:, blob:) left out."""
    events = [json.loads(entry["message"])["message"] for entry in logged(browser, "performance")]
    sent = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return {address for address in sent if not address.startswith(("data:", "blob:"))}


def all_of(browser: webdriver.Chrome, selector: str) -> list[WebElement]:
    return browser.find_elements(By.CSS_SELECTOR, selector)


def one(browser: webdriver.Chrome, selector: str) -> WebElement:
    return browser.find_element(By.CSS_SELECTOR, selector)


def seconds(text: str) -> float:
    """A time as the page writes it, in seconds."""
    value, unit = text.split()
    return float(value) * {"s": 1.0, "ms": 1e-3, "µs": 1e-6}[unit]


def column(browser: webdriver.Chrome, table: str, number: int) -> list[str]:
    return [cell.text for cell in all_of(browser, f"{table} tbody tr > :nth-child({number})")]


def test_the_page_opens_without_other_requests_and_draws_every_figure(opened: webdriver.Chrome, page: Path) -> None:
    assert requested(opened) == {page.as_uri()}
    titles = [title.text for title in all_of(opened, "figure h3")]
    assert titles == [
        "Gap against γ",
        "Gap and energy against size",
        "Utilisation of shared systems",
        "Time and memory against size",
        "Performance profiles",
        "Energy–latency frontier",
        "Incumbent and bound over time",
    ]
    assert all(all_of(opened, f"figure:nth-of-type({k + 1}) svg .curve") for k in range(len(titles)))


def test_the_policy_lets_nothing_out(opened: webdriver.Chrome) -> None:
    asked = (
        "const done = arguments[0]; fetch('http://127.0.0.1:9/').then(() => done('sent'), (error) => done(error.name));"
    )
    assert opened.execute_async_script(asked) == "TypeError"
    assert "Content Security Policy" in logged(opened, "browser")[0]["message"]
    assert not any("127.0.0.1" in address for address in requested(opened))


def test_names_stay_text(opened: webdriver.Chrome) -> None:
    assert all_of(opened, "img, b, main script") == []
    assert any(QUOTES in heading.text for heading in all_of(opened, "summary h3"))
    one(opened, "#instance-search").send_keys("alert")
    assert one(opened, "#instance-choice").text.startswith(SCRIPT)
    nodes = [node.get_attribute("data-node") for node in all_of(opened, ".side:first-child [data-node]")]
    assert IMAGE in nodes
    assert all_of(opened, "img, b, main script") == []


def test_tables_sort_by_mouse(opened: webdriver.Chrome) -> None:
    table = "#summary > .beside + .scroll table"
    heading = one(opened, f"{table} th:nth-child(9)")
    assert "time median" in heading.text
    for direction, turned in (("ascending", False), ("descending", True)):
        heading.find_element(By.TAG_NAME, "button").click()
        assert heading.get_attribute("aria-sort") == direction
        times = [seconds(text) for text in column(opened, table, 9)]
        assert times == sorted(times, reverse=turned)
        assert len(times) == 8


def test_tables_sort_by_keyboard(opened: webdriver.Chrome) -> None:
    table = "#summary > .beside + .scroll table"
    button = one(opened, f"{table} th:first-child button")
    opened.execute_script("arguments[0].focus()", button)
    ActionChains(opened).send_keys(Keys.ENTER).perform()
    assert column(opened, table, 1) == [
        *("label-setting", "exhaustive", "fin (gamma=5)", "fin (gamma=10)", "fin (gamma=20)", "fin (gamma=50)"),
        *("mcp", "single-node"),
    ], "by kind, γ by value"
    ActionChains(opened).send_keys(Keys.SPACE).perform()
    assert column(opened, table, 1)[0] == "single-node"
    ActionChains(opened).send_keys(Keys.TAB).perform()
    assert opened.switch_to.active_element.text.startswith("runs")


def test_runs_filter_sort_and_turn_pages(opened: webdriver.Chrome, results: Path) -> None:
    rows = read_rows(results)
    assert one(opened, "#run-count").text == f"{len(rows)} of {len(rows)} runs; shown: 1 to 50"
    assert len(all_of(opened, "#run-table tbody tr")) == 50
    next(button for button in all_of(opened, "#run-pages button") if button.text == "Next").click()
    assert len(all_of(opened, "#run-table tbody tr")) == len(rows) - 50
    Select(one(opened, "#filter-variant")).select_by_visible_text("mcp")
    assert one(opened, "#run-count").text == f"13 of {len(rows)} runs; shown: 1 to 13"
    Select(one(opened, "#filter-group")).select_by_visible_text("grid")
    assert len(all_of(opened, "#run-table tbody tr")) == 8
    Select(one(opened, "#filter-status")).select_by_visible_text("optimal")
    assert one(opened, "#run-count").text == f"0 of {len(rows)} runs; shown: none"
    for name in ("group", "variant", "status"):
        Select(one(opened, f"#filter-{name}")).select_by_visible_text("all")
    one(opened, "#filter-text").send_keys("tiered-n70")
    assert set(column(opened, "#run-table", 1)) == {"tiered-n70-l4-e2-t0.5-s1"}
    heads = [heading.text for heading in all_of(opened, "#run-table th")]
    time = 1 + next(k for k, head in enumerate(heads) if head.startswith("time"))
    one(opened, f"#run-table th:nth-child({time}) button").click()
    expected = [row["variant"] for row in sorted(rows, key=lambda row: row["time_s"]) if row.get("nodes") == 70]
    assert (
        column(opened, "#run-table", 1 + heads.index(next(head for head in heads if head.startswith("method"))))
        == expected
    )


def test_a_chosen_instance_is_drawn_with_both_placements(opened: webdriver.Chrome, results: Path) -> None:
    rows = [row for row in read_rows(results) if row["group"] == "grid" and row["max_latency_s"] == 0.005]
    wanted = [row for row in rows if row["min_accuracy"] == 0.8]
    one(opened, "#instance-search").send_keys("balexnet 5 ms α = 0.8")
    Select(one(opened, "#left-method")).select_by_visible_text("fin (gamma=10)")
    Select(one(opened, "#right-method")).select_by_visible_text("label-setting")
    for side, method in ((1, "fin (gamma=10)"), (2, "label-setting")):
        (row,) = (row for row in wanted if row["variant"] == method)
        nodes = all_of(opened, f".side:nth-child({side}) [data-node]")
        drawn = {node.get_attribute("data-node"): node.get_attribute("data-blocks") for node in nodes}
        placement = row["deployments"][0]["placement"]
        for name in ("device", "edge", "cloud"):
            assert drawn[name] == " ".join(str(k) for k, node in enumerate(placement, start=1) if node == name)
        assert len(all_of(opened, f".side:nth-child({side}) .route")) == len({*placement}) - 1
        heading = one(opened, f".side:nth-child({side}) h3").text
        assert f"{row['energy_j'] * 1000:.6g} mJ" in heading
    assert one(opened, "#difference").text.startswith("They differ in block")
    assert column(opened, "#instance-runs", 1) == [row["variant"] for row in wanted]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (["a", 1, ["s", "a"]], "Both run every block at the same node and send over the same links."),
        (["a", 1, ["s", "x", "a"]], "They differ in block 1: a against a via x."),
        (["a", 0.5, ["s", "a"]], "They differ in block 1: a against a with 50 % of it."),
        (["b", 1, ["s", "b"]], "They differ in block 1: a against b."),
    ],
)
def test_placements_that_differ_in_routes_or_shares_alone_are_not_the_same(
    opened: webdriver.Chrome, other: list[Any], said: str
) -> None:
    blocks = [["a", 1, ["s", "a"]], other]
    asked = "return placementsApart(...arguments[0].map((one) => ({ blocks: [one] })))"
    assert opened.execute_script(asked, blocks) == said


def test_the_sentence_on_two_deployments_covers_every_application(opened: webdriver.Chrome) -> None:
    def placement(**nodes: str) -> dict[str, Any]:
        decisions = [{"application": name, "blocks": [[node, 1, [node]]]} for name, node in nodes.items()]
        return {"applications": decisions, "rejected": []}

    asked = "return deploymentsApart(...arguments)"
    left, right = placement(a="x", b="x", c="x"), placement(a="x", b="y", d="x")
    assert opened.execute_script(asked, left, left, ["a", "b", "c"], 3) == (
        "Of all 3 applications, every one has the same decisions on both sides."
    )
    assert opened.execute_script(asked, left, right, ["a", "b", "c", "d"], 9) == (
        "Of the first 4 of 9 applications, 1 is placed differently (b); 1 is served on the left alone (c); "
        "1 is served on the right alone (d)."
    )
    one(opened, "#instance-search").send_keys("several")
    assert len(all_of(opened, ".side .blocks caption")) >= 2
    assert any("the fullest nodes and links" in caption.text for caption in all_of(opened, ".side caption"))


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("fin balexnet", lambda row: row["method"] == "fin" and row["instance"] == "balexnet-cifar10"),
        ("balexnet fin", lambda row: row["method"] == "fin" and row["instance"] == "balexnet-cifar10"),
        ("delta<=5ms alpha >= 80 %", lambda row: (row["max_latency_s"] or 1) <= 0.005 and row["min_accuracy"] >= 0.8),
        ("δ<=5000 µs balexnet", lambda row: row["instance"] == "balexnet-cifar10" and row["max_latency_s"] <= 0.005),
        ("nodes>=5 nodes<70", lambda row: 5 <= row["network_nodes"] < 70),
        ("gamma=10", lambda row: row["options"].get("gamma") == 10),
        ("energy<20mJ mcp", lambda row: row["method"] == "mcp" and row["found"] and row["energy_j"] < 0.02),
        ("applications>1", lambda row: row["applications"] > 1),
    ],
)
def test_runs_are_found_by_words_in_any_order_and_by_ranges(
    opened: webdriver.Chrome, results: Path, query: str, kept: Callable[[dict[str, Any]], bool]
) -> None:
    rows = read_rows(results)
    one(opened, "#filter-text").send_keys(query)
    assert one(opened, "#filter-text-wrong").text == ""
    expected = sum(map(kept, rows))
    assert expected
    assert one(opened, "#run-count").text.startswith(f"{expected} of {len(rows)} runs")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("delta<=5MB", "delta: “MB” is no unit of this field (latency target δ); it takes s, ms"),
        ("gap>lots", "gap: “lots” is no number"),
        ("delta<=", "delta: a number must follow, such as delta<=5ms"),
        ("nodez>5", "“nodez” is no field; fields: delta, alpha, nodes"),
    ],
)
def test_a_wrong_query_says_what_is_wrong_beside_the_field(opened: webdriver.Chrome, query: str, said: str) -> None:
    for field in ("filter-text", "instance-search"):
        one(opened, f"#{field}").send_keys(query)
        assert one(opened, f"#{field}-wrong").text.startswith(said)
        assert one(opened, f"#{field}").get_attribute("aria-invalid") == "true"
        one(opened, f"#{field}").clear()
        one(opened, f"#{field}").send_keys("fin")
        assert one(opened, f"#{field}-wrong").text == ""
    one(opened, "#runs .help summary").click()
    assert "delta<=5ms alpha>=0.8" in one(opened, "#runs .help").text


def test_an_instance_is_found_by_what_its_runs_did(opened: webdriver.Chrome, results: Path) -> None:
    rows = read_rows(results)
    one(opened, "#instance-search").send_keys("nodes>=70")
    assert one(opened, "#instance-found").text.startswith("1 of ")
    one(opened, "#instance-search").clear()
    one(opened, "#instance-search").send_keys("fin gap>1%")
    best = {row["content_hash"]: row["lower_bound"] for row in rows if row["method"] in ("label-setting", "exhaustive")}
    expected = {
        row["content_hash"]
        for row in rows
        if row["method"] == "fin" and row["found"] and row["objective"] > best[row["content_hash"]] * 1.01
    }
    assert one(opened, "#instance-found").text.startswith(f"{len(expected)} of ")


@pytest.mark.parametrize("figure", ["gap-by-gamma", "size", "growth", "profiles", "frontier"])
def test_a_figure_is_saved_as_svg_and_png(opened: webdriver.Chrome, tmp_path: Path, figure: str) -> None:
    opened.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    csv_button, svg_button, png_button = all_of(opened, f"#{figure} .saves button")
    assert (csv_button.text, svg_button.text, png_button.text) == ("CSV", "SVG", "PNG")
    for button, suffix in ((svg_button, "svg"), (png_button, "png")):
        opened.execute_script("arguments[0].click()", button)
        there_is(opened, tmp_path / f"{figure}.{suffix}")
    picture = ElementTree.fromstring((tmp_path / f"{figure}.svg").read_bytes())
    width, height = (float(picture.attrib[name]) for name in ("width", "height"))
    curves = [one for one in picture.iter() if one.attrib.get("stroke", "none") not in ("none", "")]
    assert len(curves) > 5
    assert all("class" not in one.attrib for one in picture.iter()), "a file has no style sheet"
    texts = [one.text for one in picture.iter() if one.tag.endswith("text")]
    assert one(opened, f"#{figure} h3").text in str(texts[0])
    head = (tmp_path / f"{figure}.png").read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    pixels = [int.from_bytes(head[start : start + 4], "big") for start in (16, 20)]
    assert pixels == [round(3 * width), round(3 * height)]


def test_saved_figures_are_light_though_the_page_is_dark(opened: webdriver.Chrome) -> None:
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        paper = "return getComputedStyle(document.body).backgroundColor"
        assert opened.execute_script(paper) == "rgb(20, 23, 28)"
        text = opened.execute_script(
            "return svgText(sheet('t', [{ name: '', image: document.querySelector('svg[role=img]') }], []))"
        )
        assert "rgb(86, 94, 106)" in text, "the light page's colour of text"
        assert opened.execute_script(paper) == "rgb(20, 23, 28)"
    finally:
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_without_scripts_the_page_is_readable(browser: webdriver.Chrome, page: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(page.as_uri())
        assert "Scripts are switched off" in one(browser, "noscript .notice").text
        assert [button for button in all_of(browser, "button, input, select") if button.is_displayed()] == []
        drawn = [image for image in all_of(browser, "figure svg[role=img]") if image.is_displayed()]
        assert len(drawn) >= len(all_of(browser, "figure"))
        assert not one(browser, "#runs").is_displayed()
        assert all(link.is_displayed() for link in all_of(browser, "nav a:not(.scripted)"))
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_one_of_several_applications_is_chosen(opened: webdriver.Chrome) -> None:
    one(opened, "#instance-search").send_keys("several")
    Select(one(opened, "#application-choice")).select_by_visible_text("user 1")
    assert "latency" in one(opened, ".side .bars").get_attribute("aria-label")  # type: ignore[operator]
    assert "target of 40\u00a0µs" in one(opened, ".side .bars").get_attribute("aria-label")  # type: ignore[operator]
    Select(one(opened, "#application-choice")).select_by_visible_text("late")
    assert one(opened, ".side .notice").text == "This application is turned away."
    assert " W · " in one(opened, ".side h3 .status").text
    assert one(opened, "#instance-runs thead").text.split("\n")[0].startswith("method")
    assert "total power" in one(opened, "#instance-runs thead").text
    assert "rejected" in one(opened, "#instance-runs thead").text
    one(opened, "#instance-search").clear()
    one(opened, "#instance-search").send_keys("balexnet")
    assert not one(opened, "#application-choice").is_displayed()


def test_the_address_keeps_the_choice(opened: webdriver.Chrome, page: Path) -> None:
    Select(one(opened, "#instance-choice")).select_by_index(3)
    Select(one(opened, "#left-method")).select_by_visible_text("mcp")
    chosen = one(opened, "#instance-choice").get_attribute("value")
    address = opened.current_url
    assert "left=mcp" in unquote(address)
    opened.get("about:blank")
    opened.get(address)
    assert one(opened, "#instance-choice").get_attribute("value") == chosen
    assert Select(one(opened, "#left-method")).first_selected_option.text == "mcp"


def test_a_run_leads_to_its_instance(opened: webdriver.Chrome) -> None:
    one(opened, "#filter-text").send_keys("tiered-n70")
    one(opened, "#run-table tbody a").click()
    WebDriverWait(opened, 5).until(lambda driver: "tiered-n70" in one(driver, "#instance-runs caption").text)
    assert "Of 70 nodes only" in one(opened, "#instance-facts").text


def test_the_csv_of_a_figure_holds_its_numbers(opened: webdriver.Chrome, results: Path, tmp_path: Path) -> None:
    table = gap_by_gamma(load_frame(results))
    rows = downloaded(opened, tmp_path, "#gap-by-gamma .csv", "gap-by-gamma.csv")
    assert rows[0] == ["panel", "series", "gamma", "percent"]
    worst = {int(gamma): float(value) for _, series, gamma, value in rows[1:] if series == "grid: worst"}
    grid = table[table["group"] == "grid"]
    assert worst == dict(zip(grid["gamma"], grid["worst"], strict=True))


def test_the_csv_of_runs_holds_what_is_filtered(opened: webdriver.Chrome, results: Path, tmp_path: Path) -> None:
    Select(one(opened, "#filter-variant")).select_by_visible_text("mcp")
    head, *rows = downloaded(opened, tmp_path, "#runs-csv", "runs.csv")
    expected = [row for row in read_rows(results) if row["method"] == "mcp"]
    energies = [float(text) if text else None for text in (row[head.index("energy_j")] for row in rows)]
    assert energies == [row["energy_j"] if row["found"] else None for row in expected]
    assert [row[head.index("instance")] for row in rows] == [row["instance"] for row in expected]


def test_a_csv_holds_no_formula(opened: webdriver.Chrome) -> None:
    cells = ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\tx", "b=1", "–", -1, None]
    text = opened.execute_script("return csvText(['a'], arguments[0].map((cell) => [cell]))", cells)
    assert text.split("\r\n") == ["a", "'=cmd|' /C calc'!A0", "'+1", "'-1", "'@x", "'\tx", "b=1", "–", "-1", "", ""]


def there_is(browser: webdriver.Chrome, file: Path) -> None:
    """Wait until a file is saved."""
    WebDriverWait(browser, 10).until(lambda _: file.exists())


def downloaded(browser: webdriver.Chrome, folder: Path, button: str, name: str) -> list[list[str]]:
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    browser.execute_script("arguments[0].click()", one(browser, button))
    there_is(browser, folder / name)
    with (folder / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def test_a_legend_hides_lines_and_keys_read_values(opened: webdriver.Chrome) -> None:
    curves = len(all_of(opened, "#gap-by-gamma .curve"))
    entry = one(opened, "#gap-by-gamma .legend button")
    opened.execute_script("arguments[0].click()", entry)
    pressed = one(opened, "#gap-by-gamma .legend button")
    assert pressed.get_attribute("aria-pressed") == "false"
    assert len(all_of(opened, "#gap-by-gamma .curve")) == curves - 4, "two lines in each panel"
    opened.execute_script("arguments[0].focus()", one(opened, "#gap-by-gamma svg[tabindex]"))
    ActionChains(opened).send_keys(Keys.ARROW_RIGHT).perform()
    spoken = one(opened, "#figure-value").get_attribute("textContent")
    assert spoken
    assert "FIN's resolution γ: 10\n" in spoken


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_never_scrolls_sideways(opened: webdriver.Chrome, width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        opened.refresh()
        opened.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        one(opened, "#instance-search").send_keys("several")
        widths: list[Any] = opened.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        assert widths == [width, width]
    finally:
        opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


LABELS_ON_NODES = """const boxes = (image, what) =>
        [...image.querySelectorAll(what)].map((one) => one.getBoundingClientRect());
    const meet = (a, b) => a.right + 3 > b.left && a.left - 3 < b.right && a.bottom > b.top && a.top < b.bottom;
    const wrong = (image) => (label) =>
        label.right > innerWidth || boxes(image, ".node").some((node) => meet(label, node));
    return [...document.querySelectorAll("svg.network")]
        .map((image) => boxes(image, ".route-label").filter(wrong(image)).length);"""


@pytest.mark.parametrize("width", [390, 1400])
def test_what_is_sent_is_written_beside_nodes_not_over_them(opened: webdriver.Chrome, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        opened.refresh()
        one(opened, "#instance-search").send_keys("balexnet")
        assert all_of(opened, ".route-label")
        assert opened.execute_script(LABELS_ON_NODES) == [0, 0]
    finally:
        opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_what_a_row_is_about_stays_in_sight_on_a_phone(opened: webdriver.Chrome) -> None:
    metrics = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        opened.refresh()
        table = "#summary > .beside + .scroll"
        moved = opened.execute_script(f"""const [box] = document.querySelectorAll("{table}");
            const cell = box.querySelector("tbody tr > :first-child");
            const before = cell.getBoundingClientRect().left; box.scrollLeft = 200;
            return [box.scrollLeft, cell.getBoundingClientRect().left - before];""")
        assert moved == [200, 0]
    finally:
        opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_focus_is_seen_and_everything_named(opened: webdriver.Chrome) -> None:
    ActionChains(opened).send_keys(Keys.TAB).perform()
    assert opened.switch_to.active_element.text == "Skip to the content"
    unnamed = """return [...document.querySelectorAll("input, select")].filter((one) => !one.labels.length).length
        + [...document.querySelectorAll("button")].filter((one) => !one.textContent.trim() && !one.ariaLabel).length
        + [...document.querySelectorAll("svg[role=img]")].filter((one) => !one.getAttribute("aria-label")).length
        + [...document.querySelectorAll("table")].filter((one) => !one.caption).length"""
    assert opened.execute_script(unnamed) == 0
    ids = (
        "const all = [...document.querySelectorAll('[id]')].map((one) => one.id); return all.length - new Set(all).size"
    )
    assert opened.execute_script(ids) == 0
