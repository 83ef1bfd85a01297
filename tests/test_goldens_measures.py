"Published numbers of measures, of the Acerbi-Szekely tests and of the liquidity-horizon formula, to their printed digits."

import numpy as np
import pandas as pd
import pytest
from goldens import golden, planted

from risk_analytics_lib.risk import backtests_es, backtests_shortfall, measures, measures_entropic, measures_moments, scoring
from risk_analytics_lib.risk.exposure import component_es, component_var
from risk_analytics_lib.risk.frtb import LIQUIDITY_HORIZONS, liquidity_horizon_es, multiplier
from risk_analytics_lib.utils.distributions import LocationScale
from risk_analytics_lib.utils.laws import Normal, StudentT


@pytest.fixture(scope="module")
def forecasts():
    "4,527 days of returns, VaR and ES at 97.5 % (R's esback): positive losses."
    data = golden("esback_risk_forecasts.csv")
    return data["r"], -data["q"], -data["e"]


@pytest.fixture(scope="module")
def funds():
    "The first five hedge-fund indices of R's PerformanceAnalytics, 293 months."
    return golden("edhec.csv").iloc[:, 1:6]


def test_acerbi_szekely_and_scores(forecasts):
    "B20: Z1, Z2, mean FZ0 and mean tick loss at a tail probability of 0.025."
    assert backtests_es.acerbi_szekely_z1(*forecasts, 0.975).statistic == pytest.approx(-0.048040168, abs=1e-8)
    assert backtests_es.acerbi_szekely_z2(*forecasts, 0.975).statistic == pytest.approx(-0.435354327, abs=1e-8)
    assert scoring.fz0_loss(*forecasts, 0.975).mean() == pytest.approx(1.141532918, abs=1e-8)
    assert scoring.tick_loss(*forecasts[:2], 0.975).mean() == pytest.approx(0.083684218, abs=1e-8)


def test_these_forecasts_are_rejected(forecasts):
    "155 hits where 113 are expected: Z2 rejects under the normal and under t5; Z1 takes the count as given, and the fatter tail excuses more."
    tests = (backtests_es.acerbi_szekely_z1, backtests_es.acerbi_szekely_z2)
    found = {law: [t(*forecasts, 0.975, law) for t in tests] for law in (Normal(), StudentT(5.0))}
    assert all(z2.rejected and z2.detail["hits"] == 155 for _, z2 in found.values())
    assert found[Normal()][0].pvalue < found[StudentT(5.0)][0].pvalue


@pytest.mark.parametrize("law, critical", [(Normal(), -0.34639), (StudentT(3.0), -0.42986)], ids=["normal", "t3"])
def test_mathworks_critical_values(law, critical):
    "B18: the 1 % critical value of Z2 for 1,966 days at 97.5 %, simulated."
    found = backtests_es.acerbi_szekely_z2(np.zeros(1966), 1.0, 1.0, 0.975, law, significance=0.01, simulations=50_000)
    assert found.detail["critical"] == pytest.approx(critical, rel=0.03)


@pytest.mark.parametrize("level, var, es", [(0.975, 1.959963985, 2.337802792), (0.99, 2.326347874, 2.665214220)])
def test_normal_measures(level, var, es):
    "E01: of the law, and of a sample of two points with mean 0 and standard deviation 1."
    law = LocationScale(np.zeros(1), np.ones(1), Normal())
    assert law.value_at_risk(level)[0] == pytest.approx(var, abs=1e-9) and law.expected_shortfall(level)[0] == pytest.approx(es, abs=1e-9)
    assert measures.value_at_risk([-1.0, 1.0], level, "normal") == pytest.approx(var, abs=1e-9)
    assert measures.expected_shortfall([-1.0, 1.0], level, "normal") == pytest.approx(es, abs=1e-9)


@pytest.mark.parametrize("level, published", [
    (0.975, (5.039583061, 3.993557023, 3.521577332, 3.256151097)), (0.99, (7.003082036, 5.220584194, 4.452429112, 4.032527680)),
])
def test_student_shortfall(level, published):
    "E02: ES of the plain t with 3, 4, 5 and 6 degrees of freedom; our t has variance one."
    found = [LocationScale(np.zeros(1), np.array([np.sqrt(nu / (nu - 2))]), StudentT(nu)).expected_shortfall(level)[0] for nu in (3.0, 4.0, 5.0, 6.0)]
    assert found == pytest.approx(published, abs=1e-8)


