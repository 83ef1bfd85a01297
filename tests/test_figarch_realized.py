"FIGARCH and realized GARCH: nothing after t may matter at t, blocks equal steps, a plain second likelihood agrees, bad input is named."

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from risk_analytics_lib.econometrics import figarch, realized_garch
from risk_analytics_lib.econometrics.figarch import FIGARCH
from risk_analytics_lib.econometrics.realized_garch import RealizedGARCH, negative_joint_loglik
from risk_analytics_lib.utils.checks import BadArgument, BadIndex, BadScale, ConstantSeries, MissingValue, NotConverged, TooShort, decimal
from risk_analytics_lib.utils.models import RiskModel
from risk_analytics_lib.utils.learning import first_rows, refit_periods
from risk_analytics_lib.utils.walkforward import walk_forward

N, WINDOW, REFIT = 220, 100, 20
SAID = ["mean", "vol", "value_at_risk", "expected_shortfall", "note"]
MODELS = {"FIGARCH": FIGARCH(truncation=150), "FIGARCH-1-t": FIGARCH(power=1.0, dist="t", truncation=40), "RG": RealizedGARCH(), "RG-t": RealizedGARCH("t", "zero")}


def planted(seed):
    "Returns with volatility clusters, outliers and missing days, and a noisy measure of their variance."
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2019-01-01", periods=N + 15)
    days = days.delete(rng.choice(np.arange(5, N), 15, replace=False))
    vol = 0.01 * np.exp(0.4 * np.sin(np.arange(N) / 25))
    r = vol * rng.standard_t(4, N)
    r[[30, 111, 112, 205]] = [-0.18, 0.15, -0.2, 0.12]
    return pd.DataFrame({"r": r, "x": vol**2 * np.exp(0.4 * rng.standard_normal(N) + 0.1 * np.abs(r / vol))}, days)


PAST = planted(1)
OTHER = (planted(2) * [2.5, 7.0] + [0.01, 0.0]).set_axis(PAST.index)


def said(models, data, block=True):
    models = models if isinstance(models, dict) else {"model": models}
    walk = walk_forward(models, data["r"].rename("planted"), n_test=N - WINDOW - REFIT - 2, window=WINDOW, refit=REFIT, X=data[["x"]], block=block)
    return walk.forecasts.set_index(["target", "model", "level"])[SAID]


def leak(model, rows):
    "First row whose future changes what was said by then; None where there is none."
    base = said(model, PAST)
    for t in rows:
        now = said(model, pd.concat([PAST.iloc[:t], OTHER.iloc[t:]]))
        known = base.index.get_level_values("target") <= PAST.index[t]  # the law of row t uses rows before t
        if not base[known].equals(now[known]):
            return t
    return None


EVERY = range(WINDOW + REFIT + 2, N)


@pytest.fixture
def stubbed(monkeypatch):
    "Learning that costs nothing, but still depends on its window."

    def arch(model, x):
        shape = {"normal": [], "t": [7.0]}[model.dist]
        params = [x.mean(), 0.1 * x.var(), 0.2, 0.4, 0.3, *shape]
        return SimpleNamespace(params=pd.Series(params), loglikelihood=0.0, optimization_result=SimpleNamespace(message="stub"))

    def own(y, log_x, start, student, zero):
        theta = np.array([0.0 if zero else y.mean(), 0.1 * log_x.mean(), 0.6, 0.35, -0.3, 1.0, -0.1, 0.07, -0.9, 7.0])
        return theta if student else theta[:9], 0.0, "stub"

    monkeypatch.setattr(figarch, "_estimate", arch)
    monkeypatch.setattr(realized_garch, "_maximise", own)


def test_every_t_with_learning_stubbed(stubbed):
    assert leak(MODELS, EVERY) is None


def test_real_learning_around_a_refit():
    first = np.unique(first_rows(refit_periods(PAST.index, REFIT)))
    f = first[first > WINDOW + REFIT + 20][0]
    assert leak(MODELS, (f - 1, f, f + 1)) is None


def test_block_equals_step():
    by_block = said(MODELS, PAST)
    assert by_block.equals(said(MODELS, PAST, block=False))
    assert (by_block["note"] == "").all()


