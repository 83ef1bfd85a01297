"""Published numbers of unit root and stationarity tests: R's urca and tseries, Stata, and the suites of statsmodels and arch."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics.stationarity import adf, kpss, phillips_perron

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden" / "data"


def golden(name: str) -> pd.DataFrame:
    path = GOLDEN / name
    if not path.is_file():
        pytest.skip(f"the golden input {name} is not beside this checkout")
    return pd.read_csv(path)


@pytest.fixture(scope="module")
def consumption():
    "UK real consumption, in logs (Raotbl3 of urca)."
    return golden("urca_Raotbl3.csv")["lc"]


@pytest.fixture(scope="module")
def gnp():
    "US real GNP of Nelson and Plosser, 1909 to 1970."
    return golden("urca_nporg.csv")["gnp.r"].dropna()


@pytest.fixture(scope="module")
def macro():
    from statsmodels.datasets import macrodata

    return macrodata.load_pandas().data


@pytest.mark.parametrize("trend, expected", [("ct", -2.238865433), ("c", -0.093067481), ("n", 2.408869781)])
def test_adf_of_consumption(consumption, trend, expected):
    "U01: urca's ur.df with three lags."
    assert abs(adf(consumption, trend, 3).statistic - expected) < 1e-6


def test_adf_of_changes_in_consumption(consumption):
    "U01: drift, on differences."
    assert abs(adf(consumption.diff().dropna(), "c", 3).statistic + 4.356014661) < 1e-6


def test_joint_tests_of_consumption(consumption):
    "U02: urca's phi statistics."
    trend, drift = adf(consumption, "ct", 3).joint, adf(consumption, "c", 3).joint
    found = [trend["phi2"].statistic, trend["phi3"].statistic, drift["phi1"].statistic]
    assert np.allclose(found, [3.738150721, 2.597210503, 2.880588954], rtol=0, atol=1e-6)
    assert not any(t.rejected for t in (*trend.values(), *drift.values()))


@pytest.mark.parametrize("trend, expected", [("ct", 0.3555280264), ("c", 1.496816345)])
def test_kpss_of_real_gnp(gnp, trend, expected):
    "U04: urca's ur.kpss with three lags; both beyond the table."
    found = kpss(gnp, trend, 3)
    assert abs(found.statistic - expected) < 1e-8
    assert (found.pvalue, found.bound, found.pvalue_text) == (0.01, "<=", "<= 0.0100")


def test_phillips_perron_of_real_gnp(gnp):
    "U06: three implementations that scale by different degrees of freedom; ours is arch's convention, to its digits."
    tau, rho = (phillips_perron(gnp, "ct", 3, kind=kind) for kind in ("tau", "rho"))
    assert abs(tau.statistic + 0.7803852834) < 1e-6 and abs(rho.statistic + 1.9194717679) < 1e-6
    assert abs(tau.statistic + 0.7733989965) < 0.04 and abs(rho.statistic + 1.885782606) < 0.04 and abs(rho.statistic + 1.919748) < 0.04
    assert "arch's convention" in tau.note


@pytest.mark.parametrize("trend, expected, p", [("c", 0.97505319, 0.99399563), ("ct", -1.8566374, 0.67682968), ("n", 3.5227498, None)])
def test_adf_of_output(macro, trend, expected, p):
    "U07: Stata, four lags."
    found = adf(macro["realgdp"], trend, 4)
    assert abs(found.statistic - expected) < 1e-5
    assert p is None or abs(found.pvalue - p) < 1e-5


@pytest.mark.parametrize("trend, expected", [("c", 5.0169), ("ct", 1.1828)])
def test_kpss_of_output(macro, trend, expected):
    "U08: R's tseries, three lags."
    assert abs(kpss(macro["realgdp"], trend, 3).statistic - expected) < 1e-3


def test_adf_of_inflation(macro):
    "U10: arch's suite."
    inflation = np.diff(np.log(macro["cpi"].to_numpy()))
    found = adf(inflation)
    assert found.lags == 2 and abs(found.statistic + 3.09310) < 1e-4 and abs(found.pvalue - 0.027067) < 1e-4
    without = [adf(inflation, trend, 0).statistic for trend in ("c", "n", "ct")]
    assert np.allclose(without, [-6.56880, -3.88845, -6.66705], rtol=0, atol=1e-4)
    assert abs(adf(inflation, lags=10).statistic + 2.28375) < 1e-4
