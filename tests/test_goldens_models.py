"""Published numbers of volatility models and closed forms of the laws, to their printed digits."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from arch.data import sp500
from scipy.optimize import minimize

from risk_analytics_lib.econometrics.garch_filters import garch_variance
from risk_analytics_lib.econometrics.garch_models import APARCH, GARCH
from risk_analytics_lib.utils.checks import decimal
from risk_analytics_lib.utils.laws import Normal, StudentT
from risk_analytics_lib.utils.models import ewma_variance

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden" / "data"


def golden(name):
    "Last column of a golden input, vouched for: these are percent."
    path = GOLDEN / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"the golden input {name}.csv is not beside this checkout")
    return decimal(pd.read_csv(path).iloc[:, -1].rename(name))


@pytest.fixture(scope="module")
def dem2gbp():
    "German mark against sterling, daily returns in percent, 1984-1991 (fGarch's dem2gbp)."
    return golden("dem2gbp")


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
    assert np.allclose(model.std_errors, [0.00846212, 0.00285271, 0.0265228, 0.0335527], rtol=1e-4)
    assert np.allclose(model.robust_std_errors, [0.00918935, 0.00649319, 0.0535317, 0.0724614], rtol=1e-4)


def test_generalised_error_fit(dem2gbp):
    "fGarch's GED fit, from the same start value (G07)."
    assert abs(GARCH(dist="ged", init="mean_square").fit(dem2gbp).loglik - -1002.670239) < 1e-4


def highest(y, law, first, **held):
    "Maximum of the kernel's likelihood over alpha, beta >= 0 and nothing else: fGarch does not ask for alpha + beta <= 1."
    from risk_analytics_lib.econometrics.variance_recursions import loglik

    spec, n, grad = np.array([0, 1, 0, 1, law, 0, 0, 0]), len(y), np.empty(len(first))
    limits = [(-1, 1), (1e-6, 1), (0, 1), (0, 1), held.get("nu", (2.05, 100)), (-0.9, 0.9)][: len(first)]

    def goal(theta):
        value = loglik(theta, spec, 2.0, y, np.empty((n, 0)), np.empty(0), 0.0, 0.0, np.empty((9, n)), grad)
        return -value, -grad.copy()

    found = minimize(goal, first, jac=True, bounds=limits, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-7, "maxiter": 2000})
    return -found.fun, found.x


@pytest.mark.parametrize("dist, law, shape, published", [("t", 1, [5.0], -989.408349), ("skewt", 2, [5.0, -0.1], -985.068139)])
def test_student_fits(dem2gbp, dist, law, shape, published):
    "fGarch's t and skewed t (G07). Both end at alpha + beta = 1.009; our models stop at 1, where the likelihood is lower by less than 0.5."
    loglik, theta = highest(dem2gbp.to_numpy(), law, np.r_[0.0, 0.01, 0.12, 0.85, shape])
    assert abs(loglik - published) < 1e-3 and theta[2] + theta[3] > 1
    model = GARCH(dist=dist, init="mean_square").fit(dem2gbp)
    assert published - 0.5 < model.loglik < published and abs(model.persistence - 1) < 1e-9


def test_skewed_normal_is_a_limit(dem2gbp):
    "fGarch's skewed normal is no law of ours, but it is our skewed t of 1e8 degrees of freedom (G07)."
    loglik, _ = highest(dem2gbp.to_numpy(), 2, np.r_[0.0, 0.01, 0.12, 0.85, 1e8, -0.1], nu=(1e8, 1e8))
    assert abs(loglik - -1099.454855) < 1e-3


def test_ding_granger_engle():
    "The power model of 1993 on 17,055 days of the S&P 500, in percent, with a moving average (G09)."
    model = APARCH(mean="ma", init="mean_square").fit(decimal(100 * golden("sp500dge")))
    assert list(model.params.index) == ["mu", "theta[1]", "omega", "alpha[1]", "gamma[1]", "beta[1]", "delta"]
    assert np.allclose(model.params, [0.02059484, 0.14470809, 0.00999108, 0.08379283, 0.37417710, 0.91952587, 1.42977473], rtol=0, atol=2e-3)
    assert abs(model.loglik - -21563.40533) < 0.5


@pytest.mark.parametrize("o, params, loglik, rtol", [
    (0, [0.056353, 0.017507, 0.102150, 0.885206], -6936.718, 1e-4),
    (1, [0.017505, 0.019566, 0.0, 0.183069, 0.892236], -6822.883, 1e-3),
])
def test_arch_documentation(o, params, loglik, rtol):
    "GARCH and GJR on arch's S&P 500, 1999-2018, in percent (G10, G11)."
    returns = decimal(100 * sp500.load()["Adj Close"].pct_change().dropna())
    model = GARCH(o=o).fit(returns)
    assert np.allclose(model.params, params, rtol=rtol, atol=1e-6) and abs(model.loglik - loglik) < 1e-3


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
