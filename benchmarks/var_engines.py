"VaR engines against pandas at equal answers, and CAViaR against quantile regression at no more tick loss."

from timing import by_turns, cpu, print_table  # isort: skip  (sets the threads before numpy starts)

import warnings

import numpy as np
import pandas as pd
import statsmodels.api as sm
from arch.data import nasdaq, sp500

from risk_analytics_lib.risk.engines import EWMA, CAViaR, FilteredHS, HistoricalSimulation
from risk_analytics_lib.risk.measures import value_at_risk
from risk_analytics_lib.utils.learning import first_rows, refit_periods
from risk_analytics_lib.utils.walkforward import walk_forward

LEVEL, WINDOW, TEST, REFIT = 0.99, 1000, 1000, 20
rng = np.random.default_rng(0)
matrix = pd.DataFrame(0.01 * rng.standard_t(5, (1000, 2500)), columns=[f"A{i}" for i in range(2500)])
spx, ixic = (d.load()["Adj Close"].pct_change().dropna().rename(n) for d, n in ((sp500, "SPX"), (nasdaq, "IXIC")))


def table(title, ours, theirs, rounds, least):
    "Both answers are compared before they are timed; `least` is the ratio that is wanted."
    np.testing.assert_allclose(np.asarray(ours()), np.asarray(theirs()), rtol=1e-9)
    times = by_turns({"risk_analytics_lib": lambda: cpu(ours), "pandas": lambda: cpu(theirs)}, rounds)
    print_table(title, times, "risk_analytics_lib", f"Equal answers, asserted before timing. Wanted: {least}x.")
    assert times["pandas"] >= least * times["risk_analytics_lib"]


def scenarios():
    value_at_risk(matrix, LEVEL)  # compile
    rank = np.floor(len(matrix) * (1 - LEVEL) + 1e-9) / (len(matrix) - 1)
    table("historical VaR 99 % of 2,500 assets, 1,000 scenarios", lambda: value_at_risk(matrix, LEVEL), lambda: -matrix.quantile(rank, interpolation="nearest"), 9, 5)


def walked():
    return walk_forward(FilteredHS(EWMA()), spx, n_test=TEST, window=WINDOW, refit=REFIT, levels=LEVEL).forecasts[["value_at_risk", "expected_shortfall"]]


def looped():
    "The same walk as a notebook writes it: a loop over days, every step in pandas."
    found, tail, starts = [], int(WINDOW * (1 - LEVEL) + 1e-9), first_rows(refit_periods(spx.index, REFIT))
    for t in range(len(spx) - TEST, len(spx)):
        begin = starts[t] - WINDOW
        window = spx.iloc[begin : starts[t]]
        seen = pd.concat([pd.Series([window.var()]), spx.iloc[begin:t].pow(2)])
        sigma = seen.ewm(alpha=0.06, adjust=False).mean().pow(0.5)
        losses = (-window.to_numpy() / sigma.iloc[:WINDOW] * sigma.iloc[-1]).sort_values(ascending=False)
        found.append([losses.iloc[tail], losses.iloc[:tail].mean()])
    return pd.DataFrame(found, columns=["value_at_risk", "expected_shortfall"])


def by_quantreg(y, a=1 - LEVEL):
    "Symmetric absolute value by regression of the return on the path so far, until the path settles; the best of its rounds."
    start = float(np.sort(-y[:300])[::-1][int(300 * a)])
    v, best = np.full(len(y), start), np.inf
    for _ in range(25):
        fit = sm.QuantReg(-y[1:], np.column_stack([np.ones(len(y) - 1), v[:-1], np.abs(y[:-1])])).fit(q=1 - a)
        b, path = fit.params, [start]
        for r in y[:-1].tolist():
            path.append(b[0] + b[1] * path[-1] + b[2] * abs(r))
        new = np.array(path)
        gap = -y - new
        if np.isfinite(new).all():
            best = min(best, float(np.where(gap > 0, (1 - a) * gap, -a * gap).sum()))
        if not np.isfinite(new).all() or np.abs(new - v).max() < 1e-6:
            break
        v = new
    return best


def caviar():
    warnings.simplefilter("ignore")
    for r in (spx, ixic):
        windows = [r.iloc[k : k + 1000] for k in range(len(r) - 3000, len(r) - 1000, 400)]
        CAViaR().fit(windows[0])  # compile
        times = by_turns({
            "risk_analytics_lib": lambda: cpu(lambda: [CAViaR().fit(w) for w in windows]) / len(windows),
            "statsmodels QuantReg and a loop": lambda: cpu(lambda: [by_quantreg(w.to_numpy()) for w in windows]) / len(windows),
        }, rounds=3)
        print_table(f"CAViaR, symmetric absolute value, 99 %, {r.name}, 1,000 days: one fit", times, "risk_analytics_lib")
        ours, theirs = (np.array([f(w) for w in windows]) for f in (lambda w: CAViaR().fit(w).tick_loss, lambda w: by_quantreg(w.to_numpy())))
        print(f"\nTick loss, ours over theirs, {len(windows)} windows: least {np.min(ours / theirs):.4f}, most {np.max(ours / theirs):.4f}.")
        assert (ours <= theirs * (1 + 1e-9)).all()


def rolling():
    "For the record: vector calls of pandas against the walk, which keeps mean, volatility, PIT and scores of each day as well."
    ours = lambda: walk_forward(HistoricalSimulation(WINDOW), spx, n_test=TEST, window=WINDOW, levels=LEVEL).forecasts["value_at_risk"]
    theirs = lambda: -spx.rolling(WINDOW).quantile(int(WINDOW * (1 - LEVEL) + 1e-9) / (WINDOW - 1), interpolation="nearest").shift().iloc[-TEST:]
    np.testing.assert_allclose(ours(), theirs(), rtol=1e-9)
    times = by_turns({"risk_analytics_lib: walk_forward, with its ledger": lambda: cpu(ours), "pandas: rolling quantile alone": lambda: cpu(theirs)})
    print_table("rolling historical VaR 99 %, window 1,000, 1,000 days", times, "risk_analytics_lib: walk_forward, with its ledger")


scenarios()
table("filtered historical simulation, VaR and ES 99 %, EWMA filter, 1,000 days", walked, looped, 5, 8)
caviar()
rolling()
