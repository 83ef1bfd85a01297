"""Published numbers of volatility models and closed forms of the laws, to their printed digits."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics.garch import GARCH
from risk_analytics_lib.econometrics.garch_recursions import garch_variance
from risk_analytics_lib.utils.checks import decimal
from risk_analytics_lib.utils.laws import Normal, StudentT
from risk_analytics_lib.utils.models import ewma_variance

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden" / "data"


@pytest.fixture(scope="module")
def dem2gbp():
    "German mark against sterling, daily returns in percent, 1984-1991 (fGarch's dem2gbp)."
    path = GOLDEN / "dem2gbp.csv"
    if not path.is_file():
        pytest.skip("the golden input dem2gbp.csv is not beside this checkout")
    return decimal(pd.read_csv(path).iloc[:, -1].rename("DEMGBP"))


def test_fcp_benchmark(dem2gbp):
    "Fiorentini, Calzolari and Panattoni (1996): start value mean(e^2), recomputed at every mu (G01, G02)."
    model = GARCH(init="mean_square").fit(dem2gbp)
    assert np.allclose(model.params, [-0.00619041, 0.0107613, 0.153134, 0.805974], rtol=2e-5)
    assert abs(model.loglik - -1106.60788) < 1e-4


def test_start_value_is_not_a_detail(dem2gbp):
    "arch's backcast on the same data moves alpha by 5 % (G05)."
    model = GARCH(init="backcast").fit(dem2gbp)
    assert np.allclose(model.params, [-0.0060766, 0.00991424, 0.14547797, 0.81684618], rtol=1e-3)
    assert abs(model.loglik - -1104.5214) < 1e-3


def test_standard_errors_of_the_benchmark(dem2gbp):
    "Hessian and Bollerslev-Wooldridge standard errors (G03, G04)."
    model = GARCH(init="mean_square").fit(dem2gbp)
    assert np.allclose(model.std_errors, [0.00846212, 0.00285271, 0.0265228, 0.0335527], rtol=2e-3)
    assert np.allclose(model.robust_std_errors, [0.00918935, 0.00649319, 0.0535317, 0.0724614], rtol=3e-3)


def test_riskmetrics_recursion(dem2gbp):
    "lambda 0.94 from the sample variance: last and next-day variance (H02)."
    y = dem2gbp.to_numpy()
    path = ewma_variance(y, 0.94, y.var(ddof=1))
    assert np.allclose(path[-2:], [0.0821276048, 0.0939299583], rtol=0, atol=1e-9)


def test_textbook_steps():
    "Hull: EWMA with lambda 0.9 and a 2 % move; GARCH with a 1 % move (P05)."
    assert abs(np.sqrt(ewma_variance(np.array([0.02]), 0.9, 0.01**2)[-1]) - 0.0114) < 5e-5
    yesterday = garch_variance(np.array([0.01]), 2e-6, 0.13, 0.0, 0.86, (0.016**2 - 2e-6) / 0.99)
    assert abs(yesterday[0] - 0.016**2) < 1e-15 and abs(np.sqrt(yesterday[1]) - 0.0153) < 5e-5


@pytest.mark.parametrize("level, var, es", [(0.975, 1.959963985, 2.337802792), (0.99, 2.326347874, 2.665214220)])
def test_normal_var_and_es(level, var, es):
    "E01."
    law = Normal()
    assert abs(-law.ppf(1 - level) - var) < 1e-9 and abs(-law.partial(1 - level) / (1 - level) - es) < 1e-9


@pytest.mark.parametrize("level, expected", [(0.975, [5.039583061, 3.993557023, 3.521577332, 3.256151097]), (0.99, [7.003082036, 5.220584194, 4.452429112, 4.032527680])])
def test_student_es(level, expected):
    "E02: ES of the plain t, nu = 3, 4, 5, 6; our t has variance one."
    for nu, es in zip((3, 4, 5, 6), expected):
        ours = -StudentT(nu).partial(1 - level) / (1 - level) * np.sqrt(nu / (nu - 2))
        assert abs(ours - es) < 1e-8
