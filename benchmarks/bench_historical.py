"Historical simulation against pandas, at equal answers."

from timing import by_turns, cpu, print_table  # isort: skip  (sets the threads before numpy starts)

import numpy as np
import pandas as pd

from risk_analytics_lib.risk.engines import HistoricalSimulation
from risk_analytics_lib.risk.measures import value_at_risk
from risk_analytics_lib.utils.walkforward import walk_forward

T, N, WINDOW, TEST, LEVEL = 2500, 1000, 1000, 1250, 0.99
rng = np.random.default_rng(0)
days = pd.bdate_range("2010-01-01", periods=T)
returns = pd.DataFrame(rng.standard_t(5, (T, N)) * 0.01, days, [f"A{i}" for i in range(N)])
weights = pd.Series(rng.uniform(-1, 1, N), returns.columns)
one = returns["A0"]


def assert_equal(ours, theirs):
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-9)


def table(title: str, ours, theirs, rounds: int):
    "Both answers are compared before they are timed."
    assert_equal(ours(), theirs())
    times = by_turns({"risk_analytics_lib": lambda: cpu(ours), "pandas": lambda: cpu(theirs)}, rounds)
    print_table(title, times, "pandas", "Equal answers, asserted before timing.")


# the loss of rank floor(T * 0.01) + 1 is the return of that rank from below
table(
    f"VaR {LEVEL:.0%} of each of {N:,} assets, {T:,} days",
    lambda: value_at_risk(returns, LEVEL),
    lambda: -returns.quantile(np.floor(T * (1 - LEVEL) + 1e-9) / (T - 1), interpolation="nearest"),
    rounds=7,
)
table(
    f"VaR {LEVEL:.0%} of a book of {N:,} assets, {T:,} scenarios",
    lambda: value_at_risk(returns.to_numpy() @ weights.to_numpy(), LEVEL),
    lambda: -(returns @ weights).quantile(np.floor(T * (1 - LEVEL) + 1e-9) / (T - 1), interpolation="nearest"),
    rounds=15,
)


def walked():
    walk = walk_forward(HistoricalSimulation(window=WINDOW), one, n_test=TEST, window=WINDOW, levels=LEVEL)
    return walk.forecasts[["value_at_risk", "expected_shortfall"]]


def rolled():
    "What a notebook usually does; the tail holds a whole number of days here, so its mean is the expected shortfall."
    tail = round(WINDOW * (1 - LEVEL))
    window = one.rolling(WINDOW)
    var = -window.quantile(tail / (WINDOW - 1), interpolation="nearest")
    es = -window.apply(lambda x: np.partition(x, tail)[:tail].mean(), raw=True)
    return pd.concat([var, es], axis=1).shift().iloc[-TEST:]


table(f"rolling VaR and ES {LEVEL:.0%}, window {WINDOW:,}, {TEST:,} days: the walk also keeps mean, volatility and PIT of each day", walked, rolled, rounds=5)
