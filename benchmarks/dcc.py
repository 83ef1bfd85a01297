"DCC against multigarch and pymgarch: whole estimations, margins included, and what each found in one likelihood."

from timing import by_turns, cpu, print_table  # isort: skip  (sets the threads before numpy starts)

import warnings

import numpy as np
import pandas as pd
from multigarch import DCC as MultigarchDCC
from pymgarch.marginals import MarginalSet, UnivariateSpec
from pymgarch.models import DCC as PymgarchDCC

from risk_analytics_lib.econometrics.dcc import DCC
from risk_analytics_lib.econometrics.dcc_estimation import CorrelationSample, correlation_loglik, maximise_correlation
from risk_analytics_lib.utils.datasets import load_sample

T, ROUNDS = 2500, 3
warnings.simplefilter("ignore")


def simulated(assets: int) -> pd.DataFrame:
    "GARCH volatilities and DCC correlations, decimal daily returns."
    from risk_analytics_lib.econometrics.dcc_recursions import simulate_shocks

    rng = np.random.default_rng(0)
    S = 0.35 + 0.65 * np.eye(assets)
    z = simulate_shocks(S, 0.02 * S, 0.02, 0.96, 0.0, rng.normal(size=(1, T + 500, assets)), False, True)[0]
    var, out = np.full(assets, 1e-4), np.empty_like(z)
    for t, shock in enumerate(z):
        out[t] = np.sqrt(var) * shock
        var = 2e-6 + 0.06 * out[t] ** 2 + 0.92 * var
    return pd.DataFrame(out[500:], pd.bdate_range("2010-01-01", periods=T), [f"A{i}" for i in range(assets)])


def real() -> pd.DataFrame:
    "Twenty shares of the sample data, the last 2,500 days."
    market = load_sample()
    return market.returns(assets=list(market.prices.columns[:20])).dropna().iloc[-T:]


def one_likelihood(z: np.ndarray, theirs, composite: bool) -> float:
    "Our log-likelihood less theirs on the same residuals: the peer's own, with one target and one recursion."
    sample = CorrelationSample(z, composite=composite)
    value = lambda p: correlation_loglik(sample, p, slopes=False)[0].sum()
    return value(maximise_correlation(z, composite=composite)[0]) - value(theirs)


def table(title: str, returns: pd.DataFrame, estimator: str):
    percent, composite = 100 * returns, estimator == "composite"
    ours = lambda: DCC(estimator=estimator).fit(returns)
    multi = lambda: MultigarchDCC(mean="constant", method="cl" if composite else "full", n_jobs=1, low_memory=True).fit(percent.to_numpy())
    pym = lambda: PymgarchDCC().fit(percent, compute_se=False, method=estimator)
    works = {"risk_analytics_lib": ours, "multigarch": multi, "pymgarch": pym}
    found = {name: work() for name, work in works.items()}  # compiles what has to be compiled
    times = by_turns({name: lambda work=work: cpu(work) for name, work in works.items()}, ROUNDS)
    m, p = found["multigarch"], found["pymgarch"]
    gain = {"multigarch": one_likelihood(m._std_resid, [m.a, m.b], composite), "pymgarch": one_likelihood(p.eps, p.psi[:2], composite)}
    assert min(gain.values()) > -1e-4, gain
    note = f"a and b: ours {found['risk_analytics_lib'].params.round(5).tolist()}, multigarch {[round(m.a, 5), round(m.b, 5)]}, "
    note += f"pymgarch {np.round(p.psi[:2], 5).tolist()}. Log-likelihood of our answer less theirs, same residuals, one likelihood: "
    note += ", ".join(f"{name} {value:+.6f}" for name, value in gain.items())
    print_table(title, times, "risk_analytics_lib", note + ".")


table("DCC, full likelihood, 20 shares, 2,500 days", real(), "full")
table("DCC, composite likelihood, 20 shares, 2,500 days", real(), "composite")
table("DCC, full likelihood, 20 simulated assets, 2,500 days", simulated(20), "full")
table("DCC, composite likelihood, 100 simulated assets, 2,500 days", simulated(100), "composite")
