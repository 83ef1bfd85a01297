"""DCC against R's rmgarch 1.4-2 (D01): weekly returns of AA, AXP and BA, 1987-2009, DCC(1,1) normal, sGARCH(1,1) with constant mean."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics.dcc import DCC
from risk_analytics_lib.econometrics.dcc_estimation import CorrelationSample, correlation_loglik, correlation_targets, maximise_correlation
from risk_analytics_lib.econometrics.dcc_model import correlation_path
from risk_analytics_lib.econometrics.garch import GARCH

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden" / "data"
A, B, LOGLIK, LAST = 0.0181503615, 0.9625723, 6222.86557, [0.521724513, 0.551841550, 0.561975271]
PAIRS = ([1, 2, 2], [0, 0, 1])


def read(name, **how):
    path = GOLDEN / name
    if not path.is_file():
        pytest.skip(f"the golden input {name} is not beside this checkout")
    return pd.read_csv(path, **how)


@pytest.fixture(scope="module")
def returns():
    return read("dcc_input_dji30retw_AA_AXP_BA.csv", index_col=0, parse_dates=True)


@pytest.fixture(scope="module")
def rmgarch():
    "Conditional volatilities and correlations as rmgarch wrote them."
    return read("dcc_rmgarch_sigma.csv").to_numpy(), read("dcc_rmgarch_correlations.csv").to_numpy()


def test_from_returns_to_correlations(returns, rmgarch):
    "Everything our own: rugarch begins its variances at the mean squared residual, so does init='mean_square'."
    model = DCC(filter=GARCH(init="mean_square")).fit(returns)
    assert np.allclose(model.params, [A, B], rtol=0, atol=1e-4)
    assert abs(model.loglik - LOGLIK) < 0.05
    path = model.correlations[:, PAIRS[0], PAIRS[1]]
    assert np.abs(path - rmgarch[1])[50:].max() < 2e-3
    assert np.allclose(path[-1], LAST, rtol=0, atol=1e-3)


def test_on_the_volatilities_of_rmgarch(returns, rmgarch):
    "The correlation step alone, on rmgarch's volatilities; the means, which it did not write, are ours."
    sigma, correlations = rmgarch
    means = [GARCH(init="mean_square").fit(returns[c]).params["mu"] for c in returns]
    z = (returns.to_numpy() - means) / sigma
    params, loglik, _ = maximise_correlation(z)
    assert np.allclose(params, [A, B], rtol=0, atol=5e-5)
    assert abs(loglik - np.log(sigma).sum() - LOGLIK) < 0.005
    S, down = correlation_targets(z)
    path = correlation_path(z, S, down, params)[0][:-1, PAIRS[0], PAIRS[1]]
    assert np.abs(path - correlations)[50:].max() < 2e-3
    at_theirs = correlation_loglik(CorrelationSample(z), [A, B], slopes=False)[0].sum()
    assert 0 <= loglik - at_theirs < 1e-3
