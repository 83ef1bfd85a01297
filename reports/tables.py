"What each section of a report says in words and tables. Frames of a `DailyRun` in, HTML out; it selects and formats, and computes no risk."

from html import escape

import numpy as np
import pandas as pd
from IPython.display import HTML
from risk_reports import facts
from risk_reports.facts import ENGINES, headline, latest, nearest, pair, state, story, troubles
from risk_reports.page import note, status, table

from risk_analytics_lib.risk.stress import book_losses
from risk_analytics_lib.utils.figures_book import limit_amount, limit_units
from risk_analytics_lib.utils.numbers import MARKS, MISSING, confidence, day, money, percent, pvalue


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


KINDS = {"historical": "happened", "hypothetical": "what if", "conditional": "what if, carried on", "path": "what if, day by day"}


def _far(rows) -> dict:
    return {"Distance": [MISSING if pd.isna(d) else f"{d:.1f} sd" for d in rows["distance"]], "Chance": rows["probability"].map(pvalue)}


def _losers(run, rows, top: int) -> list:
    "Who loses most in each scenario and state."
    assets = latest(run.stress)
    assets = dict(list(assets[assets["asset"] != "(book)"].groupby(["scenario", "state"])))
    worst = [assets[key].dropna(subset="pnl").nsmallest(top, "pnl") if key in assets else pd.DataFrame() for key in zip(rows["scenario"], rows["state"])]
    return [HTML(whole(f"{a} {money(p, signed=True)}" for a, p in zip(w["asset"], w["pnl"]))) if len(w) else "" for w in worst]


def stress(run) -> HTML:
    rows = book_losses(latest(run.stress))
    if rows.empty:
        return note("No scenario of the past had ended by this evening.")
    window = ["" if pd.isna(r.start) else f"{r.start:%Y-%m-%d} to {r.end:%Y-%m-%d}" for r in rows.itertuples()]
    cells = {"Scenario": rows["scenario"], "Kind": [KINDS[k] for k in rows["kind"]], "Window": window, "Loss": [money(-p) for p in rows["pnl"]]}
    cells |= _far(rows) | {"State": rows["state"].replace("all", ""), "Largest losers": _losers(run, rows, 2), "Note": rows["note"]}
    return table(pd.DataFrame(cells), "Loss of today's book, positive, in the state where it is worst; parts signed", wide=("Kind", "Window", "State", "Note", "Chance"))


def plausible(run) -> HTML:
    "How to read distance and chance."
    return note(
        "Distance: the loss in standard deviations of today's book over the scenario's days, of the state's days where one is named. Chance: of such a loss or a larger one, "
        "by a Student t with the degrees of freedom of the book's own forecasts."
    )


def breaches(run) -> HTML:
    "The nearest days that cost what was asked for, in every state."
    rows = nearest(run)
    if rows.empty:
        return note("No loss was looked for: a limit on stress in money, or a scenario of kind reverse, asks for one.")
    cells = {"Scenario": rows["scenario"], "State": rows["state"], "Loss": [money(-p) for p in rows["pnl"]], **_far(rows), "Largest losers": _losers(run, rows, 3)}
    return table(pd.DataFrame(cells), "The nearest days that cost so much, by state: what would have to happen", wide=("Chance",))


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


def desks(run) -> HTML:
    rows = run.desks
    if rows.empty:
        return note("No desk has a P&L yet.")
    eligible = {True: status("ok", "eligible"), False: status("near", "not eligible")}
    cells = {"Desk": rows["desk"], "Model": [eligible[bool(e)] for e in rows["eligible"]], "Days": rows["days"].astype(str), "Beyond VaR 99 %": [f"{c} of {a}" for c, a in zip(rows["count_99"], rows["allowed_99"])]}
    cells |= {"Beyond VaR 97.5 %": [f"{c} of {a}" for c, a in zip(rows["count_975"], rows["allowed_975"])], "Attribution": rows["pla_zone"], "Note": rows["reasons"]}
    return table(pd.DataFrame(cells), f"Desks over a year, days beyond VaR of those allowed, VaR of a desk by historical simulation of 250 days; {rows['label'].iloc[0]}", wide=("Days", "Note"))


def beyond(run) -> HTML:
    rows = facts.beyond(run, 10)
    if rows.empty:
        return note("No desk has lost more than its VaR in these days.")
    cells = {"Day": rows["date"].map(day), "Desk": rows["desk"], "P&L": rows["kind"], "Why": rows["reason"]}
    return table(pd.DataFrame(cells), f"Latest days beyond VaR {confidence(rows['level'].iloc[0])}, by desk", wide=("P&L",))


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
