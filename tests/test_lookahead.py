"""Nothing after t may change what is said at t: tried at every t, for every model, cleaner and the daily run; planted leaks must be caught."""

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics.garch import APARCH, EGARCH, GARCHX
from risk_analytics_lib.econometrics.garch_models import CompiledVolatility
from risk_analytics_lib.risk.engines import EWMA, GARCH, FilteredHS, HistoricalSimulation
from risk_analytics_lib.utils import learning, walkforward
from risk_analytics_lib.utils.checks import NotConverged
from risk_analytics_lib.utils.cleaning import clean_prices
from risk_analytics_lib.utils.distributions import Empirical, LocationScale
from risk_analytics_lib.utils.learning import first_rows, refit_periods
from risk_analytics_lib.utils.walkforward import walk_forward

N, WINDOW, REFIT = 300, 100, 20
SAID = ["mean", "vol", "value_at_risk", "expected_shortfall", "note"]
CHEAP = {"HS": HistoricalSimulation(), "HS-60": HistoricalSimulation(60), "EWMA": EWMA(), "EWMA-t": EWMA(dist="t"), "FHS-EWMA": FilteredHS(EWMA())}
FITTED = {"GARCH": GARCH(), "GARCH-t": GARCH(dist="t"), "GJR-t": GARCH(o=1, dist="t"), "GJR-ms": GARCH(o=1, init="mean_square"), "FHS": FilteredHS()}
FITTED |= {"TARCH-skewt": GARCH(o=1, power=1.0, dist="skewt"), "AR-GARCH22-ged": GARCH(2, 0, 2, dist="ged", mean="ar", lags=2), "MA-EGARCH": EGARCH(mean="ma"),
           "APARCH": APARCH(), "GARCHX": GARCHX(), "log-GARCHX": GARCHX(o=1, form="log")}


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


def said(models, y, block=True, refit=REFIT):
    "X is the size of the return: a driver that is known at the close and changes with the future too."
    models = models if isinstance(models, dict) else {"model": models}
    walk = walk_forward(models, y, n_test=N - WINDOW - REFIT - 2, window=WINDOW, refit=refit, block=block, X=y.abs().to_frame("size"))
    return walk.forecasts.set_index(["target", "model", "level"])[SAID]


def leak(model, rows, refit=REFIT):
    "First row whose future changes what was said by then; None where there is none."
    base = said(model, PAST, refit=refit)
    for t in rows:
        now = said(model, spliced(t), refit=refit)
        known = base.index.get_level_values("target") <= PAST.index[t]  # the law of row t uses rows before t
        if not base[known].equals(now[known]):
            return t
    return None


def near_refits():
    first = np.unique(first_rows(refit_periods(PAST.index, REFIT)))
    return sorted({t for f in first for t in (f - 1, f, f + 1) if WINDOW + REFIT < t < N})


def test_every_t():
    assert leak(CHEAP, range(WINDOW, N)) is None


def stub(self, y, X, windows, warm=False):
    "Parameters from the mean and the variance of each window; no search."
    power = 2.0 if self._form else float(self.power) if hasattr(self, "power") else 2.0
    block = {"mu": lambda v: v.mean(), "omega": lambda v: -0.5 if self._form == 2 else 0.05 * v.std() ** power, "alpha": lambda v: 0.04, "gamma": lambda v: 0.08,
             "beta": lambda v: 0.88 / self.q, "delta": lambda v: 1.5, "x": lambda v: 1e-3 * v.var(), "phi": lambda v: 0.02, "theta": lambda v: 0.05,
             "nu": lambda v: 7.0, "lambda": lambda v: -0.1}
    found, kept = [], getattr(self, "learnt_", None)
    for a, b in windows:
        drivers = self._drivers(y[a:b], None if X is None else X[a:b])
        learnt = {"start": float(y[a:b].var()), "before": float(y[a:b].mean()), "xbar": drivers.mean(0), "loglik": 0.0, "message": "stub"}
        self.learnt_ = learnt
        learnt["params"] = np.array([block[name.split("[")[0]](y[a:b]) for name in self._names()])
        found.append(learnt)
    self.learnt_ = kept
    return found


def test_every_t_with_learning_stubbed(monkeypatch):
    monkeypatch.setattr(CompiledVolatility, "_learn_windows", stub)
    assert leak(FITTED, range(WINDOW, N)) is None


def test_every_t_with_daily_refits():
    "Chains of warm starts, learnt for real."
    assert leak({"GJR-t": GARCH(o=1, dist="t")}, range(WINDOW, N), refit=1) is None


def test_daily_refits_around_the_links_of_the_chain():
    daily = {name: FITTED[name] for name in ("GARCH", "FHS", "MA-EGARCH", "GARCHX")}
    assert leak(daily, near_refits()[::3], refit=1) is None


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


@pytest.mark.parametrize("name", ["GJR-t", "GARCHX"])
def test_block_equals_step_with_daily_refits(name):
    assert said(FITTED[name], PAST, refit=1).equals(said(FITTED[name], PAST, block=False, refit=1))


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


@pytest.mark.parametrize("model, refit", [(EWMA(dist="t"), REFIT), (GARCH(), REFIT), (GARCH(), 1)], ids=["ewma", "garch", "chain"])
def test_a_window_that_reaches_into_its_period_is_caught(monkeypatch, model, refit):
    honest = learning.in_force

    def late(model, y, X, firsts, window, starts, warm=False):
        later = [min(f + 5, len(y) - 1) for f in firsts]
        return [(learnt, f - window, note) for (learnt, _, note), f in zip(honest(model, y, X, later, window, starts, warm), firsts)]

    monkeypatch.setattr(learning, "in_force", late)
    monkeypatch.setattr(walkforward, "in_force", late)
    assert leak(model, near_refits(), refit) is not None


class SharesItsWindows(GARCH):
    "One optimum for the whole batch: early windows know late ones."

    def _learn_windows(self, y, X, windows, warm=False):
        found = super()._learn_windows(y, X, windows, warm)
        return [{**k, "params": found[-1]["params"]} for k in found]


class HearsTheDriverOfToday(GARCHX):
    "The variance of t listens to x of t."

    def _filter(self, params, y, X):
        ahead = np.vstack([X[1:], X[-1:] * (1 + abs(y[-1]))])
        mean, variance = super()._filter(params, y, ahead)
        return mean, variance


@pytest.mark.parametrize("mutant", [SharesItsWindows(), HearsTheDriverOfToday()])
def test_planted_leaks_of_batches_and_drivers_are_caught(mutant):
    caught = leak(mutant, near_refits()) is not None or not said(mutant, PAST).equals(said(mutant, PAST, block=False))
    assert caught


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
