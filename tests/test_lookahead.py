"""Nothing after t may change what is said at t: tried at every t, for every model, cleaner and the daily run; planted leaks must be caught."""

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics import garch
from risk_analytics_lib.risk.engines import EWMA, GARCH, FilteredHS, HistoricalSimulation
from risk_analytics_lib.utils import walkforward
from risk_analytics_lib.utils.checks import NotConverged
from risk_analytics_lib.utils.cleaning import clean_prices
from risk_analytics_lib.utils.distributions import Empirical, LocationScale
from risk_analytics_lib.utils.walkforward import walk_forward

N, WINDOW, REFIT = 300, 100, 20
SAID = ["mean", "vol", "value_at_risk", "expected_shortfall", "note"]
CHEAP = {"HS": HistoricalSimulation(), "HS-60": HistoricalSimulation(60), "EWMA": EWMA(), "EWMA-t": EWMA(dist="t"), "FHS-EWMA": FilteredHS(EWMA())}
FITTED = {"GARCH": GARCH(), "GARCH-t": GARCH(dist="t"), "GJR-t": GARCH(o=1, dist="t"), "GJR-ms": GARCH(o=1, init="mean_square"), "FHS": FilteredHS()}


def planted(seed):
    "300 returns with volatility clusters, planted outliers and missing days."
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2019-01-01", periods=N + 25)
    days = days.delete(rng.choice(np.arange(5, N), 25, replace=False))
    vol = 0.01 * np.exp(0.4 * np.sin(np.arange(N) / 25))
    r = vol * rng.standard_t(4, N)
    r[[30, 111, 112, 205, 260]] = [-0.18, 0.15, -0.2, 0.12, -0.25]
    return pd.Series(r, days, name="planted")


PAST, OTHER = planted(1), pd.Series(2.5 * planted(2).to_numpy() + 0.01, planted(1).index)


def spliced(t):
    "The past up to row t - 1, and another world from row t on."
    return pd.concat([PAST.iloc[:t], OTHER.iloc[t:]]).rename("planted")


def said(models, y, block=True):
    models = models if isinstance(models, dict) else {"model": models}
    walk = walk_forward(models, y, n_test=N - WINDOW - REFIT - 2, window=WINDOW, refit=REFIT, block=block)
    return walk.forecasts.set_index(["target", "model", "level"])[SAID]


def leak(model, rows):
    "First row whose future changes what was said by then; None where there is none."
    base = said(model, PAST)
    for t in rows:
        now = said(model, spliced(t))
        known = base.index.get_level_values("target") <= PAST.index[t]  # the law of row t uses rows before t
        if not base[known].equals(now[known]):
            return t
    return None


def near_refits():
    first = np.unique(walkforward._first_rows(walkforward.refit_periods(PAST.index, REFIT)))
    return sorted({t for f in first for t in (f - 1, f, f + 1) if WINDOW + REFIT < t < N})


def test_every_t():
    assert leak(CHEAP, range(WINDOW, N)) is None


def test_every_t_with_learning_stubbed(monkeypatch):
    def stub(y, asymmetric, student, zero_mean, start, tries=3):
        theta = [y.mean(), 0.05 * y.var(), 0.04, 0.08 * asymmetric, 0.88, 7.0]
        return np.array(theta if student else theta[:5]), 0.0, "stub"

    monkeypatch.setattr(garch, "maximise", stub)
    assert leak(FITTED, range(WINDOW, N)) is None


def test_real_learning_around_each_refit():
    assert leak(FITTED, near_refits()) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", FITTED)
def test_every_t_with_real_learning(name):
    assert leak(FITTED[name], range(WINDOW, N)) is None


@pytest.mark.parametrize("name", [*CHEAP, *FITTED])
def test_block_equals_step(name):
    model = {**CHEAP, **FITTED}[name]
    assert said(model, PAST).equals(said(model, PAST, block=False))


# --- planted leaks: each must be caught -----------------------------------------------------------------------------------------


class PeeksToday(HistoricalSimulation):
    "The sample for day t contains day t."

    def _condition(self, y, X, start, stop):
        n = self.learnt_["window"]
        return Empirical(np.stack([np.sort(y[max(t - n + 1, 0) : t + 1][-n + 1 :]) for t in range(start, stop)]))


