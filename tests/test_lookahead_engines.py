"Nothing after t may change what is said at t: the VaR engines, at every t where learning is quick, around each refit where it is not."

import numpy as np
import pandas as pd
import pytest
from test_lookahead import N, PAST, REFIT, SAID, WINDOW, leak, near_refits, said, spliced, stub

from risk_analytics_lib.econometrics.garch_models import CompiledVolatility
from risk_analytics_lib.risk.engines import (
    EWMA, GARCH, AgeWeighted, BookModel, BookSeries, Combination, ConditionalEVT, CornishFisher, FilteredHS, HistoricalSimulation, JointFilteredHS,
    JointHistorical, MonteCarlo, Parametric, VolatilityWeighted,
)
from risk_analytics_lib.utils.walkforward import walk_forward

QUICK = {"BRW": AgeWeighted(), "BRW-60": AgeWeighted(0.97, 60), "HW": VolatilityWeighted(), "HW-60": VolatilityWeighted(window=60), "normal": Parametric(),
         "Cornish-Fisher": CornishFisher()}
FILTERED = {"EVT": ConditionalEVT(), "HW-GJR": VolatilityWeighted(GARCH(o=1))}
SOLVED = {"t": Parametric("t"), "skewt": Parametric("skewt"), "EVT-EWMA": ConditionalEVT(EWMA()), "average": Combination([HistoricalSimulation(), AgeWeighted(), EWMA()]),
          "earned": Combination([HistoricalSimulation(60), AgeWeighted(0.98, 50), EWMA(dist="t")], weights="score")}


def test_every_t():
    assert leak(QUICK, range(WINDOW, N)) is None


def test_every_t_with_learning_stubbed(monkeypatch):
    monkeypatch.setattr(CompiledVolatility, "_learn_windows", stub)
    assert leak(FILTERED, range(WINDOW, N)) is None


def test_real_learning_around_each_refit():
    assert leak(FILTERED | SOLVED, near_refits()[::2]) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FILTERED, *SOLVED])
def test_every_t_with_real_learning(name):
    assert leak({**FILTERED, **SOLVED}[name], range(WINDOW, N)) is None


@pytest.mark.parametrize("name", [*QUICK, *FILTERED, *SOLVED])
def test_block_equals_step(name):
    model = {**QUICK, **FILTERED, **SOLVED}[name]
    assert said(model, PAST).equals(said(model, PAST, block=False))


class WeighsByTheFuture(Combination):
    "Weights from the days that are to be forecast."

    def _condition(self, y, X, start, stop):
        self.learnt_ = self.learnt_ | {"weights": self._weights(y, X, self.learnt_["members"])}
        return super()._condition(y, X, start, stop)


class YoungestIsToday(AgeWeighted):
    "Age 0 is the day that is forecast."

    def _condition(self, y, X, start, stop):
        late = [super(YoungestIsToday, self)._condition(y, X, t, t + 1) for t in [min(s + 1, stop - 1) for s in range(start, stop)]]
        return type(late[0])(*(np.concatenate([getattr(law, name) for law in late]) for name in ("x", "w")))


@pytest.mark.parametrize("mutant", [WeighsByTheFuture([HistoricalSimulation(60), EWMA()], weights="score"), YoungestIsToday()])
def test_planted_leak_is_caught(mutant):
    assert leak(mutant, near_refits()) is not None or not said(mutant, PAST).equals(said(mutant, PAST, block=False))


# Books: a frame of two assets, the past spliced with another world


def frame(y):
    "Two assets: the series, and one that follows it with its own noise."
    noise = np.random.default_rng(7).standard_t(5, len(y))
    return pd.DataFrame({"a": y, "b": 0.5 * y.shift(1, fill_value=0.0) + 0.01 * noise})


HELD = pd.Series({"a": 3e5, "b": -1e5})
BOOKS = {"joint HS": BookModel(JointHistorical(), HELD), "joint FHS": BookModel(JointFilteredHS(EWMA()), HELD), "Monte Carlo": BookModel(MonteCarlo(200), HELD),
         "series": BookSeries(FilteredHS(EWMA()), HELD), "series EVT": BookSeries(ConditionalEVT(EWMA()), HELD)}


def told(models, y):
    walk = walk_forward(models, frame(y), n_test=N - WINDOW - REFIT - 2, window=WINDOW, refit=REFIT, levels=(0.975,))
    return walk.forecasts.set_index(["target", "model", "level"])[SAID]


def book_leak(models, rows):
    base = told(models, PAST)
    for t in rows:
        known = base.index.get_level_values("target") <= PAST.index[t]
        if not base[known].equals(told(models, spliced(t))[known]):
            return t
    return None


def test_books_around_each_refit():
    assert book_leak(BOOKS, near_refits()[::5]) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", BOOKS)
def test_books_at_every_t(name):
    assert book_leak({name: BOOKS[name]}, range(WINDOW, N)) is None


class SeesTheDay(BookSeries):
    "The history of the book is valued with the move of the day that is forecast."

    def _history(self, X, t):
        today = self._base(X[min(t, len(X) - 1)][None, : X.shape[1] // 2])
        return super()._history(X, t) * (1 + abs(today).sum())


def test_planted_leak_in_a_book_is_caught():
    assert book_leak({"leaks": SeesTheDay(FilteredHS(EWMA()), HELD)}, near_refits()) is not None