# planted leaks: each must be caught


class MeasuresToday(RealizedGARCH):
    "The law of t knows the measure of t, where the block offers it."

    def _condition(self, y, X, start, stop):
        early = np.vstack([X[1:], X[-1:]])
        return super()._condition(y, early, start, stop)


class CentresTheMeasure(RealizedGARCH):
    "A filter that divides the measure by its mean over all rows in sight."

    def _log_x(self, X, n):
        return np.log(X[:n, 0] / X[:, 0].mean() * 1e-4)


class ReversesMemory(FIGARCH):
    "The weights run the wrong way inside the block."

    def _filter(self, params, y, X):
        mean, variance = super()._filter(params, y[::-1], X)
        return mean, variance[::-1]


@pytest.mark.parametrize("mutant", [MeasuresToday(), CentresTheMeasure(), ReversesMemory(truncation=40)], ids=lambda m: type(m).__name__)
def test_a_planted_leak_is_caught(stubbed, mutant):
    assert leak(mutant, EVERY) is not None


def test_a_leak_shows_as_block_against_step(stubbed):
    for mutant in (CentresTheMeasure(), ReversesMemory(truncation=40)):
        assert not said(mutant, PAST).equals(said(mutant, PAST, block=False))


# a second, plain likelihood


def plain_loglik(k, y, x, start):
    "Row by row from the paper's equations, with scipy's densities."
    log_h, total = np.log(start), 0.0
    law = stats.t(k["nu"], scale=np.sqrt((k["nu"] - 2) / k["nu"])) if "nu" in k else stats.norm()
    for r, measured in zip(y, np.log(x), strict=True):
        z = (r - k.get("mu", 0.0)) / np.exp(log_h / 2)
        mean = k["xi"] + k["phi"] * log_h + k["tau1"] * z + k["tau2"] * (z**2 - 1)
        total += law.logpdf(z) - log_h / 2 + stats.norm.logpdf(measured, mean, k["sigma_u"])
        log_h = k["omega"] + k["beta"] * log_h + k["gamma"] * measured
    return total


@pytest.mark.parametrize("dist, mean", [("normal", "constant"), ("t", "zero")])
def test_a_plain_likelihood_agrees_and_has_its_maximum_there(dist, mean):
    y, x = PAST["r"].to_numpy(), PAST["x"].to_numpy()
    model = RealizedGARCH(dist, mean).fit(PAST["r"], PAST[["x"]])
    k, start = dict(model.params), model.learnt_["start"]
    best = plain_loglik(k, y, x, start)
    assert abs(model.loglik - best) < 1e-8 * abs(best)
    for name, error in model.std_errors.items():
        for step in (-0.3 * error, 0.3 * error):
            assert not plain_loglik(k | {name: k[name] + step}, y, x, start) > best


def test_the_gradient_is_that_of_the_plain_likelihood():
    y, x, n = PAST["r"].to_numpy()[:60] * 60, PAST["x"].to_numpy()[:60] * 3600, 60
    names = ["mu", "omega", "beta", "gamma", "xi", "phi", "tau1", "tau2", "sigma_u", "nu"]
    theta = np.array([0.05, -0.1, 0.5, 0.4, -0.3, 0.9, -0.1, 0.08, -0.8, 5.0])
    value = lambda p: -plain_loglik(dict(zip(names, [*p[:8], np.exp(p[8]), p[9]], strict=True)), y, x, 0.5) / n
    moves = 1e-5 * np.eye(10)
    numeric = [(8 * (value(theta + m) - value(theta - m)) - value(theta + 2 * m) + value(theta - 2 * m)) / 12e-5 for m in moves]
    found, gradient = negative_joint_loglik(theta, y, np.log(x), np.log(0.5))
    assert abs(found - value(theta)) < 1e-10
    assert np.allclose(gradient, numeric, rtol=1e-7, atol=1e-9)


# bad input


def fitted(model, r, x=None):
    return model.fit(r, x if isinstance(model, RealizedGARCH) else None)


BOTH = [FIGARCH(dist="t", truncation=200), RealizedGARCH("t")]


