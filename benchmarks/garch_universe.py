"""A universe: 500 assets, 2,500 days, GJR-t refitted every 20 days; then the same on two dask workers, one of which is killed.

    python benchmarks/garch_universe.py [assets]
"""

from timing import ONE_THREAD  # isort: skip  (sets the threads before numpy starts)

import os
import resource
import signal
import sys
import threading
import time

import joblib
import numpy as np
import pandas as pd

from risk_analytics_lib.econometrics.garch import GARCH
from risk_analytics_lib.utils.walkforward import walk_forward

T, WINDOW, REFIT = 2500, 1000, 20


def universe(n):
    "GJR-t paths, decimals."
    rng, nu = np.random.default_rng(0), 6.0
    z = rng.standard_t(nu, (T, n)) * np.sqrt((nu - 2) / nu)
    level, r, var = rng.uniform(0.01, 0.03, n), np.empty((T, n)), np.ones(n)
    for t in range(T):
        r[t] = np.sqrt(var) * z[t]
        var = 0.02 + (0.03 + 0.08 * (r[t] < 0)) * r[t] ** 2 + 0.90 * var
    return pd.DataFrame(level * r, pd.bdate_range("2015-01-01", periods=T), [f"A{i:03d}" for i in range(n)])


def walk(returns, n_jobs=1):
    return walk_forward({"GJR-t": GARCH(o=1, dist="t")}, returns, n_test=T - WINDOW - REFIT, window=WINDOW, refit=REFIT, levels=0.99, n_jobs=n_jobs).forecasts


def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def on_dask(returns, kill):
    "Two local workers; one is killed when the work is under way."
    from dask.distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        pids = list(client.run(os.getpid).values())
        if kill:
            threading.Timer(3.0, os.kill, (pids[0], signal.SIGKILL)).start()
        with joblib.parallel_config(backend="dask"):
            found = walk(returns)
        now = list(client.run(os.getpid).values())
    return found, len(set(pids) - set(now))


def main(n=500):
    returns = universe(n)
    walk(returns.iloc[:, :2])  # compile
    start, cpu = time.perf_counter(), time.process_time()
    alone = walk(returns)
    fits = n * len(np.unique(np.busday_count("1970-01-01", alone["target"].to_numpy().astype("datetime64[D]")) // REFIT))
    print(f"{n} assets x {T:,} days, refit every {REFIT}: {fits:,} fits, {len(alone):,} forecasts")
    print(f"one process: {time.perf_counter() - start:.1f} s ({time.process_time() - cpu:.1f} s CPU), peak memory {memory():.2f} GiB")
    start = time.perf_counter()
    two = walk(returns, n_jobs=2)
    print(f"two processes: {time.perf_counter() - start:.1f} s, identical: {two.equals(alone)}")
    for kill in (False, True):
        start = time.perf_counter()
        found, lost = on_dask(returns, kill)
        what = f"dask, two workers, {lost} killed on the way" if kill else "dask, two workers"
        print(f"{what}: {time.perf_counter() - start:.1f} s, identical: {found.equals(alone)}")
        assert found.equals(alone) and lost == kill
    assert two.equals(alone) and ONE_THREAD


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