class ScalesByBlock(EWMA):
    "Volatility scaled by the spread of the whole block."

    def _condition(self, y, X, start, stop):
        law = super()._condition(y, X, start, stop)
        return LocationScale(law.mean, law.vol * (1 + y[start:].std() if len(y) > start else law.vol * 0 + 1), law.law)


class OneDayEarly(EWMA):
    "Volatility of t that already knows t."

    def _condition(self, y, X, start, stop):
        law = super()._condition(np.append(y, y[-1]), X, start + 1, stop + 1)
        return LocationScale(law.mean, law.vol, law.law)


class FailsOnTheFuture(EWMA):
    "Learning that depends on rows after its window, through a global."

    def _learn(self, y, X=None, warm=None):
        if FUTURE[0] is not None and FUTURE[0].iloc[-1] > 0:
            raise NotConverged("the future is bright")
        return super()._learn(y, X)


FUTURE = [None]


@pytest.mark.parametrize("mutant", [PeeksToday(), ScalesByBlock(), OneDayEarly()])
def test_planted_leak_is_caught(mutant):
    assert leak(mutant, range(WINDOW + REFIT + 2, N)) is not None


def test_a_learner_that_sees_the_future_is_caught(monkeypatch):
    original = walkforward.walk_forward

    def exposing(models, y, **kwargs):
        FUTURE[0] = y
        return original(models, y, **kwargs)

    monkeypatch.setitem(globals(), "walk_forward", exposing)
    other = OTHER.copy()
    other.iloc[-1] = -np.sign(PAST.iloc[-1]) * 0.01
    monkeypatch.setitem(globals(), "OTHER", other)
    assert leak(FailsOnTheFuture(), [N - 2]) == N - 2


def test_a_window_that_reaches_into_its_period_is_caught(monkeypatch):
    honest = walkforward.learn_in_force

    def late(model, y, X, first, window, first_rows):
        return honest(model, y, X, min(first + 5, len(y) - 1), window, first_rows)[0], first - window

    monkeypatch.setattr(walkforward, "learn_in_force", late)
    assert leak(EWMA(dist="t"), near_refits()) is not None


def test_block_against_step_catches_a_block_that_looks_ahead():
    mutant = ScalesByBlock()
    assert not said(mutant, PAST).equals(said(mutant, PAST, block=False))


# --- cleaners --------------------------------------------------------------------------------------------------------------------


def planted_prices(seed):
    "Four assets with holes, a stale stretch, a split, a negative price, an outlier."
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2019-01-02", periods=N, name="date")
    p = pd.DataFrame(100 * np.exp(np.cumsum(0.01 * rng.standard_t(4, (N, 4)), axis=0)), days, ["A", "B", "C", "EUR"])
    p.iloc[50:53, 0], p.iloc[120:128, 1], p.iloc[200, 3] = np.nan, np.nan, np.nan
    p.iloc[80:90, 2] = p.iloc[79, 2]
    p.iloc[150:, 0] *= 0.5
    p.iloc[220, 1] = -3.0
    p.iloc[180, 2] *= 1.4
    return p


def cleaned(prices, clean=clean_prices):
    report = clean(prices, kinds={"EUR": "currency"})
    return report.prices, report.flags


def cleaner_leak(clean, rows):
    past, other = planted_prices(3), 3 * planted_prices(4)
    prices, flags = cleaned(past, clean)
    for t in rows:
        p, f = cleaned(pd.concat([past.iloc[:t], other.iloc[t:]]), clean)
        day = past.index[t]
        before = lambda x: x[x["date"] < day].reset_index(drop=True)
        if not p[p.index < day].equals(prices[prices.index < day]) or not before(f).equals(before(flags)):
            return t
    return None


def test_cleaner_at_every_t():
    assert cleaner_leak(clean_prices, range(2, N)) is None


def test_a_cleaner_that_knows_the_whole_sample_is_caught():
    def winsorise(prices, kinds=None):
        report = clean_prices(prices, kinds=kinds)
        from dataclasses import replace

        return replace(report, prices=report.prices.clip(upper=report.prices.quantile(0.98), axis=1))

    assert cleaner_leak(winsorise, range(2, N, 20)) is not None
