"Daily refits of GARCH-t and GJR-t over the last 1,000 days of the S&P 500: the walk against the usual loop."

from timing import by_turns, cpu, print_table  # isort: skip  (sets the threads before numpy starts)

import warnings

import numpy as np
from arch import arch_model
from arch.data import sp500
from multigarch import GARCH as MultiGARCH

from risk_analytics_lib.econometrics.garch import GARCH
from risk_analytics_lib.econometrics.variance_recursions import gjr_loglik
from risk_analytics_lib.utils.learning import first_rows, learn_periods, link_days, refit_periods
from risk_analytics_lib.utils.walkforward import walk_forward

WINDOW, DAYS, LEVEL, SAMPLE = 1000, 1000, 0.99, 10  # arch and multigarch work on every tenth day, times ten
returns = sp500.load()["Adj Close"].pct_change().dropna().rename("SPX")
y = returns.to_numpy()
starts = range(len(y) - DAYS - WINDOW, len(y) - WINDOW)
warnings.simplefilter("ignore")


def walked(o):
    return walk_forward(GARCH(o=o, dist="t"), returns, n_test=DAYS, window=WINDOW, refit=1, levels=LEVEL)


def by_arch(o, a):
    "Scaled to percent, as arch asks for; fit and one-day forecast."
    fit = arch_model(100 * y[a : a + WINDOW], o=o, dist="t").fit(disp="off")
    fit.forecast(horizon=1)
    p = fit.params
    return np.r_[p["mu"] / 100, p["omega"] / 1e4, p["alpha[1]"], p.get("gamma[1]", 0.0), p["beta[1]"], p["nu"]], fit.convergence_flag == 0


def by_multigarch(o, a):
    fit = MultiGARCH(o=o, dist="t", mean="constant").fit(y[a : a + WINDOW])
    fit.value_at_risk(LEVEL)
    return np.r_[y[a : a + WINDOW].mean(), fit.omega, fit.alpha, getattr(fit, "gamma", 0.0) if o else 0.0, fit.beta, fit.nu]


def loglik(theta, a, start):
    "Any estimate in one likelihood, with one start value."
    return gjr_loglik(np.ascontiguousarray(theta, float), 1, y[a : a + WINDOW], start, np.empty((8, WINDOW)), np.empty(6))


def ours(o):
    "The chain of the walk itself: parameters and start value of each day."
    model, index = GARCH(o=o, dist="t"), returns.index
    begins, found = first_rows(refit_periods(index, link_days(WINDOW))), {}
    days = range(starts[0] + WINDOW, len(y))
    for begin in np.unique(begins[list(days)]):
        firsts = [int(f) for f in range(begin, len(y)) if begins[f] == begin]
        for first, (fitted, _) in zip(firsts, learn_periods(model, returns, None, firsts, WINDOW, np.arange(len(y)), warm=True)):
            theta = fitted.learnt_["params"]
            found[first - WINDOW] = (theta if o else np.insert(theta, 3, 0.0)), fitted.learnt_["start"]
    return found


def main():
    for o, name in ((0, "GARCH-t"), (1, "GJR-t")):
        walked(o), by_multigarch(o, starts[0])  # compile
        sample = list(starts)[::SAMPLE]
        times = by_turns({
            "risk_analytics_lib: walk_forward, with its ledger": lambda: cpu(lambda: walked(o)) / DAYS,
            "arch": lambda: cpu(lambda: [by_arch(o, a) for a in sample]) / len(sample),
            "multigarch": lambda: cpu(lambda: [by_multigarch(o, a) for a in sample]) / len(sample),
        }, rounds=3)
        print_table(f"{name}, window {WINDOW:,}, refit every day, one day", times, "risk_analytics_lib: walk_forward, with its ledger")
        mine = ours(o)
        theirs = {a: by_arch(o, a) for a in sample}
        short = {a: by_multigarch(o, a) for a in sample}
        gap = np.array([loglik(*mine[a][:1], a, mine[a][1]) - loglik(theirs[a][0], a, mine[a][1]) for a in sample])
        other = np.array([loglik(*mine[a][:1], a, mine[a][1]) - loglik(short[a], a, mine[a][1]) for a in sample])
        failed = sum(not ok for _, ok in theirs.values())
        print(f"\nLog-likelihood ahead of arch, {len(sample)} days, one likelihood: least {gap.min():.6f}, median {np.median(gap):.6f}, most {gap.max():.6f}; arch failed on {failed}.")
        print(f"Ahead of multigarch (which takes the sample mean): least {other.min():.6f}, median {np.median(other):.6f}, most {other.max():.6f}.")
        assert gap.min() > -1e-4


main()
