"The report as its reader meets it: made by the `risk` script, opened in a browser without network, printed, and asked for wrongly."

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lessons import ROOT
from risk_reports import page, render

from risk_analytics_lib.utils.calendar import sessions

RISK = Path(sys.executable).with_name("risk")
NAMES = list(page.SECTIONS.values())
NASTY = "<script>alert(1)</script>"


def risk(*words, cwd) -> subprocess.CompletedProcess:
    return subprocess.run([RISK, *map(str, words)], cwd=cwd, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="session")
def sample(tmp_path_factory, chromium):
    "`risk report` of the sample, as a user would: folder and what was printed."
    folder = tmp_path_factory.mktemp("sample")
    done = risk("report", "--no-open", *["--pdf"] * bool(chromium), cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "risk_report.html", done.stdout


@pytest.fixture(scope="session")
def own(tmp_path_factory):
    "A user's own book: an asset with a nasty name, one without price, one limit that is sure to break; the buy-side variant."
    folder = tmp_path_factory.mktemp("own")
    (folder / "prices").mkdir()
    days, rng = sessions("2016-01-04", "2022-06-30"), np.random.default_rng(7)
    wide = pd.DataFrame(100 * np.exp(rng.normal(0, 0.012, (len(days), 3)).cumsum(0)), days, columns=["AAA", "BBB", NASTY])
    wide.rename_axis("date").to_csv(folder / "prices" / "wide.csv")
    pd.DataFrame({"asset": ["AAA", "BBB", NASTY, "GHOST"], "quantity": [1000, -500, 800, 10]}).to_csv(folder / "book.csv", index=False)
    limits = pd.DataFrame({"limit": ["Gross exposure"], "measure": ["gross"], "limit_value": [1.0], "unit": ["USD"]})
    limits.to_csv(folder / "limits.csv", index=False)
    words = "report --prices prices/wide.csv --portfolio book.csv --limits limits.csv --variant buyside --json --fail-on breach"
    done = risk(*words.split(), cwd=folder)
    assert done.stdout, done.stderr
    return folder / "risk_report.html", json.loads(done.stdout), done.returncode


# What the file is


def test_says_in_five_lines_what_was_done(sample):
    file, said = sample
    lines = said.strip().splitlines()
    assert re.fullmatch(r"Sample book \(20 equities, 4 currencies\) · as of 2022-12-28", lines[0], re.I), lines[0]
    assert lines[1].startswith("✓ data 8,313 days") and lines[2][0] in "✓▲■" and len(lines) <= 6
    assert f"risk_report.html ({file.stat().st_size / 1e6:.1f} MB)" in lines[-1] and "Next: risk report" in lines[-1]


def test_is_one_file_of_moderate_size(sample, own):
    for file in (sample[0], own[0]):
        assert file.stat().st_size <= 2.5e6
        assert {p.suffix for p in file.parent.glob("risk_report*")} <= {".html", ".pdf"}


class References(HTMLParser):
    "Everything in a page that a browser would fetch or follow."

    def __init__(self, text):
        super().__init__()
        self.found, self.style = [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.style = tag == "style"
        self.found += [value for name, value in attrs if name in ("src", "srcset", "href", "action", "poster", "data", "background")]

    def handle_data(self, data):
        if self.style:
            self.found += re.findall(r"@import[^;]*|url\([^)]*\)", data)


def test_refers_to_nothing_but_itself(sample):
    found = References(sample[0].read_text()).found
    assert len(found) >= len(NAMES) and all(reference.startswith("#") for reference in found)


def test_tells_no_secrets_of_the_machine(sample, own):
    for file in (sample[0], own[0]):
        text = re.sub(r"<script>.*?</script>", "", file.read_text(), flags=re.S)
        assert str(file.parent) not in text and str(ROOT) not in text and "Traceback" not in text


def test_the_first_page_answers_in_words(sample):
    text = sample[0].read_text()
    first = text[text.index('id="limits"') : text.index('id="changes"')]
    assert re.search(r'class="verdict (ok|near|breach)"', first) and "Worst stress" in first and "changed by" in first
    assert all(name in first for name in ("VaR 99 %", "ES 97.5 %", "Gross exposure", "Worst historical stress"))


# What a browser shows


@pytest.fixture
def opened(browser):
    "Opens a file in a fresh browser window and keeps what it asked for and complained of."
    windows = []

    def go(file, width=1440, **how):
        window = browser.new_context(viewport={"width": width, "height": 900}, **how)
        windows.append(window)
        tab = window.new_page()
        tab.asked, tab.said = [], []
        tab.on("request", lambda r: tab.asked.append(r.url))
        tab.on("dialog", lambda d: (tab.said.append(d.message), d.dismiss()))
        tab.on("pageerror", lambda e: tab.said.append(str(e)))
        tab.on("console", lambda m: tab.said.append(m.text) if m.type == "error" else None)
        tab.goto(file.as_uri())
        if how.get("java_script_enabled", True):
            tab.wait_for_function("document.documentElement.dataset.drawn")
        return tab

    yield go
    for window in windows:
        window.close()


@pytest.mark.needs_chromium
def test_draws_every_section_and_asks_nothing_of_the_network(sample, opened):
    tab = opened(sample[0])
    drawn = tab.evaluate("[...document.querySelectorAll('section')].filter(s => s.querySelector('h2')).map(s => s.querySelectorAll('.plot svg.main-svg').length)")
    assert len(drawn) == len(NAMES) and min(drawn) > 0
    assert tab.asked == [sample[0].as_uri()] and tab.said == []
    assert tab.evaluate("[...document.querySelectorAll('.plot')].every(p => p.getAttribute('aria-label').length > 20)")
    assert tab.evaluate("[...document.querySelectorAll('.plot')].every(p => p.data && p.data.length)"), "a figure is empty"


@pytest.mark.needs_chromium
def test_reads_without_javascript(sample, opened):
    tab = opened(sample[0], java_script_enabled=False)
    assert tab.locator(".verdict").is_visible() and tab.locator("#limits ~ .scroll table").first.is_visible()
    assert tab.locator("noscript p").count() == 0 or tab.locator("figure .note").first.is_visible()
    assert tab.locator(".plot").first.is_hidden()


@pytest.mark.needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_a_phone(sample, own, opened, scheme):
    for file in (sample[0], own[0]):
        tab = opened(file, width=390, color_scheme=scheme)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        light = tab.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
        assert light == (scheme == "light")


@pytest.mark.needs_chromium
def test_fits_on_paper(sample, opened):
    tab = opened(sample[0], width=720)
    tab.emulate_media(media="print")
    tab.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    tab.wait_for_timeout(300)
    edges = "[...document.querySelectorAll('.plot .xtick text')].map(t => t.getBoundingClientRect().right - t.closest('.plot').getBoundingClientRect().right)"
    assert max(tab.evaluate(edges)) <= 0.5, "a date is cut off"
    assert tab.evaluate("Math.max(...[...document.querySelectorAll('.plot svg.main-svg')].map(s => s.getBoundingClientRect().width))") <= 688
    assert not tab.locator(".modebar").first.is_visible()


@pytest.mark.needs_chromium
def test_prints_verdict_and_limits_on_page_one(sample):
    from pypdf import PdfReader

    file = sample[0].with_suffix(".pdf")
    assert file.stat().st_size <= 1e6
    first = re.sub(r"\s+", " ", PdfReader(file).pages[0].extract_text())
    assert sample[1].splitlines()[2][2:20] in first and "Limits, fullest first" in first
    assert all(name in first for name in ("VaR 99 %", "ES 97.5 %", "Gross exposure", "Worst historical stress", "What changed")[:4])
    assert "What changed" not in first


# A user's own book


def test_a_book_of_ones_own(own):
    file, found, code = own
    assert found["as_of"] == "2022-06-30" and found["limits"] == {"breach": 1} and found["exit_code"] == code == 4
    assert found["title"] == "Portfolio risk" and "backtest" not in found["sections"] and 'id="backtest"' not in file.read_text()


def test_an_unpriced_asset_is_named(own):
    file, found, _ = own
    text = file.read_text()
    assert any("GHOST" in trouble for trouble in found["troubles"])
    assert "GHOST" in text[text.index('id="data"') :]


def test_names_from_files_stay_text(own):
    assert NASTY not in own[0].read_text() and "&lt;script&gt;" in own[0].read_text()


@pytest.mark.needs_chromium
def test_names_from_files_run_nothing(own, opened):
    tab = opened(own[0])
    assert tab.said == [] and tab.asked == [own[0].as_uri()]
    assert NASTY in tab.inner_text("body"), "the name must be legible"


# Asked for wrongly


@pytest.mark.parametrize(
    "words, code, said",
    [
        ("reprot", 2, "did you mean 'report'"),
        ("report --as-of 28.12.2022", 2, "write it as 2022-12-28"),
        ("report --prices nowhere", 3, "there is no 'nowhere' here"),
        ("report --variant bunk", 2, "bank, buyside"),
        ("report --fail-on worry", 2, "choose breach or near"),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(words, code, said, tmp_path):
    done = risk(*words.split(), cwd=tmp_path)
    assert done.returncode == code and said in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_bad_cell_is_named_with_file_row_and_column(tmp_path):
    (tmp_path / "book.csv").write_text("asset,quantity\nAAPL,100\nKO,many\n")
    done = risk("report", "--portfolio", "book.csv", cwd=tmp_path)
    assert done.returncode == 3 and all(word in done.stderr for word in ("book.csv", "3", "quantity", "many")), done.stderr


def test_only_declared_parameters_are_accepted():
    notebook = render.HERE / "daily_risk.ipynb"
    assert render.check_parameters(notebook, {"days": 20}) == {"days": 20}
    for name in ("dyas", "days=1;import os;x", "__import__('os').system('true')"):
        with pytest.raises(render.ReportError, match="is not declared by daily_risk.ipynb"):
            render.check_parameters(notebook, {name: 1})


def test_parameters_arrive_after_their_defaults():
    "nbdev-clean strips unknown tags; without this one papermill would inject at the top, and the defaults would win."
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    notebook = load_notebook_node(str(render.HERE / "daily_risk.ipynb"))
    tagged = [k for k, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    injected = parameterize_notebook(notebook, {"days": 20}).cells[tagged[0] + 1]
    assert "injected-parameters" in injected.metadata.tags and "days = 20" in injected.source


@pytest.mark.parametrize("file", sorted((render.HERE / "params").glob("*.yaml")), ids=lambda p: p.stem)
def test_variants_are_parameter_files(file):
    parameters = render.check_parameters(render.HERE / "daily_risk.ipynb", render.load_parameters(file.stem))
    assert parameters["sections"] == "all" or set(parameters["sections"]) <= set(page.SECTIONS)


# The validation of models


@pytest.fixture(scope="session")
def validation(tmp_path_factory):
    "`risk backtest --report` on a user's own prices with a nasty name: two engines, a year."
    folder = tmp_path_factory.mktemp("validation")
    days, rng = sessions("2017-01-03", "2019-12-31"), np.random.default_rng(3)
    pd.DataFrame({NASTY: 100 * np.exp(rng.normal(0, 0.01, len(days)).cumsum())}, days).rename_axis("date").to_csv(folder / "prices.csv")
    done = risk("backtest", "--series", NASTY, "--models", "hs,ewma_t", "--days", 260, "--window", 400, "--prices", "prices.csv", "--report", "validation.html", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "validation.html", done.stdout


def test_validation_says_its_verdict(validation):
    from risk_reports import validation as room

    file, said = validation
    text = re.sub(r"<script>.*?</script>", "", file.read_text(), flags=re.S)
    assert re.search(r"validation\.html \(\d\.\d MB\) written: (hs|ewma_t) (may be used|is in doubt)", said.splitlines()[-1])
    assert all(f'id="{key}"' in text for key in room.SECTIONS) and re.search(r'class="verdict (ok|near|breach)"', text)
    assert text.count("right forecasts give this or worse") > 20 and re.search(r"Of \d\d tests at 99 %", text)
    assert "<script>alert" not in text and str(file.parent) not in text and file.stat().st_size < 2.5e6


@pytest.mark.parametrize("wrong", [{"series": "FTSE"}, {"level": 0.95}, {"model": "garch"}])
def test_validation_of_what_was_not_asked_is_refused(validation, wrong, tmp_path):
    "A verdict on another series, level or model would be a wrong one."
    settings = {"ledger": str(validation[0].parent / "backtest.csv"), "series": NASTY} | wrong
    with pytest.raises(render.ReportError, match="there are no forecasts of") as trouble:
        render.render(tmp_path / "v.html", settings, "model_validation")
    assert trouble.value.kind == "BadArgument"


def test_every_test_of_the_suite_has_its_reading():
    from risk_reports import validation as room

    from risk_analytics_lib.risk.suites import ES_SUITE, VAR_SUITE

    assert sorted(t for tests, *_ in room.GROUPS for t in tests) == sorted([*VAR_SUITE, *ES_SUITE])


@pytest.mark.needs_chromium
def test_validation_draws_its_figures(validation, opened):
    tab = opened(validation[0])
    assert tab.evaluate("document.querySelectorAll('.plot svg.main-svg').length") >= 5 and tab.asked == [validation[0].as_uri()] and tab.said == []
    narrow = opened(validation[0], width=390)
    assert narrow.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
