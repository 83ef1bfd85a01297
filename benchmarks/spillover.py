"Rolling spillovers of ten series over 3,000 windows: one batched pass against a loop of statsmodels fits, and how far apart the tables are."

from timing import by_turns, cpu, print_table  # isort: skip  (sets the threads before numpy starts)

import sys

import numpy as np
import pandas as pd
from statsmodels.tsa.api import VAR

from risk_analytics_lib.econometrics.spillover import rolling_spillover
from risk_analytics_lib.utils.datasets import load_sample

SERIES, WINDOWS, WINDOW, HORIZON = 10, 3000, 200, 10
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 2


def loop(frame: pd.DataFrame, lags: int) -> tuple:
    "Tables in per cent and marks of explosive windows: fit, moving average weights, shares, roots, window by window."
    Y, tables, explosive = frame.to_numpy(), [], []
    for w in range(len(Y) - WINDOW + 1):
        fit = VAR(Y[w : w + WINDOW]).fit(lags, trend="c")
        Phi, sigma = fit.ma_rep(HORIZON - 1), fit.sigma_u
        share = ((Phi @ sigma) ** 2).sum(0) / np.diag(sigma)
        tables.append(100 * share / share.sum(1, keepdims=True))
        explosive.append(not fit.is_stable())
    return np.array(tables), np.array(explosive)


def table(title: str, frame: pd.DataFrame, lags: int) -> float:
    ours, (theirs, marks) = rolling_spillover(frame, lags, HORIZON, WINDOW), loop(frame, lags)
    gap = np.abs(ours.tables - theirs).max() / 100  # of shares
    assert len(ours.index) == WINDOWS and gap < 1e-10 and (ours.explosive.to_numpy() == marks).all(), gap
    thrice = lambda: [rolling_spillover(frame, lags, HORIZON, WINDOW) for _ in range(3)]
    times = by_turns({"rolling_spillover": lambda: cpu(thrice) / 3, "statsmodels, loop over windows": lambda: cpu(lambda: loop(frame, lags))}, ROUNDS)
    note = f"Largest difference of a share, as a decimal: {gap:.0e}. Explosive windows, the same in both: {int(marks.sum())} of {WINDOWS}."
    print_table(title, times, "rolling_spillover", note)
    return times["statsmodels, loop over windows"] / times["rolling_spillover"]


names = ["AAPL", "JPM", "KO", "XOM", "PFE", "SPX", "WTI", "EUR", "JPY", "GBP"]
moves = load_sample().returns(assets=names).dropna().abs()
daily = np.log(moves.where(moves > 0).rolling(2, min_periods=1).mean().ffill().dropna()).iloc[-(WINDOWS + WINDOW - 1) :]
slow = np.log(moves.rolling(20).mean().dropna()).iloc[-(WINDOWS + WINDOW - 1) :]
ratios = [table(f"Rolling spillovers, log volatilities of two days, 10 series, 3,000 windows of 200 days, VAR({p})", daily, p) for p in (2, 4)]
table("The same, log volatilities of twenty days (roots close to one), VAR(2)", slow, 2)
assert min(ratios) >= 40, ratios
