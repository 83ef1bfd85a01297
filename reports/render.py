"""A report notebook with parameters -> one self-contained HTML file, and a PDF where Chromium is present.

    python -m risk_reports.render --out risk_report.html --set as_of=2020-03-16 --params bank --pdf

The notebook runs by papermill in a kernel of its own. Only parameters that it declares are accepted: papermill writes
their names into code as they are.
"""

import argparse
import base64
import hashlib
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from risk_analytics_lib.cli import BUG, DATA, OK, USAGE, find_chromium

os.environ["PLOTLY_RENDERER"] = "plotly_mimetype"  # a figure leaves the kernel as data, without a copy of plotly.js
warnings.filterwarnings("ignore", module="papermill|nbconvert|nbclient|jupyter_client|traitlets")

HERE = Path(__file__).resolve().parent
TEMPLATE = HERE / "template"
PLOTLY = "application/vnd.plotly.v1+json"
SUMMARY = "application/vnd.risk.summary+json"


class ReportError(ValueError):
    "A report that could not be made, said with what and how to mend it."


def load_parameters(name: str) -> dict:
    "A parameter file: one of reports/params by its name, or a path."
    import yaml

    path = next((p for p in (HERE / "params" / f"{name}.yaml", Path(name)) if p.is_file()), None)
    if path is None:
        known = ", ".join(sorted(p.stem for p in (HERE / "params").glob("*.yaml")))
        raise ReportError(f"no parameter file {name!r}: give a path, or one of {known}")
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def check_parameters(notebook: Path, parameters: dict) -> dict:
    "The same parameters, or `ReportError` for a name that the notebook does not declare."
    from papermill import inspect_notebook

    declared = inspect_notebook(str(notebook))
    for name in parameters:
        if name not in declared:
            near = get_close_matches(str(name), declared, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it declares {', '.join(declared)}"
            raise ReportError(f"parameter {name!r} is not declared by {notebook.name}: {hint}")
    return parameters


def execute(notebook: Path, parameters: dict, cwd: str = "."):
    "The executed notebook; trouble inside it comes out as `ReportError` with its last line and the traceback."
    from papermill import PapermillExecutionError, execute_notebook
    from traitlets.config import Config

    local = Config({"KernelManager": {"transport": "ipc"}} if os.name == "posix" else {})  # a socket file of this user, no open port
    try:
        with tempfile.TemporaryDirectory() as folder:
            quiet = dict(progress_bar=False, log_output=False, extra_arguments=["--log-level=50"], shutdown_kernel="immediate")
            return execute_notebook(str(notebook), str(Path(folder) / "run.ipynb"), parameters, kernel_name="python3", cwd=cwd, config=local, **quiet)
    except PapermillExecutionError as error:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
        trouble = ReportError(error.evalue)
        trouble.kind, trouble.traceback = error.ename, plain
        raise trouble from None


def figure(bundle: dict) -> str:
    "A Plotly figure as HTML: caption and description as text, the drawing as data for report.js."
    layout = bundle["layout"]
    meta, title, margin = layout.get("meta", {}), layout.pop("title", {}), layout.setdefault("margin", {})
    taken = layout.get("template", {}).get("layout", {}).get("margin", {}).get("t", 64)  # pixels the title had
    margin["t"] = max(margin.get("t", taken) - taken, 0) + 10
    layout["height"] = height = layout.get("height", 340) - taken + 10
    words = html.escape(meta.get("alt", ""), quote=True)
    text = {k: html.escape(html.unescape(v or ""), quote=False) for k, v in (("b", title.get("text")), ("span", title.get("subtitle", {}).get("text")))}
    data = json.dumps({"data": bundle["data"], "layout": layout}, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    return (
        f"<figure><figcaption><b>{text['b']}</b><span>{text['span']}</span></figcaption>"
        f'<div class="plot" role="img" aria-label="{words}" style="height:{height}px"></div><script type="application/json">{data}</script>'
        f"<noscript><p class=note>{words}</p></noscript></figure>"
    )


@cache
def exporter():
    "nbconvert with our template: outputs sanitised, figures passed on as data, nothing fetched."
    from nbconvert.exporters.html import HTMLExporter
    from traitlets.config import Config

    config = Config()
    tags = "h1 h2 p span div dl dt dd ol ul li a b small table caption thead tbody tr th td code"
    config.SanitizeHTML.tags = tags.split()
    config.SanitizeHTML.attributes = {"*": ["class", "id", "role", "scope"], "a": lambda tag, name, value: name == "href" and value.startswith("#")}
    config.SanitizeHTML.safe_output_keys = {"metadata", PLOTLY}
    found = HTMLExporter(config=config, template_file=str(TEMPLATE / "report.html.j2"), filters={"figure": figure})
    found.sanitize_html = True
    return found


def to_html(notebook, title: str = "Report", version: str = "") -> str:
    "An executed notebook as one HTML page that asks nothing of the network and lets no script run but its own two."
    scripts = [(TEMPLATE / name).read_text(encoding="utf-8").replace("</script", "<\\/script") for name in ("plotly-cartesian.min.js", "report.js")]
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    css = (TEMPLATE / "report.css").read_text(encoding="utf-8")
    resources = {"title": title, "version": version, "css": css, "scripts": scripts, "script_hashes": hashes, "plotly": PLOTLY}
    return exporter().from_notebook_node(notebook, resources)[0]


def summary_of(notebook) -> dict:
    "What the report says of itself, for the command line."
    outputs = (o for cell in notebook.cells for o in cell.get("outputs", []))
    return next((o["data"][SUMMARY] for o in outputs if SUMMARY in o.get("data", {})), {})


def to_pdf(page: Path, out: Path) -> Path:
    "Print an HTML report on A4."
    browser = find_chromium()
    if browser is None:
        raise ReportError("a PDF needs Chromium: install it (apt-get install chromium), or print the HTML from your browser")
    with tempfile.TemporaryDirectory() as profile:
        quiet = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
        options = f"--no-pdf-header-footer --window-size=720,1000 --virtual-time-budget=10000 --user-data-dir={profile} --print-to-pdf={out}"
        done = subprocess.run([browser, *quiet.split(), *options.split(), page.resolve().as_uri()], capture_output=True, text=True, timeout=120)
    if not out.is_file():
        raise ReportError(f"{browser} wrote no PDF: {done.stderr.strip()[-300:]}")
    return out


def render(
    out,  # path of the HTML to write
    parameters: dict | None = None,  # by name, as the notebook declares them
    notebook: str = "daily_risk",  # a notebook of reports/, or a path
    pdf: bool = False,  # True also prints a PDF beside the HTML
) -> dict:  # the report's summary, with `html`, `bytes` and `pdf`
    "Execute a report notebook and write it as one HTML file."
    path = next((p for p in (HERE / f"{notebook}.ipynb", Path(notebook)) if p.is_file()), None)
    if path is None:
        raise ReportError(f"no report notebook {notebook!r}: give a path, or one of {', '.join(sorted(p.stem for p in HERE.glob('*.ipynb')))}")
    executed = execute(path, check_parameters(path, parameters or {}))
    summary = summary_of(executed)
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(to_html(executed, summary.get("title", path.stem), summary.get("version", "")), encoding="utf-8")
    summary |= {"html": str(out), "bytes": out.stat().st_size, "pdf": str(to_pdf(out, out.with_suffix(".pdf"))) if pdf else None}
    return summary


def parse(setting: str) -> tuple:
    "NAME=VALUE as a name and a YAML value; a date stays text."
    import yaml

    name, _, value = setting.partition("=")
    value = yaml.safe_load(value)
    return name, value.isoformat() if hasattr(value, "isoformat") else value


def exit_code(kind: str) -> int:
    "How the command line ends after an error of this name in the notebook; without a name it is one of the request."
    from risk_analytics_lib.utils import checks

    if kind in ("", "BadArgument", "BadLevel", "BadHorizon"):
        return USAGE
    return DATA if issubclass(getattr(checks, kind, Exception), checks.RiskError) else BUG


def main(argv=None) -> int:
    "Print the summary, or the error, as one line of JSON."
    parser = argparse.ArgumentParser(prog="python -m risk_reports.render", description="Render a report notebook to one HTML file.")
    parser.add_argument("--out", default="risk_report.html")
    parser.add_argument("--notebook", default="daily_risk")
    parser.add_argument("--params", default="", help="a parameter file: bank, buyside or a path")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="one parameter, read as YAML")
    parser.add_argument("--pdf", action="store_true")
    args = parser.parse_args(argv)
    try:
        parameters = (load_parameters(args.params) if args.params else {}) | dict(map(parse, args.set))
        print(json.dumps(render(args.out, parameters, args.notebook, args.pdf)))
        return OK
    except ReportError as error:
        kind = getattr(error, "kind", "")
        print(json.dumps({"error": str(error), "kind": kind, "traceback": getattr(error, "traceback", "")}))
        return exit_code(kind)


if __name__ == "__main__":
    sys.exit(main())
