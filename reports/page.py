"The page of a report notebook: title, contents, sections, and a table writer that escapes whatever came from a file."

import re
from difflib import get_close_matches
from html import escape

import pandas as pd
from IPython.display import HTML, display

from risk_analytics_lib.utils.checks import BadArgument
from risk_analytics_lib.utils.numbers import MARKS, day

SECTIONS = {  # in the order in which the questions are asked
    "limits": "Verdict and limits",
    "changes": "What changed",
    "risk": "VaR, ES and drivers",
    "stress": "Stress",
    "volatility": "Volatility",
    "regimes": "Volatility state",
    "anomalies": "Unusual moves",
    "backtest": "Backtest",
    "data": "Data and method",
}
SUMMARY = "application/vnd.risk.summary+json"  # what the command line reads out of an executed notebook
NUMBER = re.compile(r"n/a|[+−]?[$€£¥]?[\d,.]+(k|m|bn| bp| %)?|\d{4}-\d\d-\d\d")  # columns of such texts are set to the right
STATES = {"left out": "breach", "unpriced": "breach", "empty": "breach"}  # words of a series' status; any other trouble is a warning


def status(word: str, said: str = "") -> HTML:
    "A status as sign and word in its colour; `said` stands in place of the word."
    state = word if word in MARKS else STATES.get(word, "near")
    return HTML(f'<span class="status {state.replace("/", "")}">{MARKS[state]} {escape(said or word)}</span>')


def note(text: str) -> HTML:
    "A paragraph of small print."
    return HTML(f'<p class="note">{escape(text)}</p>')


def _text(value) -> str:
    return value.data if isinstance(value, HTML) else str(value)


def table(rows: pd.DataFrame, caption: str, wide: tuple = ()) -> HTML:
    "A frame of texts as a table, escaped unless it is HTML already; columns in `wide` are left out on a phone, empty ones everywhere."
    rows = rows[[c for c in rows.columns if any(_text(v) for v in rows[c])]]

    def look(column) -> str:
        number = all(NUMBER.fullmatch(_text(v)) for v in rows[column])
        return f' class="{"number " * number}{"wide" * (column in wide)}"'

    def cell(value) -> str:
        return value.data if isinstance(value, HTML) else escape(str(value))

    looks = [look(c) for c in rows.columns]
    head = "".join(f'<th scope="col"{k}>{escape(str(c))}</th>' for c, k in zip(rows.columns, looks))
    body = "".join("<tr>" + "".join(f"<td{k}>{cell(v)}</td>" for v, k in zip(row, looks)) + "</tr>" for row in rows.itertuples(index=False))
    return HTML(f'<div class="scroll"><table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>')


def wanted(sections, known: dict) -> list[str]:
    "Names of the sections asked for, in the report's order: 'all', a list, or names with commas between."
    asked = list(known) if sections == "all" else [s.strip() for s in (sections.split(",") if isinstance(sections, str) else sections)]
    for name in asked:
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise BadArgument(f"sections: {name!r} is not a section{f', did you mean {near[0]!r}?' if near else ''}; there are {', '.join(known)}")
    return [s for s in known if s in asked]


class Page:
    "A report: it knows which of its sections were asked for, and numbers them."

    def __init__(self, title: str, sections="all", known: dict = SECTIONS):
        self.title, self.known, self.sections = title, known, wanted(sections, known)

    def open(self, badges: dict, facts: dict):
        "Title, badges and contents; `facts` go to the command line."
        items = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in badges.items())
        links = "".join(f'<li><a href="#{s}">{escape(self.known[s])}</a></li>' for s in self.sections)
        display(HTML(f'<h1>{escape(self.title)}</h1><dl class="badges">{items}</dl><ol class="contents">{links}</ol>'))
        display({SUMMARY: {"title": self.title, "sections": self.sections} | facts}, raw=True)

    def head(self, run, source: str, facts: dict):
        "The head of a report on one run."
        badges = {"as of": day(run.as_of), "portfolio": run.portfolio_name, "currency": run.currency, "data": source, "run": run.run_id[:12]}
        about = {"portfolio": run.portfolio_name, "as_of": f"{run.as_of:%Y-%m-%d}", "run_id": run.run_id, "verdict": run.verdict, "version": run.runs["version"].iloc[-1]}
        self.open(badges, about | facts)

    def section(self, key: str, lead: str, *parts):
        "Heading, one sentence, and then figures, tables and notes; nothing where the section was not asked for."
        if key in self.sections:
            number = self.sections.index(key) + 1
            display(HTML(f'<h2 id="{key}"><span>{number}</span> {escape(self.known[key])}</h2><p class="lead">{escape(lead)}</p>'), *parts)