@pytest.mark.parametrize("model", BOTH, ids=lambda m: type(m).__name__)
def test_bad_returns_are_named(model):
    r, x = PAST["r"], PAST[["x"]]
    for bad, error in ((r * 0 + 0.01, ConstantSeries), (r.where(r.index != r.index[50]), MissingValue), (100 * r, BadScale)):
        with pytest.raises(error):
            fitted(model.clone(), bad, x)
    with pytest.raises(TooShort):
        fitted(model.clone(), r[:20], x[:20])


@pytest.mark.parametrize("model", BOTH, ids=lambda m: type(m).__name__)
def test_odd_but_possible_returns_give_finite_laws(model):
    crash = PAST["r"].copy()
    crash.iloc[150] = -0.37
    for r in (crash, PAST["r"].clip(-0.01, 0.01), pd.Series(np.random.default_rng(0).normal(0, 0.01, N), PAST.index), PAST["r"].cumsum() * 0.1):
        one = fitted(model.clone(), decimal(r), PAST[["x"]])
        far = one.forecast(5, n=500)
        assert np.isfinite(one.forecast().value_at_risk(0.99)).all() and np.isfinite(far.value_at_risk(0.99)).all()
        assert one.note_ or np.isfinite(one.loglik)


@pytest.mark.parametrize("model", BOTH, ids=lambda m: type(m).__name__)
def test_the_unit_of_returns_is_the_readers_business(model):
    one = fitted(model.clone(), PAST["r"], PAST[["x"]])
    for c in (1e-6, 1e3):
        other = fitted(model.clone(), decimal(c * PAST["r"]), c**2 * PAST[["x"]])
        assert np.allclose(other.forecast().vol, c * one.forecast().vol, rtol=1e-6)
        assert abs(other.loglik + N * np.log(c) - one.loglik) < 1e-6
        z = lambda m: m.params / m.robust_std_errors
        keep = one.params.index.drop(["omega", "xi"], errors="ignore")  # logarithms of a unit
        assert np.allclose(z(other)[keep], z(one)[keep], rtol=1e-2, equal_nan=True)  # errors from finite steps at optima that agree to 1e-6 of likelihood: 3e-3 apart on some processors


def test_a_bad_measure_is_named():
    r, x = PAST["r"], PAST[["x"]]
    for value, error, words in ((np.nan, MissingValue, "row 7"), (0.0, BadArgument, "is 0 in row 7"), (-1e-4, BadArgument, "row 7"), (np.inf, MissingValue, "row 7")):
        bad = x.copy()
        bad.iloc[7] = value
        with pytest.raises(error, match=words):
            RealizedGARCH().fit(r, bad)
    with pytest.raises(BadArgument, match="pass X"):
        RealizedGARCH().fit(r)
    with pytest.raises(BadIndex):
        RealizedGARCH().fit(r, x.iloc[1:])
    model = RealizedGARCH().fit(r[:-5], x[:-5])
    before = model.forecast().to_frame()
    with pytest.raises(BadArgument, match="fitted with X with 1 columns"):
        model.update(r[-5:])  # and the measure is forgotten
    pd.testing.assert_frame_equal(model.forecast().to_frame(), before)


def test_a_window_that_cannot_be_learnt_falls_back_and_says_so():
    stale = PAST["r"].copy()
    stale.iloc[:150] = 0.0
    for model in BOTH:
        spare = fitted(model.clone(), stale, PAST[["x"]])
        assert "fell back to EWMA" in spare.note_ and np.isfinite(spare.forecast().vol).all()
        with pytest.raises(NotConverged, match="the same number"):
            spare.params  # noqa: B018


@pytest.mark.parametrize("model", BOTH, ids=lambda m: type(m).__name__)
def test_fits_repeat_to_the_bit_and_survive_storage(model):
    one, two = (fitted(model.clone(), PAST["r"], PAST[["x"]]) for _ in range(2))
    assert one.params.equals(two.params) and (one.simulate(5, 50) == two.simulate(5, 50)).all()
    back = RiskModel._from_artifact(json.loads(json.dumps(one._to_artifact())))
    law = back._condition(one.y_, one.X_, N, N + 1)
    assert law.vol == one.forecast().vol and law.mean == one.forecast().mean
