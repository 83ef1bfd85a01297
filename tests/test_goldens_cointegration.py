"""Published numbers of cointegration: Danish money demand, Canada, euro-area money, Treasury yields; and tseries' po.test written out as an oracle."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics.cointegration import VECM, johansen, phillips_ouliaris

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden" / "data"


def golden(name):
    path = GOLDEN / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"the golden input {name}.csv is not beside this checkout")
    return pd.read_csv(path)


@pytest.mark.parametrize("spec", ["longrun", "transitory"])
def test_danish_money_demand(spec):
    "C01 (Johansen and Juselius 1990): eigenvalues to 1e-6, statistics to 0.005, the first relation to its printed digits."
    data = golden("urca_denmark")[["LRM", "LRY", "IBO", "IDE"]]
    found = johansen(data, lags=2, deterministic="restricted constant", seasonal=4, spec=spec)
    assert found.nobs == 53
    assert np.allclose(found.eigenvalues, [0.4331654, 0.1775836, 0.1127905, 0.0434113], rtol=0, atol=1e-6)
    assert np.allclose(found.max_eigen, [30.09, 10.36, 6.34, 2.35], rtol=0, atol=0.005)
    assert np.allclose(found.trace, [49.14, 19.06, 8.69, 2.35], rtol=0, atol=0.005)
    assert np.allclose(found.vectors["relation 1"], [1, -1.032949, 5.206919, -4.215879, -6.059932], rtol=0, atol=1e-6)


def test_danish_seasons_by_date_and_by_row():
    "With dates the season comes from the quarter, without them from the row: the same test."
    data = golden("urca_denmark")
    dated = data.set_index(pd.PeriodIndex(data["ENTRY"].str.replace(":0", "Q"), freq="Q").to_timestamp())[["LRM", "LRY", "IBO", "IDE"]]
    by_row = johansen(data[["LRM", "LRY", "IBO", "IDE"]], 2, "restricted constant", seasonal=4)
    assert np.allclose(johansen(dated, 2, "restricted constant", seasonal=4).trace, by_row.trace, rtol=1e-9)


@pytest.mark.parametrize("lags, trace", [(3, [84.92, 36.42, 18.72, 3.85]), (2, [86.11624642, 37.33303043, 15.64518674, 4.10072162])])
def test_canada(lags, trace):
    "C04 (Pfaff 2008): trend in the relation; printed to two digits for K = 3, urca's own digits for K = 2."
    data = golden("Canada")[["prod", "e", "U", "rw"]]
    found = johansen(data, lags=lags, deterministic="restricted trend")
    assert np.allclose(found.trace, trace, rtol=0, atol=0.005 if lags == 3 else 5e-8)
    assert found.rank == 1 and VECM(lags, deterministic="restricted trend").fit(data).learnt_["rank"] == 1


@pytest.mark.parametrize("test, value", [("Pz", 18.46583688), ("Pu", 0.7114256138)])
def test_euro_area_money(test, value):
    "C05 (urca ca.po): no trend term, short truncation."
    found = phillips_ouliaris(golden("urca_ecb"), test=test, trend="n")
    assert found.lags == 2 and abs(found.statistic - value) < 1e-6


def tseries_po(x, lags):
    "po.test of R's tseries, written out."
    y, X = x[:, 0], np.column_stack([x[:, 1:], np.ones(len(x))])
    u = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    now, past, n = u[1:], u[:-1], len(u) - 1
    alpha = (now @ past) / (past @ past)
    k = now - alpha * past
    short = (k @ k) / n
    whole = short + 2 / n * sum((1 - i / (lags + 1)) * (k[i:] @ k[:-i]) for i in range(1, lags + 1))
    return n * (alpha - 1) - 0.5 * n**2 * (whole - short) / (past @ past)


def test_treasury_yields():
    "C06 (tseries po.test): R's tseries::tcm, monthly yields of one and three years."
    data = pd.read_csv(Path(__file__).parent / "golden" / "tcm.csv")
    assert abs(phillips_ouliaris(data, test="Za", lags=5).statistic + 32.055482) < 1e-5


@pytest.mark.parametrize("name, columns, lags", [("urca_ecb", ["m3.real", "gdp.real", "rl"], 1), ("Canada", ["prod", "e"], 5), ("urca_denmark", ["IBO", "IDE"], 3)])
def test_z_alpha_is_that_of_tseries(name, columns, lags):
    data = golden(name)[columns]
    assert abs(phillips_ouliaris(data, test="Za", lags=lags).statistic - tseries_po(data.to_numpy(float), lags)) < 1e-8
