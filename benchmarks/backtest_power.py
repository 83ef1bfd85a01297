"""Size and power of every backtest, by running the whole suite on simulated forecasts: the table of nbs/explain/reading_backtests.ipynb.

    python benchmarks/backtest_power.py --paths 2000 --jobs 2

Right forecasts; losses larger by the factor that doubles the hit rate; and hits in clusters, for tests that look at order. At 250, 500 and 1,000
days, 97.5 and 99 %, with normal and t(5) outcomes on a moving volatility. Where forecasts are wrong, tests that regress get a quarter of the paths.
"""

import argparse
import itertools
import time
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from risk_analytics_lib.risk.backtests_es import matching_law
from risk_analytics_lib.risk.null_laws import clustered, doubled, right
from risk_analytics_lib.risk.suites import ES_SUITE, VAR_SUITE, deciding, run_suite, sequence_of
from risk_analytics_lib.utils.laws import Normal, StudentT

OUT = Path(__file__).resolve().parent.parent / "nbs" / "explain" / "backtest_power.csv"
WORLDS = {"right": right, "doubled": doubled, "clustered": clustered}
LAWS = {"normal": Normal(), "t5": StudentT(5.0)}
SLOW = ("dynamic_quantile", *(t for t in ES_SUITE if t.startswith("esr")))


def volatility(n: int, rng) -> np.ndarray:
    "A volatility with memory, around 1 %: log AR(1)."
    shock, x = rng.standard_normal(n), np.empty(n)
    x[0] = 0.4 * shock[0]
    for t in range(1, n):
        x[t] = 0.98 * x[t - 1] + 0.4 * np.sqrt(1 - 0.98**2) * shock[t]
    return 0.01 * np.exp(x)


def cell(n, level, law, world, paths) -> pd.DataFrame:
    "Rejections at 5 % by test: days, level, law, world, test, paths, answered, asymptotic, exact."
    suites = {"var": tuple(VAR_SUITE), "es": tuple(ES_SUITE) if world != "clustered" else ("du_escanciano_c",)}
    rng, found = np.random.default_rng([n, int(1000 * level), list(LAWS).index(law), list(WORLDS).index(world)]), []
    days = WORLDS[world](n, level, LAWS[law], paths, rng)
    for k in range(paths):
        vol = volatility(n, rng)
        rows = pd.DataFrame({"realised": vol * days.returns[k], "value_at_risk": vol * days.value_at_risk, "expected_shortfall": vol * days.expected_shortfall, "vol": vol, "pit": days.pit[k]})
        sequence = sequence_of(rows, level)
        sequence.law = LAWS[law] if law == "normal" else matching_law(rows["value_at_risk"], rows["expected_shortfall"], level)
        for suite, names in suites.items():
            found += run_suite(sequence, suite, [t for t in names if world == "right" or k < paths // 4 or t not in SLOW])
    f = pd.DataFrame(found)
    f = f.assign(exact=(deciding(f) <= 0.05).where(deciding(f).notna()), asymptotic=(f["pvalue"] <= 0.05).where(f["pvalue"].notna()), answered=f["pvalue"].notna())
    table = f.groupby("test", sort=False).agg(paths=("test", "size"), answered=("answered", "mean"), asymptotic=("asymptotic", lambda v: v.fillna(False).mean()), exact=("exact", lambda v: v.fillna(False).mean()))
    return table.reset_index().assign(days=n, level=level, law=law, world=world)


def kept(folder, n, level, law, world, paths) -> pd.DataFrame:
    "A cell from the folder, or made and put there: a run that was stopped goes on where it was."
    path = folder / f"{n}-{level}-{law}-{world}-{paths}.csv"
    if not path.exists():
        cell(n, level, law, world, paths).to_csv(path, index=False)
    return pd.read_csv(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paths", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", default=str(OUT))
    parser.add_argument("--parts", default="out/backtest_power", help="folder of finished cells")
    args = parser.parse_args()
    begun, cells, parts = time.perf_counter(), list(itertools.product((250, 500, 1000), (0.975, 0.99), LAWS, WORLDS)), Path(args.parts)
    parts.mkdir(parents=True, exist_ok=True)
    first = sorted(cells, key=lambda c: c[3] != "right")  # sizes before powers
    Parallel(n_jobs=args.jobs, verbose=10)(delayed(kept)(parts, *c, args.paths) for c in first)
    found = [kept(parts, *c, args.paths) for c in cells]
    table = pd.concat(found, ignore_index=True)[["days", "level", "law", "world", "test", "paths", "answered", "asymptotic", "exact"]]
    table.round(4).to_csv(args.out, index=False)
    print(f"{len(cells)} cells of {args.paths:,} histories in {time.perf_counter() - begun:.0f} s: {args.out}")
    print(table.pivot_table(index="test", columns=["world", "days"], values="exact", sort=False).round(3).to_string())


if __name__ == "__main__":
    main()
