"Rolling volatility, skewness, z-score and EWMA of 500 assets over 2,500 days beside wide pandas, at equal values."

import os
import sys

KEPT = {"MALLOC_MMAP_THRESHOLD_": "2000000000", "MALLOC_TRIM_THRESHOLD_": "2000000000", "MALLOC_TOP_PAD_": "100000000"}
if "--as-is" not in sys.argv and any(os.environ.get(k) != v for k, v in KEPT.items()):
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | KEPT)  # freed memory stays with the process, for both sides: page faults are the machine's

from timing import by_turns, cpu, print_table  # isort: skip  (sets the threads before numpy starts)

import numpy as np
import pandas as pd

from risk_analytics_lib.utils.rolling import exponential_average, rolling_statistics

DAYS, ASSETS = 2500, 500
HEAR = np.random.default_rng(0)
FULL = pd.DataFrame(0.01 * HEAR.standard_t(4, (DAYS, ASSETS)))
HOLED = FULL.where(HEAR.random(FULL.shape) > 0.01)


def ours(x, window, coverage):
    found = rolling_statistics(x, ("std", "skew", "z"), window, coverage)
    return found["std"], found["skew"], found["z"], exponential_average(x)


def each(x, window, coverage):
    "Four features, each by itself, as written in a notebook."
    r = x.rolling(window, min_periods=int(np.ceil(coverage * window)))
    return r.std(), r.skew(), (x - r.mean()) / r.std(), x.ewm(alpha=0.06, ignore_na=True).mean()


def shared(x, window, coverage):
    "The deviation is computed once."
    r = x.rolling(window, min_periods=int(np.ceil(coverage * window)))
    std = r.std()
    return std, r.skew(), (x - r.mean()) / std, x.ewm(alpha=0.06, ignore_na=True).mean()


for title, x, window, coverage in (("window 22", FULL, 22, 1.0), ("window 250", FULL, 250, 1.0), ("window 22, 1 % missing", HOLED, 22, 0.8)):
    gap = max(np.nanmax(abs(a - b.where(x.notna()) if k == 3 else a - b).to_numpy()) for k, (a, b) in enumerate(zip(ours(x, window, coverage), each(x, window, coverage))))
    assert gap < 1e-8, gap
    works = {"make in one pass": ours, "pandas wide, each by itself": each, "pandas wide, deviation shared": shared}
    times = by_turns({name: (lambda work=work: cpu(lambda: work(x, window, coverage))) for name, work in works.items()}, 7)
    print_table(f"Volatility, skewness, z, EWMA, {ASSETS} x {DAYS:,}, {title}", times, "make in one pass", f"Largest difference {gap:.0e}.")
