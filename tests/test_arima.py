"""ARIMA, its choice of orders and ARIMA-GARCH: causal to the bit at every row, block equals step, planted leaks caught, bad input named, fallbacks stated."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics.arima import ARIMA, ARIMAGARCH, AutoARIMA
from risk_analytics_lib.econometrics.arima_likelihood import Orders, exact_loglik, expand, fit_orders
from risk_analytics_lib.econometrics.arima_model import filter_gains, run_filter
from risk_analytics_lib.utils.checks import BadArgument, BadIndex, ConstantSeries, MissingValue, NotConverged, TooShort
from risk_analytics_lib.utils.walkforward import walk_forward

N, WINDOW, REFIT = 160, 100, 20
SAID = ["mean", "vol", "value_at_risk", "expected_shortfall", "note"]


def planted(seed):
    "Returns with outliers on dates with gaps."
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2019-01-01", periods=N + 12)
    r = 0.01 * rng.standard_t(4, N)
    r[1:] += 0.3 * r[:-1]
    r[[20, 99, 100, 121, 140]] = [-0.18, 0.15, -0.2, 0.12, -0.25]
    return pd.Series(r, days.delete(rng.choice(np.arange(5, N), 12, replace=False)), name="planted")


PAST, OTHER = planted(1), pd.Series(2.5 * planted(2).to_numpy() + 0.01, planted(1).index)
QUICK = {"AR": ARIMA((1, 0, 0)), "ARMA-t": ARIMA((1, 0, 1), dist="t"), "IMA-pool": ARIMA((0, 1, 1), dist="empirical"), "trend": ARIMA((1, 0, 0), trend="ct")}
SLOW = {"airline": ARIMA((0, 1, 1), (0, 1, 1, 5)), "auto": AutoARIMA(max_p=2, max_q=2), "ARMA-GARCH": ARIMAGARCH((1, 0, 2)), "ARI-GJR-t": ARIMAGARCH((1, 1, 0), o=1, dist="t")}
MODELS = QUICK | SLOW


def spliced(t):
    "The past up to row t - 1, and another world from row t on."
    return pd.concat([PAST.iloc[:t], OTHER.iloc[t:]]).rename("planted")


def said(models, y, block=True):
    walk = walk_forward(models if isinstance(models, dict) else {"model": models}, y, n_test=N - WINDOW - 25, window=WINDOW, refit=REFIT, block=block)
    return walk.forecasts.set_index(["target", "model", "level"])[SAID]


def leak(models, rows):
    "First row whose future changes what was said by then; None where there is none."
    base = said(models, PAST)
    for t in rows:
        now, known = said(models, spliced(t)), base.index.get_level_values("target") <= PAST.index[t]
        if not base[known].equals(now[known]):
            return t
    return None


def numbers(law):
    return np.stack([law.mean, law.vol, law.value_at_risk(0.99), law.expected_shortfall(0.975)])


def test_every_t_with_real_learning():
    assert leak(QUICK, range(WINDOW, N)) is None


def test_slower_models_around_refits():
    assert leak(SLOW, [120, 141]) is None


@pytest.mark.parametrize("name", MODELS)
def test_law_of_every_row_with_parameters_fixed(name):
    "From row 0 on, those that differencing uses up included: the future may be anything, also absurd, and a row alone is the row in a block."
    model, y = MODELS[name].clone().fit(PAST), PAST.to_numpy()
    assert model.active_ is model, model.note
    whole = numbers(model._condition(y, None, 0, N))
    for t in range(N):
        for future in (OTHER.to_numpy()[t:], np.full(N - t, 1e9)):
            assert np.array_equal(numbers(model._condition(np.r_[y[:t], future], None, 0, t + 1)), whole[:, : t + 1])
        assert np.array_equal(numbers(model._condition(y[:t], None, t, t + 1))[:, 0], whole[:, t])


@pytest.mark.parametrize("name", MODELS)
def test_block_equals_step(name):
    assert said(MODELS[name], PAST).equals(said(MODELS[name], PAST, block=False))


@pytest.mark.parametrize("name", MODELS)
def test_update_equals_block(name):
    model = MODELS[name].clone().fit(PAST.iloc[:WINDOW])
    block = numbers(model._condition(PAST.to_numpy(), None, WINDOW, N))
    for i, t in enumerate(range(WINDOW, N)):
        assert np.array_equal(numbers(model.forecast())[:, 0], block[:, i])
        model.update(PAST.iloc[t : t + 1])


class KnowsToday(ARIMA):
    "The filter of row t has already seen row t."

    def _condition(self, y, X, start, stop):
        return super()._condition(np.append(y, y[-1]), X, start + 1, stop + 1)


class CentredOnAll(ARIMA):
    "The mean of whatever it is handed is taken out first."

    def _condition(self, y, X, start, stop):
        law = super()._condition(y, X, start, stop)
        return type(law)(law.mean + 1e-12 * y.mean(), law.vol, law.law)


class ValueLessError(ARIMAGARCH):
    "A forecast computed as value less error has the rounding of the value."

    def _filter(self, params, y, X=None):
        mean, variance = super()._filter(params, y, X)
        return np.r_[y - (y - mean[:-1]), mean[-1]], variance


@pytest.mark.parametrize("mutant", [KnowsToday((1, 0, 0)), CentredOnAll((1, 0, 0))], ids=["today", "centred"])
def test_planted_leak_is_caught(mutant):
    assert leak(mutant, range(WINDOW + 20, N)) is not None


def test_planted_rounding_leak_is_caught():
    model, y = ValueLessError((1, 0, 1)).fit(PAST), PAST.to_numpy()
    whole = model._condition(y, None, 0, N).mean
    assert any(model._condition(y[:t], None, t, t + 1).mean[0] != whole[t] for t in range(N))


@pytest.mark.parametrize("seed", range(20))
def test_filter_likelihood_is_the_compiled_one(seed):
    "Two derivations of one likelihood: the Kalman gains of conditioning and the recursion of learning; random orders and parameters."
    rng = np.random.default_rng(seed)
    lags = rng.integers(0, 3, 4)
    orders = Orders(int(lags[0]), 0, int(lags[1]), int(lags[2]), 0, int(lags[3]), 7 if lags[2:].any() else 0)
    arma, w = rng.uniform(-0.45, 0.45, orders.size), rng.normal(size=150)
    loglik, _, sigma2 = exact_loglik(arma, orders, w, np.empty((150, 0)))
    ar, ma = expand(arma, orders)
    gains, scales = filter_gains(ar, ma, 300)
    e, f = w - run_filter(w, ar, gains)[0][:-1], np.r_[scales, np.full(150, scales[-1])][:150]
    assert abs(loglik + 0.5 * (np.log(2 * np.pi * sigma2 * f) + e * e / (sigma2 * f)).sum()) < 1e-8


def test_several_days():
    "Row 1 of a longer forecast is tomorrow's; the law of the sum is that of the paths; bits repeat."
    for model in (MODELS["ARMA-t"].clone().fit(PAST), MODELS["ARI-GJR-t"].clone().fit(PAST)):
        assert model.forecast(3).mean[0] == model.forecast().mean[0] and model.forecast(3).vol[0] == model.forecast().vol[0]
        assert np.array_equal(model.simulate(3, 50, 7), model.simulate(3, 50, 7))
        assert np.array_equal(model.forecast(3, aggregate=True, n=500).x[0], np.sort(np.prod(1 + model.simulate(3, 500), axis=1) - 1))


@pytest.mark.parametrize("name", MODELS)
def test_stored_and_read_back(name):
    model = MODELS[name].clone().fit(PAST)
    again = type(model)._from_artifact(json.loads(json.dumps(model._to_artifact())))._resume(PAST)
    assert np.array_equal(numbers(again.forecast(2)), numbers(model.forecast(2))) and again.note == model.note


MONTHS = pd.Series(np.random.default_rng(0).normal(size=120).cumsum(), pd.date_range("2010-01-01", periods=120, freq="MS"), name="m")


@pytest.mark.parametrize("work, error, words", [
    (lambda: ARIMA().fit(MONTHS.mask(MONTHS.index == "2012-05-01")), MissingValue, "2012-05-01"),
    (lambda: ARIMA().fit(MONTHS * 0), ConstantSeries, "stale"),
    (lambda: ARIMA((0, 1, 1), (0, 1, 1, 12)).fit(MONTHS.drop(MONTHS.index[7])), BadIndex, "shifts the season"),
    (lambda: AutoARIMA(12).fit(MONTHS.drop(MONTHS.index[7])), BadIndex, "shifts the season"),
    (lambda: ARIMA((40, 0, 0)).fit(MONTHS.iloc[:60]), TooShort, "fewer lags"),
    (lambda: ARIMA((1, 0, 0), (1, 0, 0, 1)).fit(MONTHS), BadArgument, "at least 2 rows"),
    (lambda: AutoARIMA(1, D=1).fit(MONTHS), BadArgument, "12 for months"),
    (lambda: AutoARIMA(0).fit(MONTHS), BadArgument, "seasonal_period"),
    (lambda: ARIMA((1, 1, 0), trend="c").fit(MONTHS), BadArgument, "disappears"),
    (lambda: ARIMA((1, 0, 0)).fit(MONTHS.to_frame()), BadArgument, "pass a Series"),
    (lambda: ARIMA((1, 0, 0)).fit(MONTHS.iloc[::-1]), BadIndex, "sort"),
    (lambda: ARIMA((1, 0, 0)).fit(MONTHS.iloc[:20]), TooShort, "30"),
    (lambda: ARIMAGARCH((1, 0, 1), trend="ct").fit(PAST), BadArgument, "not available here"),
])  # fmt: skip
def test_bad_input_is_named(work, error, words):
    with pytest.raises(error, match=words):
        work()


def test_an_index_without_frequency_and_gaps_of_days_are_rows():
    "No frequency is asked for: the same numbers on other dates are the same model."
    loose, plain = PAST, PAST.reset_index(drop=True)
    assert loose.index.freq is None
    assert ARIMA((1, 0, 1)).fit(loose).params.equals(ARIMA((1, 0, 1)).fit(plain).params)


def test_what_cannot_be_learnt_has_a_stand_in_and_says_so(monkeypatch):
    def lost(*args, **kwargs):
        raise NotConverged("planted")

    monkeypatch.setattr("risk_analytics_lib.econometrics.arima_model.fit_orders", lost)
    flat = ARIMA((1, 0, 1)).fit(PAST)
    assert "fell back to EWMA: planted" in flat.note and flat.active_ is not flat
    with pytest.raises(NotConverged, match="planted"):
        _ = flat.params
    monkeypatch.undo()

    def only_plain(y, orders, *args, **kwargs):
        return fit_orders(y, orders, *args, **kwargs) if not orders.size else lost()

    monkeypatch.setattr("risk_analytics_lib.econometrics.arima_model.fit_orders", only_plain)
    level = ARIMA((2, 1, 1)).fit(MONTHS)
    assert "fell back to ARIMA(0,1,0): planted" in level.note and level.forecast().mean[0] == pytest.approx(MONTHS.iloc[-1], abs=1e-12)


def test_a_walk_keeps_the_last_good_parameters(monkeypatch):
    honest, learnt = ARIMA._learn, []

    def second_fails(self, y, X=None, warm=None):
        learnt.append(1)
        if len(learnt) == 2:
            raise NotConverged("planted")
        return honest(self, y, X)

    monkeypatch.setattr(ARIMA, "_learn", second_fails)
    notes = said(ARIMA((1, 0, 0)), PAST)["note"]
    assert notes.str.contains("kept: planted").any() and not notes.str.contains("EWMA").any()


def test_optima_on_the_edge_are_flagged():
    rng = np.random.default_rng(3)
    noise = pd.Series(rng.normal(size=300), name="noise")
    assert "one difference too many" in ARIMA((0, 1, 1)).fit(noise).note
    walk = ARIMA((1, 0, 0)).fit(noise.cumsum() + np.arange(300))
    assert "one more difference" in walk.note and abs(walk.params["ar[1]"]) < 1
    assert np.isfinite(walk.forecast(5).vol).all()


def test_scale_and_shift_do_not_matter():
    small, large = ARIMA((2, 0, 1)).fit(PAST), ARIMA((2, 0, 1)).fit(1e6 * PAST)
    assert np.allclose(small.params.iloc[:3], large.params.iloc[:3], atol=1e-4)
    assert large.forecast().vol[0] / small.forecast().vol[0] == pytest.approx(1e6, rel=1e-5)
    assert AutoARIMA().fit(PAST).orders == AutoARIMA().fit(1e4 * PAST).orders


def test_pmdarima_wears_the_same_face():
    pytest.importorskip("pmdarima")
    ours, theirs = AutoARIMA(d=0).fit(PAST), AutoARIMA(d=0, search="pmdarima").fit(PAST)
    assert ours.aicc <= theirs.aicc + 0.5 and type(theirs.forecast()) is type(ours.forecast())


def test_importing_the_room_is_cheap():
    code = "import sys, risk_analytics_lib.econometrics.arima; print([m for m in ('statsmodels', 'arch', 'pmdarima', 'numba', 'scipy.stats', 'plotly') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
