"Published numbers of backtests of durations, quantiles and PITs; and planted faults that must be found."


import numpy as np
import pandas as pd
import pytest
from goldens import golden, planted
from scipy import stats

from risk_analytics_lib.risk import backtests_durations, backtests_pit, backtests_quantile


@pytest.fixture
def published():
    "4,527 days of returns with signed forecasts of their 2.5 % quantile."
    return golden("esback_risk_forecasts.csv")


# Durations


def first_on_day_58(room=backtests_durations):
    result = room.kupiec_tuff(np.isin(np.arange(1043), [57, 90]), 0.95)
    assert result.statistic == pytest.approx(1.7354, abs=5e-5)
    assert result.pvalue == pytest.approx(0.18773, abs=5e-6)


def test_mathworks_first_failure():
    first_on_day_58()


def test_mathworks_degrees_of_freedom():
    hits = np.random.default_rng(0).permutation(np.arange(1043) < 57)
    for test, statistic, pvalue, extra in ((backtests_durations.haas_tbfi, 88.491, 0.0047475, 0), (backtests_durations.haas_tbf, 88.952, 0.0055565, 1)):
        result = test(hits, 0.95)
        assert result.df == 57 + extra
        assert stats.chi2(result.df).sf(statistic) == pytest.approx(pvalue, abs=1e-6)
        assert result.pvalue == pytest.approx(stats.chi2(result.df).sf(result.statistic), abs=1e-12)
    assert result.detail["POF"] == pytest.approx(88.952 - 88.491, abs=1e-3)


def test_rugarch_durations(published):
    result = backtests_durations.weibull_duration(published.r < published.q, 0.975)
    assert result.detail["shape"] == pytest.approx(0.684301254, abs=1e-3)
    assert result.detail["loglik"] == pytest.approx(-649.629855, abs=1e-3)
    assert result.detail["loglik_null"] == pytest.approx(-674.652770, abs=1e-3)
    assert result.statistic == pytest.approx(2 * (674.652770 - 649.629855), abs=2e-3) and result.rejected


# The dynamic quantile test: no published number could be read; GAS' formula written out stands in for one


def as_in_gas(room=backtests_quantile):
    rng, a, n = np.random.default_rng(1), 0.025, 1000
    var, hits = 0.02 + 0.01 * rng.random(n), rng.random(n) < 0.04
    hits[[1, -1]] = True  # ends count
    h = hits - a
    x = np.column_stack([np.ones(n - 4), var[4:], *(h[k : n - 4 + k] for k in range(4))])
    statistic = h[4:] @ x @ np.linalg.pinv(x.T @ x) @ x.T @ h[4:] / (a * (1 - a))
    result = room.dynamic_quantile(hits, var, 1 - a)
    assert result.statistic == pytest.approx(statistic, rel=1e-9) and result.df == 6
    assert result.pvalue == pytest.approx(stats.chi2(6).sf(statistic), abs=1e-12)


def test_dynamic_quantile_as_in_gas():
    as_in_gas()


