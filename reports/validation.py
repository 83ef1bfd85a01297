"What a model validation says in words and tables. An `Evaluation` in, HTML out; it selects and formats, and computes no risk."

from html import escape

import numpy as np
import pandas as pd
from IPython.display import HTML
from risk_reports.page import note, status, table

from risk_analytics_lib.utils.checks import BadArgument
from risk_analytics_lib.utils.numbers import confidence, day, percent, pvalue

SECTIONS = {
    "verdict": "Verdict",
    "hits": "When losses passed VaR",
    "var": "Tests of VaR",
    "es": "Tests of expected shortfall",
    "states": "Calm and wild days",
    "losses": "Against other models",
    "reading": "How to read the tests",
    "data": "Data and method",
}
GROUPS = [  # tests, the question, what a rejection means
    (("binomial", "kupiec_pof", "traffic_light"), "Are there as many hits as promised?", "too many: VaR is too low; too few: capital is wasted"),
    (("kupiec_tuff",), "Did the first hit come when it should?", "one wait says little; read it in the first months only"),
    (("christoffersen_independence", "haas_tbfi", "weibull_duration"), "Do hits come alone?", "they come in clusters: VaR follows the market too late"),
    (("christoffersen_conditional_coverage", "haas_tbf", "gmm_duration", "dynamic_quantile"), "Both, or can a hit be told from what was known?", "VaR is wrong in level or in time"),
    (("berkowitz", "berkowitz_tail", "hong_li"), "Is the whole forecast law right?", "its centre, width, tail or memory is wrong"),
    (("acerbi_szekely_z1", "mcneil_frey"), "Are losses beyond VaR as large as ES says?", "ES is too low for the VaR it stands beside"),
    (("acerbi_szekely_z2", "acerbi_szekely_z3", "minimally_biased_relative", "minimally_biased_absolute"), "Is ES right, number and size of hits together?", "ES is too low"),
    (("du_escanciano_u", "du_escanciano_c", "costanzino_curran"), "Is the tail as deep as the forecast law?", "too deep, or deep days announce one another"),
    (("esr_strict", "esr_auxiliary", "esr_intercept"), "Do losses move one for one with ES?", "ES is off, or does not move with the risk"),
    (("nolde_ziegel_simple", "nolde_ziegel_general", "nolde_ziegel_simple_one_sided", "nolde_ziegel_general_one_sided"), "Are VaR and ES right together?", "the pair is; one-sided tests object to too little risk only"),
    (("e_backtest_var", "e_backtest_es"), "Would a bet against the model have won?", "it is too low, and this verdict may be looked at every day"),
]


def _name(test: str) -> str:
    return test.replace("_", " ")


def asked(what: str, value, known) -> object:
    "One of `known`, or a named error: a verdict on another series, level or model than the one asked for is worse than none."
    found = next((k for k in known if k == value or (isinstance(value, float) and np.isclose(k, value))), None)
    if found is None:
        raise BadArgument(f"{what}: there are no forecasts of {value!r} here; choose from {', '.join(map(str, known))}")
    return found


def subject(board: pd.DataFrame, champions: pd.DataFrame, model: str, level: float) -> str:
    "The model that is validated: the one named, else the champion, else the first by rank."
    rows = board[np.isclose(board["level"], level)]
    if model:
        return asked("model", model, rows["model"])
    return champions.loc[np.isclose(champions["level"], level), "champion"].iloc[0] or str(rows["model"].iloc[0])


def objections(tests: pd.DataFrame, model: str, level: float) -> str:
    "Which tests of the whole suite object to a model, in words."
    rows = tests[(tests["model"] == model) & np.isclose(tests["level"], level)]
    p = rows["pvalue_exact"].fillna(rows["pvalue"])
    bad = rows.loc[p <= rows["significance"], "test"].map(_name).tolist()
    return f"Of {int(p.notna().sum())} tests at {confidence(level)} {len(bad) or 'none'} object{'s' if len(bad) < 2 else ''}{': ' + ', '.join(bad) if bad else ''}. A test at 5 % objects to one right model in twenty."


