"""The rules of the walk on the S&P 500: blocks, steps, histories, starts and processes give the same bits."""

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.risk.engines import EWMA, GARCH, BookModel, FilteredHS, HistoricalSimulation, JointFilteredHS, JointHistorical
from risk_analytics_lib.utils.datasets import load_sample
from risk_analytics_lib.utils.returns import prices_to_returns
from risk_analytics_lib.utils.walkforward import _first_rows, refit_periods, walk_forward

MODELS = {"HS": HistoricalSimulation(), "EWMA-t": EWMA(dist="t"), "FHS": FilteredHS(), "GARCH-t": GARCH(dist="t"), "GJR-t": GARCH(o=1, dist="t")}
NUMBERS = ["mean", "vol", "value_at_risk", "expected_shortfall", "realised", "pit", "note"]


@pytest.fixture(scope="module")
def spx():
    return prices_to_returns(load_sample().prices["SPX"]).dropna()


def numbers(walk):
    return walk.forecasts.set_index(["model", "series", "level", "as_of"])[NUMBERS]


def agree(a, b):
    "Equal to the bit on the rows both have."
    a, b = numbers(a), numbers(b)
    shared = a.index.intersection(b.index)
    assert len(shared) == min(len(a), len(b))
    pd.testing.assert_frame_equal(a.loc[shared], b.loc[shared], check_exact=True)


def by_hand(models, returns, n_test, level, window=1000, refit=20):
    "fit, update and forecast, with the windows that the calendar prescribes."
    first = _first_rows(refit_periods(returns.index, refit))
    rows = []
    for name, model in models.items():
        fitted = None
        for t in range(len(returns) - n_test, len(returns)):
            if fitted is None or first[t] != begun:
                begun = first[t]
                fitted = model.clone().fit(returns.iloc[begun - window : begun])
                seen = begun
            if t > seen:
                fitted.update(returns.iloc[seen:t])
                seen = t
            law = fitted.forecast()
            rows.append((name, returns.index[t], law.value_at_risk(level)[0], law.expected_shortfall(level)[0]))
    return pd.DataFrame(rows, columns=["model", "target", "value_at_risk", "expected_shortfall"])


def check_all(returns, n_test):
    walk = walk_forward(MODELS, returns, n_test=n_test, levels=0.99)
    agree(walk, walk_forward(MODELS, returns, n_test=n_test, levels=0.99, block=False))
    agree(walk, walk_forward(MODELS, returns.iloc[-(n_test + 1060) :], n_test=n_test, levels=0.99))
    agree(walk, walk_forward(MODELS, returns, n_test=n_test // 3 + 7, levels=0.99))
    agree(walk, walk_forward(MODELS, returns, n_test=n_test, levels=0.99, n_jobs=2))
    hand = by_hand(MODELS, returns, n_test, 0.99)
    both = hand.merge(walk.forecasts, on=["model", "target"], suffixes=("_hand", ""))
    assert len(both) == 5 * n_test
    for column in ("value_at_risk", "expected_shortfall"):
        assert (both[f"{column}_hand"] == both[column]).all()
    return walk


def test_a_year_to_the_bit(spx):
    check_all(spx, 250)


@pytest.mark.slow
def test_ten_years_to_the_bit(spx):
    walk = check_all(spx, 2500)
    hits = walk.forecasts.assign(hit=lambda f: -f["realised"] > f["value_at_risk"]).groupby("model")["hit"].sum()
    assert hits["FHS"] < hits["HS"] < 80


@pytest.mark.parametrize("joint", [JointHistorical(), JointFilteredHS(EWMA()), JointFilteredHS()], ids=["hs", "fhs-ewma", "fhs"])
def test_books_block_equals_step(joint):
    returns = prices_to_returns(load_sample().prices[["AAPL", "JPM", "EUR", "XOM"]].loc["2018":]).dropna()
    rng = np.random.default_rng(0)
    dated = pd.DataFrame(1e6 * rng.normal(1, 1, (40, 4)), returns.index[::25][:40], returns.columns)
    book = BookModel(joint, dated, fx={"XOM": "EUR"})
    settings = dict(n_test=90, window=400, levels=(0.975, 0.99))
    agree(walk_forward(book, returns, **settings), walk_forward(book, returns, block=False, **settings))
    ahead = dated.copy()
    ahead.iloc[-1] *= 5
    late = returns.index > dated.index[-1]
    changed = walk_forward(BookModel(joint, ahead, fx={"XOM": "EUR"}), returns, **settings)
    before = numbers(changed).index.get_level_values("as_of") < dated.index[-1]
    assert late.any() and numbers(changed)[before][NUMBERS[:4]].equals(numbers(walk_forward(book, returns, **settings))[before][NUMBERS[:4]])


def test_ten_days_block_equals_step(spx):
    settings = dict(n_test=60, horizon=10, levels=0.975, window=500)
    models = {"EWMA": EWMA(), "GJR-t": GARCH(o=1, dist="t"), "FHS": FilteredHS(), "HS": HistoricalSimulation()}
    agree(walk_forward(models, spx, **settings), walk_forward(models, spx, block=False, **settings))
