"Published numbers of backtests of ES; and planted faults that must be found."

import types

import numpy as np
import pytest
from goldens import golden, planted
from scipy import stats

from risk_analytics_lib.risk import backtests_calibration, backtests_residuals, backtests_shortfall, backtests_violations, evalues
from risk_analytics_lib.utils.laws import Normal, StudentT

A, Q = 0.025, stats.norm.ppf(0.975)
E = stats.norm.pdf(Q) / A


@pytest.fixture
def published():
    "4,527 days of returns with signed forecasts of their 2.5 % quantile and ES, from the R package esback."
    return golden("esback_risk_forecasts.csv")


def market(n=500, seed=1, factor=1.0):
    vol = 0.01 * np.exp(0.5 * np.sin(np.arange(n) / 40))
    return factor * vol * np.random.default_rng(seed).standard_normal(n), vol


def test_exceedance_residuals_of_rugarch(published):
    f = published
    assert backtests_residuals.mcneil_frey(f.r, -f.q, -f.e, 0.975).pvalue == pytest.approx(0.131932074, abs=1e-4)


@pytest.mark.parametrize("law, pvalue, critical", [(Normal(), 0.0054099, -0.34639), (StudentT(3.0), 0.018566, -0.42986)], ids=["normal", "t3"])
def test_critical_values_of_mathworks(law, pvalue, critical):
    one = np.r_[-1.38265 * 1966 * A, np.zeros(1965)]  # one loss that alone gives Z2 = -0.38265 where ES is 1
    test = backtests_shortfall.acerbi_szekely_z2(one, 0.9, 1.0, 0.975, law, significance=0.01)
    assert test.statistic == pytest.approx(-0.38265, abs=1e-12)
    null = np.concatenate([backtests_shortfall._null_law(1966, None, 0.975, law, 50_000, seed) for seed in range(3)])
    assert np.quantile(null, 0.01) == pytest.approx(critical, rel=0.1) and (null <= test.statistic).mean() == pytest.approx(pvalue, rel=0.1)


@pytest.mark.parametrize("level, mean, spread, pvalue", [(0.95, 0.028821, 0.0028565, 0.181), (0.975, 0.015998, 0.0020394, 0.086278), (0.99, 0.0080997, 0.0012972, 0.016871)])
def test_unconditional_violations_of_mathworks(level, mean, spread, pvalue):
    "Mean violation, its deviation and the p-value of a t(10) model over 1,966 days."
    pit = np.full(1966, 0.5)
    pit[:100] = (1 - level) * (1 - mean * 19.66)
    test = backtests_violations.du_escanciano_u(pit, level, simulations=100)
    assert test.statistic * spread == pytest.approx(mean - (1 - level) / 2, abs=1e-6) and test.pvalue == pytest.approx(pvalue, abs=5e-4)


@pytest.mark.parametrize("a", [0.01, 0.025, 0.05])
def test_moments_of_a_violation(a):
    "Du and Escanciano's identity, by exact integration over a uniform PIT."
    u = (np.arange(4_000_000) + 0.5) / 4_000_000
    h = backtests_violations.violations(u, 1 - a)
    assert h.mean() == pytest.approx(a / 2, rel=1e-6) and h.var() == pytest.approx(a * (1 / 3 - a / 4), rel=1e-6)


def test_calibration_as_in_esback(published):
    "The formulas of the R package written out a second time; two-sided, where signs agree."
    f = published
    r, q, e, s, n = f.r.to_numpy(), f.q.to_numpy(), f.e.to_numpy(), f.s.to_numpy(), len(f)
    hit = r <= q
    v = np.column_stack([A - hit, e - q + hit * (q - r) / A])
    simple = n * v.mean(0) @ np.linalg.solve(v.T @ v / n, v.mean(0))
    g = (q - e) / A / s * v[:, 0] + v[:, 1] / s
    general = n * g.mean() ** 2 / (g**2).mean()
    for version, statistic, df in (("simple", simple, 2), ("general", general, 1)):
        test = backtests_calibration.nolde_ziegel(r, -q, -e, 0.975, version, vol=s, simulations=100)
        assert test.statistic == pytest.approx(statistic, rel=1e-6) and test.pvalue == pytest.approx(stats.chi2(df).sf(statistic), abs=1e-9)


# Planted faults


def residuals_have_their_sign(room):
    r, vol = market(factor=1.3)
    assert room.mcneil_frey(r, Q * vol, 1.02 * Q * vol, 0.975, vol).statistic > 2


def relative_means_relative(room):
    r, vol = market()
    both = [room.minimally_biased(k * r, k * Q * vol, k * E * vol, 0.975).statistic for k in (1, 1000)]
    assert both[0] == pytest.approx(both[1], rel=1e-9)


def quiet_days_cost_nothing(room):
    n = 400
    assert room.minimally_biased(np.zeros(n), Q, E, 0.975).statistic == pytest.approx((E - Q) / E, abs=1e-12)


def shortfall_of_ranks(room):
    even = (np.arange(1000) + 0.5) / 1000
    assert abs(room.acerbi_szekely_z3(even, 0.975).statistic) < 0.02 < -room.acerbi_szekely_z3(even**1.4, 0.975).statistic


def depth_is_counted_from_the_tail(room):
    assert room.violations(np.array([0.0, A / 2, A, 0.5]), 1 - A) == pytest.approx([1, 0.5, 0, 0], abs=1e-12)


def the_law_has_its_atom(room):
    _, cdf = room.violation_law(250, 0.975)
    assert cdf[0] == pytest.approx(0.975**250, abs=1e-9) and room.costanzino_curran(np.full(250, 0.5)).pvalue == 1.0


