"What each section of a report says in words and tables. Frames of a `DailyRun` in, HTML out; it selects and formats, and computes no risk."

from html import escape

import numpy as np
import pandas as pd
from IPython.display import HTML
from risk_reports.facts import ENGINES, headline, latest, pair, state, story, troubles
from risk_reports.page import note, status, table

from risk_analytics_lib.utils.figures_book import limit_amount, limit_units
from risk_analytics_lib.utils.numbers import MARKS, MISSING, confidence, day, money, percent


def whole(parts) -> str:
    "Texts with commas between, escaped, none of them broken over two lines."
    return ", ".join(f'<span class="whole">{escape(part)}</span>' for part in parts)


# 1 verdict and limits


def verdict(run) -> HTML:
    "Are we within limits, what changed, what would hurt most: in words."
    lines = "".join(f"<li>{escape(opening)}: {whole(parts)}.</li>" for opening, parts in story(run))
    return HTML(f'<div class="verdict {state(run).replace("/", "")}"><p>{escape(run.verdict)}</p><ul>{lines}</ul></div>')


def tiles(run) -> HTML:
    "The first numbers of page one, each with its change on the day."
    found = []
    for label, series in list(headline(run).items())[:5]:
        (now, before), signed = pair(series), label.startswith("P&L")
        said = f"{money(before, signed=True)} the day before" if signed else f"{money(now - before, signed=True)} on the day"
        small = "" if pd.isna(before) else said
        found.append(f"<div><dt>{escape(label)}</dt><dd>{money(now, signed=signed)}<small>{small}</small></dd></div>")
    return HTML(f'<dl class="tiles">{"".join(found)}</dl>')


def limits(run) -> HTML:
    rows = latest(run.limits).sort_values("utilisation", ascending=False)
    if rows.empty:
        return note("No limits were given: pass a file of limits to have them checked.")
    units = limit_units(rows)
    cells = {
        "Limit": rows["limit"],
        "Status": [status(s) for s in rows["status"]],
        "Use": [percent(u) for u in rows["utilisation"]],
        "Value": [limit_amount(v, k) for v, k in zip(rows["value"], units)],
        "Allowed": [limit_amount(v, k) for v, k in zip(rows["limit_value"], units)],
        "Since": ["" if pd.isna(s) else day(s) for s in rows["since"]],
    }
    return table(pd.DataFrame(cells), "Limits, fullest first; losses positive", wide=("Since",))


# 2 what changed


def changes(run) -> HTML:
    rows = [(k, money(now), money(before), money(now - before, signed=True)) for k, s in headline(run).items() for now, before in [pair(s)]]
    caption = "VaR, ES and volatility are losses, positive; P&L and net exposure signed"
    return table(pd.DataFrame(rows, columns=["Measure", "Today", "Evening before", "Change"]), caption)


# 3 VaR, ES and drivers


def models(run) -> HTML:
    "Tomorrow's VaR and ES by every model of the ledger."
    rows = latest(run.forecasts)
    interval = run.risk[(run.risk["as_of"] == run.as_of) & (run.risk["measure"] == "value_at_risk") & (run.risk["horizon"] == 1)].set_index(["model", "level"])
    bounds = [interval.loc[key] for key in zip(rows["model"], rows["level"])]
    cells = {
        "Model": rows["model"],
        "Level": rows["level"].map(confidence),
        "VaR": rows["value_at_risk"].map(money),
        "ES": rows["expected_shortfall"].map(money),
        "VaR, 95 % interval": ["" if pd.isna(b["low"]) else f"{money(b['low'])} to {money(b['high'])}" for b in bounds],
        "Note": rows["note"],
    }
    return table(pd.DataFrame(cells), f"Forecast loss by model over the session of {day(rows['target'].iloc[-1])}", wide=("Note", "VaR, 95 % interval"))


