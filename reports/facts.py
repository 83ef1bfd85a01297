"What a `DailyRun` says, as plain values: the selections that report, dashboard and command line share. It computes no risk."

import numpy as np
import pandas as pd

from risk_analytics_lib.risk.pnl import PARTS, PnLExplain
from risk_analytics_lib.risk.stress import worst_scenarios
from risk_analytics_lib.utils.numbers import confidence, money, percent, pvalue

PLURALS = {"equity": "equities", "currency": "currencies", "etf": "ETFs", "index": "indices", "commodity": "commodities"}

ENGINES = {
    "fhs": "joint filtered historical simulation (GJR-GARCH with t shocks)",
    "hs": "historical simulation",
    "ewma_t": "exponentially weighted volatility with t shocks",
}


def latest(frame: pd.DataFrame) -> pd.DataFrame:
    "Rows of the last evening."
    return frame[frame["as_of"] == frame["as_of"].max()] if "as_of" in frame else frame


def books(run, past: bool | None = None) -> pd.DataFrame:
    "Scenarios that have a number, worst first; only events of the past, or only those of one's own."
    rows = worst_scenarios(latest(run.stress), None)
    return rows if past is None else rows[(rows["kind"] == "historical") == past]


def nearest(run) -> pd.DataFrame:
    "Scenarios that look for a loss, a row a state, nearest first."
    rows = latest(run.stress)
    return rows[(rows["asset"] == "(book)") & (rows["kind"] == "reverse")].dropna(subset="pnl").sort_values("distance", kind="stable")


def split(run, kind: str = "sector") -> pd.DataFrame:
    "P&L of the scenarios that have a number by sector or desk, each in the state where it costs most."
    shown = books(run)[["scenario", "state"]]
    rows = latest(run.stress_split)
    return rows[rows["kind"] == kind].merge(shown, on=["scenario", "state"]) if len(rows) else rows


def tail(run) -> pd.DataFrame:
    "The scenario days that make the ES of the last evening."
    return latest(run.tail).rename(columns={"date": "scenario"})


def tail_measure(run) -> str:
    "The number that those days make."
    return f"ES {confidence(min(run.config.levels))}, 1 day"


def explained(run, days: int = 20) -> pd.DataFrame:
    "The parts of the book's P&L on its last days; empty where it has none."
    if run.explain.empty:
        return pd.DataFrame()
    return PnLExplain(run.explain, run.pnl, run.portfolio_name, run.currency).to_frame("(book)").tail(days)


def beyond(run, days: int = 20) -> pd.DataFrame:
    "The latest exceptions of desks and book, newest first."
    rows = run.exceptions[run.exceptions["level"] == run.exceptions["level"].max()] if len(run.exceptions) else run.exceptions
    return rows.iloc[::-1].head(days)


def bridged(run) -> str:
    "The measure that the run's bridge explains."
    return f"VaR {confidence(max(run.config.levels))}, 1 day"


def measure(run, name: str, level: float = np.nan, horizon: int = 0) -> pd.Series:
    "One number of the book by evening, from its own engine where there are several."
    rows = run.risk[(run.risk["measure"] == name) & (run.risk["horizon"] == horizon) & run.risk["model"].isin(["", run.config.engine])]
    rows = rows if np.isnan(level) else rows[np.isclose(rows["level"], level)]
    return rows.set_index("as_of")["value"].sort_index()


def headline(run) -> dict:
    "The numbers of page one by label, each a Series by evening; what was not computed is left out."
    low, high, far = min(run.config.levels), max(run.config.levels), max(run.config.horizons)
    found = {
        f"VaR {confidence(high)}, 1 day": measure(run, "value_at_risk", high, 1),
        f"ES {confidence(low)}, 1 day": measure(run, "expected_shortfall", low, 1),
        f"ES {confidence(low)}, {far} days": measure(run, "expected_shortfall", low, far) if far > 1 else pd.Series(dtype=float),
        "Volatility, 1 day": measure(run, "volatility", horizon=1),
        "P&L of the day": measure(run, "pnl", horizon=1),
        "Gross exposure": measure(run, "gross"),
        "Net exposure": measure(run, "net"),
    }
    return {label: series for label, series in found.items() if len(series)}


