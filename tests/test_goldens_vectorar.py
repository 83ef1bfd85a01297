"""Published numbers of vector autoregression (R's vars on Canada) and of spillovers (Diebold and Yilmaz 2012)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics.spillover import rolling_spillover, spillover
from risk_analytics_lib.econometrics.vectorar import VectorAR, select_lags

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden" / "data"


def golden(name):
    path = GOLDEN / name
    if not path.is_file():
        pytest.skip(f"the golden input {name} is not beside this checkout")
    return pd.read_csv(path)


@pytest.fixture(scope="module")
def canada():
    "Employment, productivity, real wage and unemployment, 84 quarters (Pfaff 2008)."
    return golden("Canada.csv")[["e", "prod", "rw", "U"]]


@pytest.fixture(scope="module")
def model(canada):
    return VectorAR(2, "ct").fit(canada)


@pytest.fixture(scope="module")
def ranges():
    "Log range volatilities of four markets, 2,771 days (Diebold and Yilmaz 2012)."
    return golden("dy2012.csv").assign(Date=lambda d: pd.to_datetime(d["Date"])).set_index("Date")


def close(found, expected, rtol=0.0, atol=0.0):
    return np.allclose(found, expected, rtol=rtol, atol=atol)


def test_estimates(model):
    "V01, relative 1e-6."
    assert close(model.loglik, -170.7264993, rtol=1e-6)
    assert close(model.coefs[0][0], [1.635734786, 0.17164925, -0.06005622, 0.27396865], rtol=1e-6)
    assert close(model.params.loc[["L1.e", "L1.prod", "L1.rw", "L1.U"], "e"], [1.635734786, 0.17164925, -0.06005622, 0.27396865], rtol=1e-6)


def test_lag_choice(canada):
    "V02, exact."
    assert select_lags(canada, 8, "ct").best == {"aic": 3, "hq": 2, "sc": 1, "fpe": 3}
    chosen = {name: VectorAR(name, "ct", max_lags=8).fit(canada).learnt_["lags"] for name in ("aic", "hq", "sc", "fpe")}
    assert chosen == {"aic": 3, "hq": 2, "sc": 1, "fpe": 3}


def test_causality(canada):
    "V03, relative 1e-5; the vignette tests a VAR(2) with a constant and a trend."
    model = VectorAR(2, "ct").fit(canada)
    f, now = model.granger("e"), model.instantaneous("e")
    assert close([f.statistic, f.pvalue], [5.768309, 1.09246e-05], rtol=1e-5) and (f.detail["df1"], f.detail["df2"]) == (6, 288)
    assert close(now.statistic, 26.1126, rtol=1e-5) and now.df == 3


def test_diagnostics(model):
    "V04, relative 1e-5."
    assert close(model.portmanteau(16, adjusted=False).statistic, 209.7443, rtol=1e-5)
    assert close(model.portmanteau(16).statistic, 236.0808, rtol=1e-5)
    assert close(model.normality().statistic, 2.46497, rtol=1e-5)
    arch = model.arch_lm(5)
    assert close(arch.statistic, 528.14, rtol=1e-5) and arch.df == 500


def test_responses(canada, model):
    "V05, absolute 1e-7."
    assert close(model.irf(2).values[:, 3, 0], [-0.19054423, -0.32475309, -0.36522890], atol=1e-7)
    assert close(model.fevd(8).values[-1, 3], [0.42770913, 0.25925704, 0.14601598, 0.16701785], atol=1e-7)


def test_generalised_spillovers(ranges):
    "V08, absolute 0.005 in per cent; the total to all printed digits."
    assert len(ranges) == 2771
    found = spillover(ranges, 4, 10)
    rows = [[88.76, 7.29, 0.35, 3.61], [10.21, 81.45, 2.73, 5.61], [0.47, 3.70, 93.69, 2.14], [5.69, 7.03, 1.55, 85.73]]
    assert close(found.table, rows, atol=0.005) and close(found.total, 12.59211307, atol=5e-9)


def test_cholesky_spillovers(ranges):
    "V10, absolute 1e-5."
    assert close(spillover(ranges, 4, 10, method="cholesky").total, 8.14413555, atol=1e-5)


@pytest.mark.parametrize("method", ["generalised", "cholesky"])
def test_one_window_of_all_rows_is_the_table(ranges, method):
    "The batched pass on the published data: one window, and windows that each agree with a fit of their own."
    whole = rolling_spillover(ranges, 4, 10, window=len(ranges), method=method)
    assert close(whole.tables[0], spillover(ranges, 4, 10, method=method).table, atol=1e-9)
    rolled = rolling_spillover(ranges, 4, 10, window=200, method=method, step=97)
    for w in range(len(rolled.index)):
        own = spillover(ranges.iloc[97 * w : 97 * w + 200], 4, 10, method=method)
        assert close(rolled.tables[w], own.table, atol=1e-10) and rolled.explosive.iloc[w] == own.explosive