@pytest.mark.parametrize("days", [1, 2, 10, 11, 30, 99, 250])
def test_every_sequence_has_an_answer(days):
    at = np.arange(days)
    for hits in (at < 0, at >= 0, at == days - 1, at == 0, at % 2 == 0, at < days // 2 - 1, (at == 1) | (at == days - 1)):
        results = [getattr(backtests_durations, t)(hits, 0.99) for t in ("kupiec_tuff", "haas_tbfi", "haas_tbf", "weibull_duration", "gmm_duration")]
        results += [backtests_quantile.dynamic_quantile(hits, var, 0.99) for var in (0.02, 0.02 + 0.01 * np.sin(at))]
        for r in results:
            if np.isnan(r.statistic):
                assert r.rejected is None and r.note and np.isnan(r.pvalue)
            else:
                assert 0 <= r.pvalue <= 1 and 0 < r.pvalue_exact <= 1 and r.size_exact <= 0.05 + 1e-9
            assert r.finding and r.plain and len(r.to_frame()) == 1


# PITs


def berkowitz_as_in_statsmodels(room=backtests_pit):
    from statsmodels.tsa.arima.model import ARIMA

    z = np.random.default_rng(2).standard_normal(400)
    z[1:] = 0.1 + 0.3 * z[:-1] + z[1:]
    result = room.berkowitz(stats.norm.cdf(z))
    free, null = ARIMA(z, order=(1, 0, 0)).fit(), stats.norm.logpdf(z).sum()
    assert result.statistic == pytest.approx(2 * (free.llf - null), abs=1e-4)
    assert [result.detail["mean"], result.detail["autocorrelation"]] == pytest.approx(free.params[:2], abs=1e-3)


def tail_as_by_simplex(room=backtests_pit):
    from scipy.optimize import minimize

    z, q = 1.3 * np.random.default_rng(3).standard_normal(500), stats.norm.ppf(0.025)

    def loss(p):
        return -stats.norm.logpdf(z[z < q], p[0], np.exp(p[1])).sum() - (z >= q).sum() * stats.norm.logsf(q, p[0], np.exp(p[1]))

    known = minimize(loss, [0, 0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000})
    assert room.berkowitz_tail(stats.norm.cdf(z), 0.975).statistic == pytest.approx(2 * (loss([0, 0]) - known.fun), abs=1e-5)


def hong_li_as_in_rugarch(room=backtests_pit):
    "HLTest of rugarch, written out in numpy; its own quadrature has twelve nodes."
    u = np.random.default_rng(9).random(200)
    x, w = np.polynomial.legendre.leggauss(12)
    x, w, h = (x + 1) / 2, w / 2, u.std(ddof=1) * 200 ** (-1 / 6)

    def inside(b):
        return 15 / 16 * (b - 2 * b**3 / 3 + b**5 / 5)

    rows = 15 / 16 * np.maximum(1 - ((x[:, None] - u) / h) ** 2, 0) ** 2 / h
    rows /= (inside(np.minimum((1 - x) / h, 1)) - inside(np.maximum(-x / h, -1)))[:, None]
    variance, edge = 2 * (50 / 49 - 300 / 294 + 1950 / 1960 - 900 / 1568 + 450 / 2304) ** 2, 0.9198592726600998
    q = [w @ (rows[:, j:] @ rows[:, :-j].T / (200 - j) - 1) ** 2 @ w for j in (1, 2, 3, 4)]
    centre = ((1 / h - 2) * 5 / 7 + 2 * edge) ** 2 - 1
    expected = [((200 - j) * h * m - h * centre) / np.sqrt(variance) for j, m in zip((1, 2, 3, 4), q)]
    assert room.hong_li_q(u[None], 4, nodes=12)[0] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("check", [berkowitz_as_in_statsmodels, tail_as_by_simplex, hong_li_as_in_rugarch])
def test_pit_statistics(check):
    check()


def exact_zero_is_moved(room=backtests_pit):
    u = np.r_[0.0, 1.0, np.random.default_rng(4).uniform(0.1, 0.9, 198)]
    assert room.as_pit(u)[0][:2].tolist() == [1 / 201, 200 / 201]
    for result in (room.berkowitz(u), room.berkowitz_tail(u, 0.99), room.hong_li(u)):
        assert np.isfinite(result.statistic) and "2 PITs of exactly 0 or 1" in result.note


def test_pit_at_the_edges():
    exact_zero_is_moved()


@pytest.mark.parametrize("days", [1, 2, 3, 4, 9, 10, 33, 34, 99])
def test_every_pit_has_an_answer(days):
    at = np.arange(days)
    for u in (np.full(days, 0.5), (at * 0.618) % 1, at % 2.0, np.where(at == days - 1, np.nan, 0.3)):
        for r in (backtests_pit.berkowitz(u), backtests_pit.berkowitz_tail(u, 0.99), backtests_pit.hong_li(u)):
            if np.isnan(r.statistic):
                assert r.rejected is None and r.note
            else:
                assert 0 <= r.pvalue <= 1 and 0 < r.pvalue_exact <= 1 and r.size_exact <= 0.05 + 1e-9
            assert r.finding and r.plain


# Planted faults: a copy of the module with one line changed must fail the check that the module passes


def shape_of_censored_spells(room):
    many = np.random.default_rng(4).random((1, 2000)) < 0.02
    at = np.flatnonzero(many[0]) + 1
    data = stats.CensoredData(uncensored=np.diff(at), right=[at[0], 2000 - at[-1]])
    assert room.weibull_shape(many)[0][0] == pytest.approx(stats.weibull_min.fit(data, floc=0)[0], abs=2e-3)


def last_spell_is_counted(room):
    assert room.spells(np.array([[0, 1, 0, 0, 1, 0, 0]], bool)).last.tolist() == [2]


def moments_are_orthonormal(room):
    d, a = np.arange(1, 20_000.0), 0.025
    m = room.geometric_moments(d, a, 4)
    assert m * (a * (1 - a) ** (d - 1)) @ m.T == pytest.approx(np.eye(4), abs=1e-8)


def first_spell_is_in(room):
    hits = np.isin(np.arange(250), [57, 200])
    assert room.haas_tbfi(hits, 0.95).statistic == pytest.approx(1.735355 + float(room.lr_spell(143, 0.05)), abs=1e-6)


FAULTS = [
    (backtests_durations, "xlogy(n - 1, (1 - 1 / n) / (1 - rate))", "xlogy(n, (1 - 1 / n) / (1 - rate))", first_on_day_58),
    (backtests_durations, "np.where(known, cut.hits - 1.0, 1.0)", "np.where(known, cut.hits + 1.0, 1.0)", shape_of_censored_spells),
    (backtests_durations, "hits[:, ::-1].argmax(axis=1), hits", "hits[:, ::-1].argmax(axis=1) + 1, hits", last_spell_is_counted),
    (backtests_durations, "rate * (j - days + 1)", "rate * (j - days)", moments_are_orthonormal),
    (backtests_quantile, "one[:, 0] - n * rate, level[:, 0]", "one[:, 0] - n * rate, level[:, 1]", as_in_gas),
    (backtests_quantile, "inside = also & (day + j >= lags)", "inside = also & (day + j >= 0)", as_in_gas),
    (backtests_pit, "+ np.log1p(-(rho**2)) - n) / 2", "- n) / 2", berkowitz_as_in_statsmodels),
    (backtests_pit, "theta * one - k * delta + sums[-1] * h", "theta * one - k * delta", tail_as_by_simplex),
    (backtests_pit, "2 * EDGE) ** 2 - 1", "2 * EDGE) ** 2", hong_li_as_in_rugarch),
    (backtests_pit, "low, high, inside = u == 0,", "low, high, inside = u < 0,", exact_zero_is_moved),
    (backtests_durations, "len(cut.hits)) + lr_spell(np.maximum(cut.first, 1), rate)", "len(cut.hits))", first_spell_is_in),
]


@pytest.mark.parametrize("module, old, new, check", FAULTS, ids=[f"{m.__name__.split('.')[-1]}-{c.__name__}" for m, _, _, c in FAULTS])
def test_planted_fault_is_found(module, old, new, check):
    check(module)
    with pytest.raises(AssertionError):
        check(planted(module, old, new))