def pair(series: pd.Series) -> tuple:
    "Today and the evening before; NaN where there is none."
    return series.iloc[-1], series.iloc[-2] if len(series) > 1 else np.nan


def state(run) -> str:
    "The worst status of a limit on the last evening; n/a where none was checked."
    words = set(latest(run.limits)["status"])
    return next((w for w in ("breach", "near", "ok") if w in words), "n/a")


def story(run) -> list[tuple[str, list[str]]]:
    "What fills the limits, what changed and what would hurt most: openings, each with its parts."
    full = latest(run.limits).dropna(subset="utilisation").sort_values("utilisation", ascending=False)[:2]
    moved, near = latest(run.bridge), nearest(run)
    moved = moved[moved["change"] != 0].sort_values("change", key=abs, ascending=False) if len(moved) else moved
    lines = [("Fullest", [f"{n} {percent(u)}" for n, u in zip(full["limit"], full["utilisation"])])]
    if len(moved):
        total = money(moved["change"].sum(), signed=True)
        lines.append((f"{bridged(run)} changed by {total} since the evening before", [f"{d} {money(c, signed=True)}" for d, c in zip(moved["driver"], moved["change"])]))
    worst = [f"{b.scenario} {money(-b.pnl)}" for b in books(run, past=True)[:1].itertuples()] + [f"what if: {b.scenario} {money(-b.pnl)}" for b in books(run, past=False)[:1].itertuples()]
    told = explained(run, 1)
    if len(told) and told["date"].iloc[-1] == run.as_of:
        kind = "actual" if "actual" in told and told["actual"].notna().iloc[-1] else "hypothetical"
        made = told.iloc[-1][list(PARTS)].astype(float).dropna()
        made = made[made.abs() > 0.5].sort_values(key=abs, ascending=False)
        lines.append((f"P&L of the day {money(told[kind].iloc[-1], signed=True)}, {kind}", [f"{part} {money(v, signed=True)}" for part, v in made.items()]))
    lines.append(("Worst stress", worst))
    if len(near):
        r = near.sort_values("pnl", kind="stable").iloc[0]  # the largest loss asked for, in the state where it is nearest
        far = [f"{r['distance']:.1f} standard deviations of {r['state']} days", f"p {pvalue(r['probability'])}"]
        lines.append((f"To lose {money(-r['pnl'])} in {'one day' if r['days'] == 1 else str(r['days']) + ' days'} takes", far))
    return [(opening, parts) for opening, parts in lines if parts]


def stress_limit(limits: pd.DataFrame) -> float:
    "The allowed stress loss of a limit file; NaN where it sets none."
    return limits.loc[limits["measure"] == "stress", "limit_value"].min() if len(limits) else np.nan


def holds(run, source) -> str:
    "What the book holds: 20 equities, 4 currencies."
    counts = run.data["asset"].map(source.sources["kind"]).fillna("asset").value_counts()
    return ", ".join(f"{n} {k if n == 1 else PLURALS.get(k, k + 's')}" for k, n in counts.items())


def troubles(run, source) -> list[str]:
    "What a reader must know about the ground: series that are not as they should be, fits that fell back."
    bad = run.data[run.data["status"] != "ok"]
    unread = source.flags[source.flags["rule"] == "left out"].set_index("asset")["action"].to_dict()  # why a file gave no series
    fits = run.fits.drop_duplicates("asset", keep="last")
    fell = fits[~fits["converged"].astype(bool)]
    return [f"{a} is {s}: {unread.get(a, n)}" for a, s, n in zip(bad["asset"], bad["status"], bad["note"])] + [f"{a}: {n}" for a, n in zip(fell["asset"], fell["note"])]


def summary(run, source) -> dict:
    "What the command line says of a run."
    return {
        "holds": holds(run, source),
        "limits": latest(run.limits)["status"].value_counts().to_dict(),
        "days": int(run.data["rows"].max()),
        "series": int(run.data["modelled"].sum()),
        "scenarios": len(books(run)),
        "story": [f"{opening}: {', '.join(parts)}" for opening, parts in story(run) if "changed" in opening or opening == "Worst stress"],
        "troubles": troubles(run, source),
    }