def correlation_points_back(room):
    pit = np.full(400, 0.5)
    pit[[100, 103, 200, 203, 300, 303]] = 0.001
    assert room.du_escanciano_c(pit, 0.975, lags=3).statistic > 5 * room.du_escanciano_c(pit, 0.975, lags=2).statistic


def too_many_hits_are_too_little_risk(room):
    r, vol = market(factor=1.3)
    assert room.nolde_ziegel(r, Q * vol, E * vol, 0.975, "simple", "one", simulations=200).rejected
    assert not room.nolde_ziegel(r / 2, Q * vol, E * vol, 0.975, "simple", "one", simulations=200).rejected


def wild_days_weigh_most(room):
    level, law, draws = 0.975, Normal(), 4000
    equal, unequal = (room._null_residuals(w, level, law, draws, 0, None) for w in (np.ones(20), np.r_[np.full(19, 0.1), 5.0]))
    assert stats.ks_2samp(equal, unequal).pvalue < 1e-6


def hits_fall_on_all_days(room):
    row, day = room.hit_days(4000, 50, 0.1, np.random.default_rng(0))
    assert np.bincount(day, minlength=50).min() > 300 and np.bincount(row, minlength=4000).var() == pytest.approx(4.5, rel=0.1)


def zero_is_the_deepest(room):
    assert room.costanzino_curran(np.r_[np.zeros(2), np.full(28, 0.5)], 0.975, simulations=100).statistic == 2.0


def nothing_is_not_correlated(room):
    assert room.du_escanciano_c(np.full(250, 0.5), 0.99, simulations=100).rejected is None
    right = np.random.default_rng(0).random((2000, 250))
    day = types.SimpleNamespace(pit=right, level=0.99)
    assert np.isnan(room._PORTMANTEAU[5](day)).mean() == pytest.approx(0.99**250, abs=0.02)


def no_hit_is_green(room):
    assert room.costanzino_curran(np.full(30, 0.5), 0.999, simulations=100).zone == "green"


def no_residual_is_no_evidence(room):
    found = [room.nolde_ziegel(np.zeros(n), 0.0213, 0.0257, p, "general", vol=0.0107, simulations=100) for n in (2, 250) for p in (0.975, 0.999)]
    assert [f.statistic for f in found] == [0.0] * 4


def bets_are_fair(room):
    loss = np.random.default_rng(0).standard_normal(400_000)
    assert room.es_evalues(loss, Q, E, 0.975).mean() == pytest.approx(1, abs=0.03) and room.var_evalues(loss, Q, 0.975).mean() == pytest.approx(1, abs=0.03)


def stakes_are_made_before(room):
    loss = np.r_[np.zeros(100), np.full(20, 0.05)]
    whole = room.e_backtest_es(-loss, 0.02, 0.03, 0.975).stakes
    assert whole.iloc[100] == 0 and whole.iloc[101] > 0


FAULTS = [
    (backtests_residuals, '((loss - day["expected_shortfall"]) / scale)[hit]', '((day["expected_shortfall"] - loss) / scale)[hit]', residuals_have_their_sign),
    (backtests_residuals, "_t_ratio(weight * _tail_excess", "_t_ratio(_tail_excess", wild_days_weigh_most),
    (backtests_residuals, "np.cumsum(gaps) - 1", "np.cumsum(gaps) // n * n", hits_fall_on_all_days),
    (backtests_residuals, "b = b / es if relative else b", "b = b", relative_means_relative),
    (backtests_residuals, "b = es - var - np.maximum", "b = es - np.maximum", quiet_days_cost_nothing),
    (backtests_shortfall, "return 1 + factor * outcome", "return 1 - factor * outcome", shortfall_of_ranks),
    (backtests_violations, "return np.maximum(a - pit, 0) / a", "return np.maximum(pit - a, 0) / a", depth_is_counted_from_the_tail),
    (backtests_violations, "at_most[0] = (1 - a) ** n", "at_most[0] = 0", the_law_has_its_atom),
    (backtests_violations, "h[:, j:] * h[:, :-j]", "h[:, 1:] * h[:, :-1]", correlation_points_back),
    (backtests_violations, "pit=np.array(pit, float)", "pit=check_pit(pit)[0]", zero_is_the_deepest),
    (backtests_violations, "np.where(depth.any(axis=1), (h**2).mean(axis=1), np.nan)", "(h**2).mean(axis=1)", nothing_is_not_correlated),
    (backtests_violations, "int(total > 0 and total >= yellow)", "int(total >= yellow)", no_hit_is_green),
    (backtests_calibration, "np.where(loss > value_at_risk, (loss - expected_shortfall) / (a * vol), 0.0)", "(expected_shortfall - value_at_risk) / (a * vol) * one + two / vol", no_residual_is_no_evidence),
    (backtests_calibration, '[-one, two] if version == "simple"', '[one, two] if version == "simple"', too_many_hits_are_too_little_risk),
    (evalues, "np.maximum(loss - value_at_risk, 0) / ((1 - level)", "np.maximum(loss, 0) / ((1 - level)", bets_are_fair),
    (evalues, "lambda t: own[:t]", "lambda t: own[: t + 1]", stakes_are_made_before),
]


@pytest.mark.parametrize("module, old, new, check", FAULTS, ids=[c.__name__ for *_, c in FAULTS])
def test_planted_fault_is_found(module, old, new, check):
    check(module)
    with pytest.raises(AssertionError):
        check(planted(module, old, new))
