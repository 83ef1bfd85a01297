"Exposure at size: incremental VaR and ES of 1,000 positions, 100,000 Monte Carlo scenarios of 500 assets, and the bridge of a 500-asset book, each beside the loops and calls that they replace."

from timing import by_turns, cpu, print_table  # isort: skip  (sets the threads before numpy starts)

import sys
from itertools import product

import numpy as np
import pandas as pd

from risk_analytics_lib.risk.bridge import BridgeState, MarketLaw, ranked, switch_values
from risk_analytics_lib.risk.exposure import incremental_es, incremental_var, sample_scenarios
from risk_analytics_lib.risk.measures import expected_shortfall, value_at_risk

POSITIONS, SCENARIOS, LEVEL = 1000, 1000, 0.99
ASSETS, DRAWS = 500, 100_000
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 3


# Risk without each position


def drop_loop(pnl: pd.DataFrame, measure) -> np.ndarray:
    "The way of a notebook: drop a column, add up the others, take the measure."
    whole = measure(pnl.sum(axis=1), LEVEL)
    return np.array([whole - measure(pnl.drop(columns=name).sum(axis=1), LEVEL) for name in pnl.columns])


def var_loop(values: np.ndarray) -> np.ndarray:
    "The best plain loop: the book less a column, one order statistic each."
    losses, rank = -values.sum(axis=1), SCENARIOS - 1 - round(SCENARIOS * (1 - LEVEL))
    return np.partition(losses, rank)[rank] - np.array([np.partition(losses + column, rank)[rank] for column in np.ascontiguousarray(values.T)])


def es_loop(values: np.ndarray) -> np.ndarray:
    "The same for the mean of the worst."
    losses, k = -values.sum(axis=1), round(SCENARIOS * (1 - LEVEL))
    worst = lambda x: np.partition(x, SCENARIOS - k)[SCENARIOS - k :].mean()
    return worst(losses) - np.array([worst(losses + column) for column in np.ascontiguousarray(values.T)])


def incremental(returns: pd.DataFrame, weights: np.ndarray):
    pnl = returns * weights
    values = pnl.to_numpy()
    for name, ours, measure, loop in (("VaR", incremental_var, value_at_risk, var_loop), ("ES", incremental_es, expected_shortfall, es_loop)):
        found = ours(returns, weights, LEVEL)["incremental"].to_numpy()
        book = values.sum(axis=1)
        exact = measure(book, LEVEL) - np.array([measure(book - values[:, k], LEVEL) for k in range(POSITIONS)])
        gap = max(np.abs(found - other).max() for other in (exact, loop(values), drop_loop(pnl, measure))) / measure(book, LEVEL)
        assert gap < 1e-12, gap
        times = by_turns({
            f"incremental_{name.lower()}": lambda: cpu(lambda: [ours(returns, weights, LEVEL) for _ in range(10)]) / 10,
            "NumPy loop": lambda: cpu(lambda: loop(returns.to_numpy() * weights)),
            "pandas loop, drop a column": lambda: cpu(lambda: drop_loop(pnl, measure)),
        }, ROUNDS)
        print_table(f"Incremental {name}, {POSITIONS:,} positions, {SCENARIOS:,} scenarios", times, f"incremental_{name.lower()}", f"Largest difference, as a share of the book's {name}: {gap:.0e}.")
        first = times[f"incremental_{name.lower()}"]
        yield times["pandas loop, drop a column"] / first, times["NumPy loop"] / first


# Monte Carlo