def test_value_at_risk_of_performance_analytics(funds):
    "E11: historical, gaussian and modified, with the population standard deviation."
    historical = measures.value_at_risk(funds, 0.95, "linear")
    assert historical.to_numpy() == pytest.approx([0.01506, 0.03148, 0.01978, 0.04232, 0.00836], abs=1e-8)
    assert measures.value_at_risk(funds.iloc[:, 0], 0.95, "normal") == pytest.approx(0.02173214, abs=1e-8)
    with pytest.warns(UserWarning, match="Convertible Arbitrage: skewness and kurtosis are outside the domain of Cornish-Fisher"):
        assert measures.value_at_risk(funds.iloc[:, 0], 0.95, "modified") == pytest.approx(0.02568389, abs=1e-8)


def test_the_divisor_is_no_detail(funds):
    "E11: with the divisor T - 1 the gaussian number of PerformanceAnalytics is missed in its third digit."
    assert abs(measures.value_at_risk(funds.iloc[:, 0], 0.95, "normal", ddof=1) - 0.02173214) > 2e-5


def test_expected_shortfall_of_performance_analytics(funds):
    "E12: historical and gaussian, convertible arbitrage."
    fund = funds.iloc[:, 0]
    assert measures.expected_shortfall(fund, 0.95, "linear") == pytest.approx(0.03878, abs=1e-9)
    assert measures.expected_shortfall(fund, 0.95, "normal") == pytest.approx(0.02872442192, abs=1e-9)


def test_modified_components_of_performance_analytics(funds):
    "E14: modified VaR and ES of the equally weighted book; the components sum to what `risk.measures` says of it."
    book = funds.mean(axis=1).rename("book")
    for component, measure, published in (
        (component_var, measures.value_at_risk, 0.02075647331), (component_es, measures.expected_shortfall, 0.04189713176),
    ):
        whole = measure(book, 0.95, "modified", ddof=1)
        parts = component(funds, [0.2] * 5, 0.95, method="modified")["component"]
        assert [whole, parts.sum()] == pytest.approx([published] * 2, abs=1e-8)


@pytest.mark.parametrize("horizon, factor", [(10, 1.0), (20, np.sqrt(2)), (40, 2.0), (60, np.sqrt(6)), (120, 3.464101615)])
def test_liquidity_horizons(horizon, factor):
    "P04: all factors on one horizon scale the ten-day ES by the square root of its length over ten days."
    pnl = pd.DataFrame(np.random.default_rng(1).standard_normal((400, 3)), columns=["a", "b", "c"])
    ten = measures.expected_shortfall(pnl.sum(axis=1), 0.975)
    assert liquidity_horizon_es(pnl, horizon) / ten == pytest.approx(factor, abs=1e-9)
    assert liquidity_horizon_es(pnl, dict.fromkeys("abc", horizon)) / ten == pytest.approx(np.sqrt(horizon / LIQUIDITY_HORIZONS[0]), abs=1e-12)


def test_multipliers():
    "MAR99 and the Committee's table of 1996."
    assert [multiplier(x) for x in range(11)] == [1.5, 1.5, 1.5, 1.5, 1.5, 1.70, 1.76, 1.83, 1.88, 1.92, 2.0]
    assert [multiplier(x, "1996") for x in range(11)] == [3, 3, 3, 3, 3, 3.4, 3.5, 3.65, 3.75, 3.85, 4]


# Faults planted in the source must be found by a check that the source passes


def one_of_two(room):
    "EVaR of 3 losses of 1 among 1,000 outcomes is the weight whose relative entropy to 0.3 % is -ln 1 %."
    q, found = 0.003, room.entropic_value_at_risk(-np.r_[np.ones(3), np.zeros(997)], 0.99)
    assert found * np.log(found / q) + (1 - found) * np.log((1 - found) / (1 - q)) == pytest.approx(-np.log(0.01), abs=1e-9)


def falling_quantiles(room):
    assert not room.cornish_fisher_domain(15.0, 279.0)


def sign_of_z2(room):
    assert room.acerbi_szekely_z2([-4.0, 0.0], 2.0, 2.5, 0.9).statistic == pytest.approx(1 - 1.6 / 0.2, abs=1e-12)


def test_few_draws_are_no_zero():
    assert backtests_es.acerbi_szekely_z2([-400.0, 0.0], 2.0, 2.5, 0.9, simulations=100).pvalue == pytest.approx(1 / 101, abs=1e-12)


FAULTS = [
    (measures_entropic, "np.log(1 - level)", "np.log(level)", one_of_two),
    (measures_entropic, "- np.log(total)", "+ np.log(total)", one_of_two),
    (measures_moments, "& (curve >= 0)", "", falling_quantiles),
    (backtests_shortfall, "1 - ratio.sum() / (n * (1 - level))", "ratio.sum() / (n * (1 - level)) - 1", sign_of_z2),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("module, old, new, check", FAULTS, ids=[f"{c.__name__}-{i}" for i, (_, _, _, c) in enumerate(FAULTS)])
def test_planted_fault_is_found(module, old, new, check):
    check(module)
    with pytest.raises(AssertionError):
        check(planted(module, old, new))
