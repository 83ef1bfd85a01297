"""The documentation site, from the notebooks and with pip alone: `python -m docs.build`.

nbdev turns each notebook of nbs/ into its page (definitions become API tables, hidden cells go); here the pages become
Markdown, and Material for MkDocs makes the site in _docs/. No page asks for anything outside the site."""

import argparse
import ast
import json
import logging
import re
import shutil
from html import escape
from pathlib import Path, PurePosixPath

from fastcore.nbio import nb_frontmatter, read_nb
from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config
from nbdev.config import nbpath2html
from nbdev.serve import proc_nbs

ROOT = Path(__file__).resolve().parent.parent
HERE, NBS = ROOT / "docs", ROOT / "nbs"
PAGES = ROOT / "build" / "pages"  # the Markdown, made anew each time
PLOTLY = ROOT / "reports" / "template" / "plotly-cartesian.min.js"
PLOTLY_MIME = "application/vnd.plotly.v1+json"

SECTIONS = {"Tutorials": ["tutorials"], "How-to": ["howto"], "Explanation": ["explain"]}
REFERENCE = {  # folder of nbs/ -> its name on the site, in the order that data takes through the library
    "": "One day of risk",
    "risk": "Risk",
    "econometrics": "Econometrics",
    "ml": "Machine learning",
    "anomalies": "Anomalies",
    "cloud": "Cloud",
    "utils": "Foundations",
}
ABOUT = {"Contributing": "CONTRIBUTING.md", "Changelog": "CHANGELOG.md", "Licence": "LICENSE", "Licences of the data": "risk_analytics_lib/data/LICENCES.md"}


def page_of(notebook: PurePosixPath) -> PurePosixPath:
    "`utils/00_checks.ipynb` is the page `utils/checks.md`, as nbdev's own links have it."
    return PurePosixPath(nbpath2html(notebook)).with_suffix(".md")


def about_page(file: str) -> PurePosixPath:
    "The page of a file of the repository."
    return PurePosixPath("about") / f"{PurePosixPath(file).stem.lower()}.md"


# Links


def up_from(page: PurePosixPath) -> str:
    "The root of the site, seen from a page."
    return "../" * (len(page.parts) - 1)


def relative_links(text: str, page: PurePosixPath) -> str:
    "Links between notebooks, to files of the repository, and nbdev's links from the root of a site, so that pages open from a folder too."
    up = up_from(page)
    for file in ABOUT.values():
        text = text.replace(f"](../{up}{file})", f"]({up}{about_page(file)})")

    def to_name(m):
        private = any(part.startswith("_") for part in (m["anchor"] or "#")[1:].split("."))
        return m["name"] if private else f"[{m['name']}]({up}{PurePosixPath(m['target']).with_suffix('.md')}{m['anchor'] or ''})"

    text = re.sub(r"\[(?P<name>`[^`]+`)\]\(/(?P<target>[\w./-]+\.html)(?P<anchor>#[\w.-]+)?\)", to_name, text)
    return re.sub(r"\]\((?!https?:)([\w./-]+\.ipynb)", lambda m: f"]({page_of(PurePosixPath(m[1]))}", text)


# Outputs


def figure(spec: dict, page: PurePosixPath) -> str:
    "A Plotly figure as data beside the element that figures.js draws it into."
    meta = spec.get("layout", {}).get("meta") or {}
    alt = escape(meta.get("alt", "figure") if isinstance(meta, dict) else str(meta))
    data = json.dumps(spec, separators=(",", ":")).replace("</", "<\\/")
    height = spec.get("layout", {}).get("height") or 400
    return (
        f'<div class="plotly-figure" role="img" aria-label="{alt}" style="min-height:{height}px">'
        f'<script type="application/json">{data}</script><noscript>{alt}</noscript></div>'
        f'<script defer src="{up_from(page)}assets/{PLOTLY.name}"></script>'
    )


def preformatted(text: str) -> str:
    return f'<pre class="output">{escape(text.rstrip())}</pre>' if text.strip() else ""


def output(out: dict, page: PurePosixPath) -> str:
    "One stored output, in the richest form that the site can show."
    if "text" in out:
        return preformatted(out["text"])
    data = out.get("data", {})
    if PLOTLY_MIME in data:
        return figure(data[PLOTLY_MIME], page)
    if "image/png" in data:
        return f'<p><img alt="figure" src="data:image/png;base64,{data["image/png"].strip()}"></p>'
    if "text/markdown" in data:
        return relative_links(data["text/markdown"], page)
    if "text/html" in data:
        html = re.sub(r"(?s)<style scoped>.*?</style>|\n\s*(?=\n)", "", data["text/html"])
        return f'<div class="output">\n{html}\n</div>'
    return preformatted(data.get("text/plain", ""))


# Cells


def definition_order(module: str) -> dict[str, int]:
    "Line of each name of a module, `Class.method` for what `@patch` adds: nbdev shows the names of one cell in reverse."
    if not module:
        return {}
    lines = {}
    for node in ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            patch = any(ast.unparse(d).startswith("patch") for d in node.decorator_list)
            owner = ast.unparse(node.args.args[0].annotation) + "." if patch and isinstance(node, ast.FunctionDef) else ""
            lines[owner + node.name] = node.lineno
    return lines