def verdict(board: pd.DataFrame, model: str) -> HTML:
    "May the model be used? One line a level."
    rows = board[board["model"] == model].sort_values("level", ascending=False)
    fit = rows["eligible"].all()
    lines = "".join(
        f"<li>{confidence(r.level)}: {r.hits:.0f} hits in {r.counted:,.0f} days where {r.expected:.3g} are expected, {r.zone} zone, {'number, order and size of its hits pass' if r.eligible else escape(r.failed)}.</li>"
        for r in rows.itertuples()
    )
    said = "✓ may be used" if fit else "▲ is in doubt" if (rows["zone"] != "red").all() else "■ is in the red zone"
    return HTML(f'<div class="verdict {"ok" if fit else "near" if (rows["zone"] != "red").all() else "breach"}"><p>{escape(model)} {said}</p><ul>{lines}</ul></div>')


def models(board: pd.DataFrame, level: float) -> HTML:
    rows = board[np.isclose(board["level"], level)]
    cells = {
        "Model": rows["model"],
        "May be used": [status("ok", "yes") if e else status("near", "no") for e in rows["eligible"]],
        "Hits": [f"{h:.0f}" for h in rows["hits"]],
        "Expected": [f"{e:.3g}" for e in rows["expected"]],
        "Zone": rows["zone"],
        "Reason": rows["failed"].where(rows["failed"] != "", "none"),
    }
    return table(pd.DataFrame(cells), f"Models at {confidence(level)}, best joint loss of VaR and ES first")


def sentences(tests: pd.DataFrame, model: str, level: float) -> HTML:
    "Every test of one model: how it ended, and one sentence."
    rows = tests[(tests["model"] == model) & np.isclose(tests["level"], level)]
    p = rows["pvalue_exact"].fillna(rows["pvalue"])
    ended = ["n/a" if np.isnan(v) else "near" if v <= s else "ok" for v, s in zip(p, rows["significance"])]
    cells = {
        "Test": rows["test"].map(_name),
        "Ended": [status(s, {"ok": "passed", "near": "rejected", "n/a": "n/a"}[s]) for s in ended],
        "p-value": [pvalue(v) for v in p],
        "As printed elsewhere": [pvalue(v) for v in rows["pvalue"]],
        "In words": rows["plain"],
    }
    return table(pd.DataFrame(cells), f"{model} at {confidence(level)}; exact or simulated p-values, ▲ rejected", wide=("As printed elsewhere",))


def weakness(tests: pd.DataFrame, model: str, level: float) -> HTML:
    "How often each test rejects right forecasts, and how often it finds wrong ones."
    rows = tests[(tests["model"] == model) & np.isclose(tests["level"], level)].dropna(subset=["power_exact"])
    cells = {
        "Test": rows["test"].map(_name),
        "Rejects right ones": rows["size_exact"].map(percent),
        "By the usual p-value": [percent(v) for v in rows["size"]],
        "Finds wrong ones": rows["power_exact"].map(percent),
    }
    return table(pd.DataFrame(cells), "How weak is a test at this number of days? Wrong ones have twice the hits, or clusters of them", wide=("By the usual p-value",))


def states(coverage: pd.DataFrame, level: float) -> HTML:
    rows = coverage[np.isclose(coverage["level"], level)]
    wide = rows.pivot(index="model", columns="label", values="rate")
    order = [c for c in ("all", "calm", "normal", "stress") if c in wide]
    cells = {"Model": wide.index} | {c: [percent(v) for v in wide[c]] for c in order}
    return table(pd.DataFrame(cells), f"Share of days beyond VaR at {confidence(level)}, {percent(1 - level)} promised; thirds of the days by the volatility forecast the evening before")


def reading() -> HTML:
    rows = [(question, ", ".join(map(_name, tests)), meaning) for tests, question, meaning in GROUPS]
    return table(pd.DataFrame(rows, columns=["Question", "Tests that ask it", "What a rejection means"]), "A test that passes has not shown that the model is right: look how often it would find a wrong one")


def method(evaluation, settings: dict) -> list:
    f = evaluation.ledger
    said = {"days": f"{f['target'].nunique():,}, {day(f['target'].min())} to {day(f['target'].max())}", "models": ", ".join(f["model"].unique()), "series": ", ".join(map(str, f["series"].unique()))}
    said |= {k.replace("_", " "): str(v) for k, v in settings.items()}
    notes = sorted(set(f["note"].dropna()) - {""})[:6] if "note" in f else []
    return [table(pd.DataFrame(said.items(), columns=["Of this validation", "Value"]), "What was walked"), *[note(f"▲ {n}") for n in notes]]
