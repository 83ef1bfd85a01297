"All pairs Granger tests of ten series, one to five lags: one batched pass against a loop over statsmodels' grangercausalitytests."

from timing import by_turns, cpu, print_table  # isort: skip  (sets the threads before numpy starts)

from itertools import permutations

import numpy as np
import pandas as pd
from statsmodels.tsa.stattools import grangercausalitytests

from risk_analytics_lib.econometrics.vectorar import granger_pairs
from risk_analytics_lib.utils.datasets import load_sample

NAMES, LAGS, ROUNDS = ["SPX", "XOM", "JPM", "AAPL", "EUR", "JPY", "GBP", "WTI", "KO", "PFE"], (1, 2, 3, 4, 5), 5


def loop(frame: pd.DataFrame) -> dict:
    "F and p-value of each pair and number of lags, by statsmodels."
    out = {}
    for cause, effect in permutations(frame.columns, 2):
        found = grangercausalitytests(frame[[effect, cause]].to_numpy(), list(LAGS))
        out |= {(cause, effect, p): found[p][0]["ssr_ftest"][:2] for p in LAGS}
    return out


def table(title: str, frame: pd.DataFrame):
    ours, theirs = granger_pairs(frame, LAGS).to_frame(), loop(frame)
    keys = zip(ours["cause"], ours["effect"], ours["lags"])
    gap = np.abs(ours[["statistic", "pvalue"]].to_numpy() - np.array([theirs[k] for k in keys])) / np.array([np.maximum(ours["statistic"], 1), np.ones(len(ours))]).T
    assert len(ours) == len(theirs) == 450 and gap.max() < 1e-8, gap.max()
    work = {"granger_pairs": lambda: cpu(lambda: [granger_pairs(frame, LAGS) for _ in range(10)]) / 10, "statsmodels, loop over pairs": lambda: cpu(lambda: loop(frame))}
    times = by_turns(work, ROUNDS)
    print_table(title, times, "granger_pairs", f"450 F tests. Largest difference of F (relative) and p-value: {gap.max():.0e}.")
    return times["statsmodels, loop over pairs"] / times["granger_pairs"]


returns = load_sample().returns(assets=NAMES).dropna()
ratio = table("All-pairs Granger, 10 series, 90 pairs, lags 1 to 5, 1,000 days", returns.iloc[-1000:])
table("The same on 250 days", returns.iloc[-250:])
assert ratio >= 100, ratio
