"One fit from nothing, with several starts: ours against arch and multigarch, on simulated windows of 1,000 days."

from timing import by_turns, cpu, print_table  # isort: skip  (sets the threads before numpy starts)

import warnings

import numpy as np
import pandas as pd
from arch import arch_model
from multigarch import GARCH as MultiGARCH

from risk_analytics_lib.econometrics.garch import APARCH, EGARCH, GARCH

T, MANY = 1000, 24
CASES = {
    "GARCH-normal": (GARCH(), {}, MultiGARCH(mean="constant")),
    "GARCH-t": (GARCH(dist="t"), {"dist": "t"}, MultiGARCH(dist="t", mean="constant")),
    "GJR-t": (GARCH(o=1, dist="t"), {"o": 1, "dist": "t"}, MultiGARCH(o=1, dist="t", mean="constant")),
    "GJR-skewt": (GARCH(o=1, dist="skewt"), {"o": 1, "dist": "skewt"}, None),
    "EGARCH-t": (EGARCH(dist="t"), {"vol": "EGARCH", "o": 1, "dist": "t"}, None),
    "APARCH-t": (APARCH(dist="t"), {"vol": "APARCH", "o": 1, "dist": "t"}, None),
}
rng = np.random.default_rng(0)
days = pd.bdate_range("2015-01-01", periods=T)
warnings.simplefilter("ignore")


def simulated():
    "A GJR-t path, decimals."
    nu, var, r = 6.0, 1.0, np.empty(T)
    z = rng.standard_t(nu, T) * np.sqrt((nu - 2) / nu)
    for t in range(T):
        r[t] = 0.03 + np.sqrt(var) * z[t]
        e = r[t] - 0.03
        var = 0.02 + (0.04 + 0.1 * (e < 0)) * e * e + 0.89 * var
    return pd.Series(0.01 * r, days, name="simulated")


series = [simulated() for _ in range(MANY)]
for name, (model, peer, multi) in CASES.items():
    mine = [model.clone().fit(r) for r in series]  # compiles at the first
    theirs = [arch_model(100 * r, **peer).fit(disp="off") for r in series]
    gap = np.array([m.loglik - a.loglikelihood - T * np.log(100) for m, a in zip(mine, theirs)])
    works = {
        "risk_analytics_lib": lambda: cpu(lambda: [model.clone().fit(r) for r in series]) / MANY,
        "arch": lambda: cpu(lambda: [arch_model(100 * r, **peer).fit(disp="off") for r in series]) / MANY,
    }
    if multi is not None:
        works["multigarch"] = lambda: cpu(lambda: [multi.fit(r.to_numpy()) for r in series]) / MANY
    print_table(f"{name}, {T:,} days, {len(series)} series: fit with its checks", by_turns(works, rounds=3), "risk_analytics_lib")
    failed = sum(a.convergence_flag != 0 for a in theirs)
    print(f"\nLog-likelihood ahead of arch: least {gap.min():.6f}, median {np.median(gap):.6f}, most {gap.max():.6f}; arch did not converge on {failed}.")
