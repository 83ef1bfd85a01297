"Exposure at size: incremental VaR and ES of 1,000 positions, and 100,000 Monte Carlo scenarios of 500 assets, each beside the loops and calls that they replace."

from timing import by_turns, cpu, print_table  # isort: skip  (sets the threads before numpy starts)

import sys

import numpy as np
import pandas as pd

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


# A bridge of 32 switches of a 500-asset book has its table here.

if __name__ == "__main__":
    rng = np.random.default_rng(0)
    market = rng.standard_t(4, (SCENARIOS, 1)) * 0.01
    returns = pd.DataFrame(market * rng.uniform(0.5, 1.5, POSITIONS) + rng.standard_t(5, (SCENARIOS, POSITIONS)) * 0.015, columns=[f"asset {k}" for k in range(POSITIONS)])
    ratios = list(incremental(returns, rng.normal(1e5, 2e5, POSITIONS)))
    speed = monte_carlo()
    assert all(pandas >= 100 and plain >= 2 for pandas, plain in ratios), ratios
    assert speed >= 2.5, speed