def is_definition(cell) -> bool:
    return cell.cell_type == "code" and re.search(r"(?m)^show_doc\(", cell.get("source", "")) is not None


def in_order(cells: list, lines: dict[str, int]) -> list:
    "The cells, with each run of definitions in the order of the module."
    result, run = [], []
    for cell in [*cells, None]:
        if cell is not None and is_definition(cell):
            run.append(cell)
            continue
        result += sorted(run, key=lambda c: lines.get(re.search(r"show_doc\(([\w.]+)", c.source)[1], 0))
        result, run = [*result, cell], []
    return result[:-1]


def markdown(cell, page: PurePosixPath) -> str:
    "One cell of a page."
    if cell.cell_type == "markdown":
        return relative_links(cell.source, page)
    code = "\n".join(line for line in cell.source.splitlines() if not line.startswith("#|")).strip()
    shown = f"```python\n{code}\n```" if code and cell.directives.get("echo") != "false" else ""
    return "\n\n".join(filter(None, [shown, *(output(o, page) for o in cell.outputs)]))


def convert(notebook: Path, page: PurePosixPath, module: str) -> str:
    "A notebook that nbdev has processed, as Markdown; returns the title of the page."
    nb = read_nb(notebook)
    front = nb_frontmatter(nb)
    title, line = front.get("title", page.stem), front.get("description", "")
    cells = [c for c in nb.cells if c.cell_type != "raw" and c.get("source") and not c.source.startswith("<!-- WARNING")]
    opening = [f"---\ntitle: {json.dumps(title)}\ndescription: {json.dumps(line)}\n---\n\n# {title}"]
    opening += [f'<p class="subtitle">{escape(line)}</p>' * bool(line), f'<p class="module">{module}</p>' * bool(module)]
    text = "\n\n".join(filter(None, [*opening, *(markdown(c, page) for c in in_order(cells, definition_order(module)))]))
    target = PAGES / page
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text + "\n", encoding="utf-8")
    return title


# The site


def navigation(titles: dict[PurePosixPath, str]) -> list:
    "Tutorials, how-to, explanation and reference; a section without pages is left out."

    def pages(folder: str) -> list:
        return [{title: str(page)} for page, title in titles.items() if str(page.parent).replace(".", "") == folder and page.name != "index.md"]

    nav = [{"Home": "index.md"}]
    nav += [{section: found} for section, (folder,) in SECTIONS.items() if (found := pages(folder))]
    reference = [{room: found} for folder, room in REFERENCE.items() if (found := pages(folder))]
    return [*nav, {"Reference": reference}, {"About": [{title: str(about_page(file))} for title, file in ABOUT.items()]}]


def processed_notebooks() -> Path:
    "nbdev's pages, from its cache where neither the notebook, nor the way of documenting, nor the index of names that pages link to changed."
    cache, behind = ROOT / "_proc", (HERE / "api_table.py", ROOT / "risk_analytics_lib" / "_modidx.py")
    stale = cache.exists() and cache.stat().st_mtime < max(file.stat().st_mtime for file in behind)
    return proc_nbs(force=stale)


def write_pages(processed: Path) -> dict[PurePosixPath, str]:
    "Every notebook and picture of nbs/ as part of the site; returns the titles of the pages."
    titles = {}
    for source in sorted(p for p in NBS.rglob("*") if p.is_file() and not any(part[0] in "._" for part in p.relative_to(NBS).parts)):
        place = PurePosixPath(source.relative_to(NBS).as_posix())
        if source.suffix == ".ipynb":
            page, found = page_of(place), re.search(r"(?m)^#\| *default_exp ([\w.]+)", "\n".join(c.source for c in read_nb(source).cells))
            titles[page] = convert(processed / place, page, f"risk_analytics_lib.{found[1]}" if found else "")
        elif source.suffix in {".png", ".svg"}:
            (PAGES / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, PAGES / place)
    return titles


def write_about():
    "Files of the repository that readers ask for."
    for file in ABOUT.values():
        text, page = (ROOT / file).read_text(encoding="utf-8"), PAGES / about_page(file)
        page.parent.mkdir(exist_ok=True)
        page.write_text(text if file.endswith(".md") else f"# Licence\n\n```text\n{text}\n```\n", encoding="utf-8")


def main(site: Path = ROOT / "_docs") -> Path:
    "Build the site; returns its folder."
    processed = processed_notebooks()
    shutil.rmtree(PAGES, ignore_errors=True)
    shutil.copytree(HERE / "assets", PAGES / "assets")
    shutil.copy(PLOTLY, PAGES / "assets")
    titles = write_pages(processed)
    write_about()
    config = load_config(str(HERE / "mkdocs.yml"), docs_dir=str(PAGES), site_dir=str(site), nav=navigation(titles), strict=True)
    mkdocs_build(config)
    index = site / "search" / "search_index.json"
    index.with_suffix(".js").write_text(f"var __index = {index.read_text(encoding='utf-8')}", encoding="utf-8")  # for pages opened from a folder
    return site


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Build the documentation site from the notebooks.")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    parser.add_argument("--out", type=Path, default=ROOT / "_docs", help="folder of the site")
    print(f"{main(parser.parse_args().out) / 'index.html'} is ready: it opens without a server")
