"The bridge of a 500-asset book, 32 revaluations, VaR and ES: against a plain numpy loop that composes and revalues 32 times."

from timing import by_turns, cpu, print_table  # isort: skip  (sets the threads before numpy starts)

import sys
from itertools import product

import numpy as np
import pandas as pd

from risk_analytics_lib.risk.bridge import BridgeState, MarketLaw, ranked, switch_values

ASSETS, SCENARIOS, LEVEL = 500, 1000, 0.99
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 5


def evenings(rng) -> tuple:
    "Two states with a refit between them and nothing in common, and their laws[day][side]."
    names = pd.Index([f"A{i:03d}" for i in range(ASSETS)])
    draw = lambda: MarketLaw(names, rng.normal(0, 1e-4, ASSETS), rng.uniform(0.005, 0.03, ASSETS), ranked(rng.standard_t(4, (SCENARIOS, ASSETS))))
    laws = [[draw(), draw()], [draw(), draw()]]
    books = [pd.Series(rng.normal(0, 1e6, ASSETS), names) for _ in range(2)]
    before = BridgeState(books[0], laws[0][0], "fhs", 1, through={2: laws[0][1]})
    return before, BridgeState(books[1], laws[1][1], "fhs", 2, through={1: laws[1][0]}), laws


def loop(before, after, laws) -> np.ndarray:
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
    gap = np.abs(ours() / loop(before, after, laws) - 1).max()
    assert gap < 1e-10, gap
    times = by_turns({"32-switch bridge": lambda: cpu(ours), "numpy, 32 full revaluations": lambda: cpu(lambda: loop(before, after, laws))}, rounds)
    note = f"Largest relative difference of a value: {gap:.0e}. The bridge may take 1 s."
    print_table(f"Bridge of {ASSETS} assets, {SCENARIOS:,} scenarios, VaR and ES, a refit between the evenings", times, "32-switch bridge", note)
    seconds, plain = times.values()
    assert seconds <= 1, seconds
    return {"seconds": seconds, "loop": plain, "ratio": plain / seconds}


if __name__ == "__main__":
    bridge_ratio()