def drivers(run, kind: str = "asset", top: int = 10) -> HTML:
    rows = latest(run.drivers)
    rows = rows[rows["kind"] == kind]
    total, shown = rows["component"].sum(), rows.sort_values("component", ascending=False).head(top)
    cells = {
        kind.capitalize(): shown["name"],
        "Exposure": [money(x, signed=True) for x in shown["exposure"]],
        "Component ES": shown["component"].map(money),
        "Share": [percent(x / total) for x in shown["component"]],
        "If removed": [money(-x, signed=True) for x in shown["incremental"]],
    }
    caption = f"Largest drivers by {kind}; components of all {len(rows)} sum to {money(total)}"
    return table(pd.DataFrame(cells), caption, wide=("If removed",))


def engines(run) -> HTML:
    "The models by their full names, the book's own first."
    return note(" · ".join(f"{name}: {ENGINES.get(name, name)}" for name in run.config.engines) + f". The book's own number is that of {run.config.engine}.")


# 4 stress


def stress(run) -> HTML:
    rows, parts = latest(run.stress), []
    if rows.empty:
        return note("No scenario of the past had ended by this evening.")
    for name, group in rows.groupby("scenario", sort=False):
        book = group[group["asset"] == "(book)"].iloc[0]
        own = group[group["asset"] != "(book)"].dropna(subset="pnl").sort_values("pnl")[:2]
        worst = HTML(whole(f"{a} {money(p, signed=True)}" for a, p in zip(own["asset"], own["pnl"])))
        parts.append((book["pnl"], name, f"{day(book['start'])} to {day(book['end'])}", money(-book["pnl"]), worst, book["note"]))
    parts.sort(key=lambda p: (np.isnan(p[0]), p[0]))
    shown = pd.DataFrame([p[1:] for p in parts], columns=["Scenario", "Window", "Loss", "Largest losers", "Note"])
    return table(shown, "Loss of today's book, positive; parts signed", wide=("Window", "Note"))


# 7 unusual moves


def anomalies(run, top: int = 12) -> HTML:
    rows = run.anomalies[run.anomalies["flag"].astype(bool)].sort_values(["date", "anomaly_score"], ascending=False).head(top)
    if rows.empty:
        return note("No asset moved out of line with its own past in these sessions.")
    cells = {"Day": rows["date"].map(day), "Asset": rows["asset"], "Score": [f"{s:.1f}" for s in rows["anomaly_score"]], "Kind": rows["kind"], "Reason": rows["reason"]}
    return table(pd.DataFrame(cells), "Latest flags", wide=("Kind",))


# 8 backtest


def readings(run) -> HTML:
    "The tests of the book's own engine, decided in words."
    if run.backtests.empty:
        return note("No forecast has met its outcome yet: a longer history is needed.")
    rows = run.backtests[run.backtests["model"] == run.config.engine]
    cells = {"Level": rows["level"].map(confidence), "Test": rows["test"].str.replace("_", " "), "Decision": rows["decision"]}
    return table(pd.DataFrame(cells), f"The tests of {run.config.engine} in words")


# 9 data and method


def warnings(run, source) -> list[HTML]:
    return [note(f"{MARKS['near']} {text}") for text in troubles(run, source)]


def series(run) -> HTML:
    rows = run.data
    iso = [[MISSING if pd.isna(d) else f"{d:%Y-%m-%d}" for d in rows[c]] for c in ("first", "last")]
    cells = {
        "Series": rows["asset"],
        "Status": [status(s) for s in rows["status"]],
        "First": iso[0],
        "Last": iso[1],
        "Rows": [f"{n:,}" for n in rows["rows"]],
        "Missing": [f"{n:,}" for n in rows["missing"]],
        "Flags": rows["flags"],
        "Note": rows["note"],
    }
    return table(pd.DataFrame(cells), "Series of this run", wide=("Missing", "Note", "Rows"))


def method(run) -> HTML:
    "How the numbers were made, and what would make them again."
    line = run.runs.iloc[-1]
    said = {"configuration": str(run.config)} | {k.replace("_", " "): line[k] for k in line.index if k not in ("as_of", "portfolio", "started", "finished")}
    return table(pd.DataFrame(said.items(), columns=["Of this run", "Value"]), "What would make these numbers again")
