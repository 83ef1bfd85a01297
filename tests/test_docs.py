"The site is built from the notebooks, complete in itself, and its pages are drawn by a browser straight from the folder."

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from lessons import ROOT, module, notebooks, read
from markdown import markdown

from docs.build import PLOTLY_MIME, page_of
from docs.mathml import mathml


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run([sys.executable, "-m", "docs.build", "--out", folder], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Links(HTMLParser):
    "What a page loads: src of anything, href of stylesheets and icons."

    def __init__(self, html: str):
        super().__init__()
        self.loads, self.links, self.ids = [], [], set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids.add(attrs.get("id"))
        if "src" in attrs or tag == "link":
            self.loads.append(attrs.get("src") or attrs.get("href"))
        elif tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])


@pytest.fixture(scope="session")
def pages(site) -> dict[Path, Links]:
    return {p: Links(p.read_text()) for p in sorted(site.rglob("*.html")) if p.name != "404.html"}


def html_of(site: Path, notebook: str) -> str:
    return (site / page_of(Path(notebook)).with_suffix(".html")).read_text()


def test_every_notebook_has_a_page_and_every_page_is_in_the_index(site, pages):
    expected = {page_of(p.relative_to(ROOT / "nbs")).with_suffix(".html").as_posix() for p in notebooks()}
    assert expected == {page for p in pages if not (page := p.relative_to(site).as_posix()).startswith("about/")}
    indexed = {entry["location"].split("#")[0] for entry in json.loads((site / "search" / "search_index.json").read_text())["docs"]}
    assert expected <= indexed


def test_pages_load_nothing_from_outside(site, pages):
    outside = re.compile(r"^(https?:)?//")
    assert {url for page in pages.values() for url in page.loads if outside.match(url)} == set()
    missing = {url for p, page in pages.items() for url in page.loads if not url.startswith("data:") and not (p.parent / url.split("?")[0]).exists()}
    assert missing == set()
    sheets = "\n".join(p.read_text() for p in site.rglob("*.css"))
    assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", sheets)


def test_links_lead_somewhere(pages):
    "Also from a folder: each link to another page is relative, and its heading is there."
    for path, page in pages.items():
        for link in page.links:
            target, _, anchor = link.partition("#")
            if not re.match(r"https?:|mailto:", link):
                assert not link.startswith("/"), f"{path.name} links to {link} from the root of a server"
                there = (path.parent / target).resolve() if target else path
                assert there in pages or there.exists(), f"{path.name} links to {link}"
                assert not anchor or there not in pages or anchor in pages[there].ids, f"{path.name} links to {link}"


def test_definitions_have_a_signature_and_a_table(site):
    html = html_of(site, "utils/00_checks.ipynb")
    assert 'id="check_level"' in html and "risk_analytics_lib.utils.checks" in html
    table = html.split('id="check_level"')[1].split("<table>")[1].split("</table>")[0]
    cells = [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"(?s)<t[hd][^>]*>(.*?)</t[hd]>", table)]
    assert cells[:4] == ["", "Type", "Default", "Details"]
    assert cells[4:8] == ["level", "float", "", "confidence, in (0.5, 1): 0.99 for a 99 % VaR"]
    assert cells[8] == "Returns"


def test_fields_and_methods_of_a_class_are_in_tables(site):
    html = html_of(site, "utils/05_distributions.ipynb").split('id="locationscale"')[1].split("<h3")[0]
    assert "per period, &gt; 0" in html, "the comment of the field `vol`"
    html = html_of(site, "utils/06_models.ipynb").split('id="riskmodel"')[1].split("<h3")[0]
    assert 'id="riskmodel.fit"' in html and "Method" in html


def test_names_of_one_cell_keep_the_order_of_the_code(site):
    html = html_of(site, "utils/00_checks.ipynb")
    assert html.index('id="riskerror"') < html.index('id="badlevel"') < html.index('id="notconverged"')


def test_formulas_are_drawn_without_a_script(pages):
    texts = {p: p.read_text() for p in pages}
    assert "<math" in texts[next(p for p in pages if p.name == "checks.html")]
    prose = {p.name: re.sub(r"(?s)<(script|pre|code|style)\b.*?</\1>", "", text) for p, text in texts.items()}
    assert [name for name, text in prose.items() if "$$" in text or re.search(r"\\(frac|mathrm|sum|sigma)\b", text)] == []


def test_a_formula_is_no_emphasis_and_money_no_formula():
    drawn = markdown(r"$a_t*b_t*c$ and `$x$`, $100m or $5m, \$3", extensions=["docs.mathml"])
    assert drawn.count("<math") == 1 and "<em>" not in drawn
    assert "<code>$x$</code>, $100m or $5m" in drawn
    assert 'display="block"' in markdown("$$\nx_1 = \\frac{1}{2}\n$$", extensions=["docs.mathml"])


def test_a_formula_that_cannot_be_drawn_stops_the_build():
    assert "<mtable" in mathml(r"\begin{aligned} a &= b \\ c &= d \end{aligned}")
    with pytest.raises(ValueError, match="nosuch"):
        mathml(r"\nosuch{x}")


def has_figure(path: Path) -> bool:
    return any(PLOTLY_MIME in o.get("data", {}) for c in read(path).cells for o in c.get("outputs", []))


@pytest.fixture
def visit(browser, site):
    "Opens a page of the folder; whatever it asks for that is not there or not in the folder fails the test."
    trouble = []
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.on("requestfailed", lambda r: trouble.append(f"failed: {r.url}"))
    page.on("request", lambda r: r.url.startswith(("file:", "data:", "blob:", "about:")) or trouble.append(f"outside: {r.url}"))
    page.on("pageerror", lambda e: trouble.append(f"error: {e}"))

    def go(notebook: Path):
        page.goto((site / page_of(notebook.relative_to(ROOT / "nbs")).with_suffix(".html")).as_uri())
        return page

    yield go
    page.close()
    assert trouble == []


@pytest.mark.needs_chromium
@pytest.mark.parametrize("notebook", [p for p in notebooks() if has_figure(p)], ids=lambda p: p.stem)
def test_figures_are_drawn(visit, notebook):
    page = visit(notebook)
    boxes = page.locator(".plotly-figure")
    for box in boxes.all():
        box.scroll_into_view_if_needed()
        box.locator(".main-svg").first.wait_for(timeout=20_000)
        assert box.locator("g.trace, g.bars, .heatmaplayer image, .annotation").count(), "the figure is empty"
        assert box.get_attribute("aria-label") not in (None, "", "figure"), "a figure says in words what it shows: fig.layout.meta['alt']"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.needs_chromium
def test_search_and_dark_mode_work_from_a_folder(visit):
    page = visit(ROOT / "nbs/utils/00_checks.ipynb")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator(".md-search__input").fill("did you mean tail probability")
    page.locator(".md-search-result__item").first.wait_for(timeout=20_000)
    page.keyboard.press("Escape")
    page.locator("label.md-header__button:not([hidden])[for^=__palette]").click()
    assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"


def test_every_module_is_documented():
    "A room of the package is exported from a notebook, so it has a page."
    package = ROOT / "risk_analytics_lib"
    rooms = {".".join(p.relative_to(package).with_suffix("").parts) for p in package.rglob("*.py") if not p.name.startswith("_")}
    assert rooms == {m for p in notebooks() if (m := module(read(p)))}