def monte_carlo() -> float:
    rng = np.random.default_rng(0)
    B = rng.normal(0, 0.01, (ASSETS, 20))
    S = B @ B.T + np.diag(rng.uniform(0.005, 0.02, ASSETS) ** 2)
    draw = {"sample_scenarios": lambda: sample_scenarios(S, DRAWS, 1), "Generator.multivariate_normal": lambda: np.random.default_rng(1).multivariate_normal(np.zeros(ASSETS), S, DRAWS)}
    weights = rng.normal(0, 1, ASSETS)
    sigma = np.sqrt(weights @ S @ weights)
    for name, one in draw.items():  # the same law, by the moments of a book and by the covariances of all pairs
        x = one()
        z = (x @ weights.astype(x.dtype)).astype(float) / sigma
        assert abs(z.mean()) < 5 / np.sqrt(DRAWS) and abs((z**2).mean() - 1) < 5 * np.sqrt(2 / DRAWS) and abs((z**4).mean() - 3) < 5 * np.sqrt(96 / DRAWS), name
        off = (x.T @ x).astype(float) / DRAWS - S
        error = np.sqrt((np.outer(np.diag(S), np.diag(S)) + S**2) / DRAWS)
        assert np.abs(off / error).max() < 6.5, name
    times = by_turns({name: lambda one=one: cpu(one) for name, one in draw.items()}, ROUNDS)
    print_table(f"Monte Carlo, {DRAWS:,} scenarios of {ASSETS} assets", times, "sample_scenarios", "Means, variances, kurtosis of a book and all covariances lie within sampling error in both.")
    return times["Generator.multivariate_normal"] / times["sample_scenarios"]


# The bridge


def evenings(rng) -> tuple:
    "Two states with a refit between them and nothing in common, and their laws[day][side]."
    names = pd.Index([f"A{i:03d}" for i in range(ASSETS)])
    draw = lambda: MarketLaw(names, rng.normal(0, 1e-4, ASSETS), rng.uniform(0.005, 0.03, ASSETS), ranked(rng.standard_t(4, (SCENARIOS, ASSETS))))
    laws = [[draw(), draw()], [draw(), draw()]]
    books = [pd.Series(rng.normal(0, 1e6, ASSETS), names) for _ in range(2)]
    before = BridgeState(books[0], laws[0][0], "fhs", 1, through={2: laws[0][1]})
    return before, BridgeState(books[1], laws[1][1], "fhs", 2, through={1: laws[1][0]}), laws


def bridge_loop(before, after, laws) -> np.ndarray:
    "VaR and ES of all 32 books, each composed and revalued whole, (2,) * 5 + (2,)."
    books, whole = [s.held.to_numpy() for s in (before, after)], int(SCENARIOS * (1 - LEVEL) + 1e-9)
    found = np.empty((2,) * 5 + (2,))
    for p, v, c, t, w in product((0, 1), repeat=5):
        z = np.take_along_axis(laws[t][w].pool.quantiles, laws[c][w].pool.ranks, 1).T
        losses = np.sort(-((laws[v][w].mean + laws[v][w].vol * z) @ books[p]))[::-1]
        found[p, v, c, t, w] = losses[whole], losses[:whole].mean()
    return found


def bridge_ratio(rounds: int = ROUNDS) -> dict:
    "Seconds of 32 revaluations and of the plain loop, and their ratio; prints the table."
    before, after, laws = evenings(np.random.default_rng(0))
    ours = lambda: switch_values(before, after, [LEVEL], ["value_at_risk", "expected_shortfall"])[2][..., 0]
    gap = np.abs(ours() / bridge_loop(before, after, laws) - 1).max()
    assert gap < 1e-10, gap
    times = by_turns({"32-switch bridge": lambda: cpu(ours), "numpy, 32 full revaluations": lambda: cpu(lambda: bridge_loop(before, after, laws))}, rounds)
    note = f"Largest relative difference of a value: {gap:.0e}. The bridge may take 1 s."
    print_table(f"Bridge of {ASSETS} assets, {SCENARIOS:,} scenarios, VaR and ES, a refit between the evenings", times, "32-switch bridge", note)
    seconds, plain = times.values()
    assert seconds <= 1, seconds
    return {"seconds": seconds, "loop": plain, "ratio": plain / seconds}


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    market = rng.standard_t(4, (SCENARIOS, 1)) * 0.01
    returns = pd.DataFrame(market * rng.uniform(0.5, 1.5, POSITIONS) + rng.standard_t(5, (SCENARIOS, POSITIONS)) * 0.015, columns=[f"asset {k}" for k in range(POSITIONS)])
    ratios = list(incremental(returns, rng.normal(1e5, 2e5, POSITIONS)))
    speed, bridge = monte_carlo(), bridge_ratio()
    assert all(pandas >= 100 and plain >= 2 for pandas, plain in ratios), ratios
    assert speed >= 2.5, speed
    assert bridge["seconds"] <= 1, bridge
