"""The rules of the walk on the S&P 500: blocks, steps, histories, starts and processes give the same bits."""

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics.garch import EGARCH, GARCHX
from risk_analytics_lib.risk.engines import EWMA, GARCH, BookModel, FilteredHS, HistoricalSimulation, JointFilteredHS, JointHistorical
from risk_analytics_lib.utils.checks import BadArgument
from risk_analytics_lib.utils.datasets import load_sample
from risk_analytics_lib.utils.returns import prices_to_returns
from risk_analytics_lib.utils.learning import first_rows, refit_periods
from risk_analytics_lib.utils.walkforward import walk_forward

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
    first = first_rows(refit_periods(returns.index, refit))
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


def test_chains_seldom_lose_a_top():
    "Warm windows against cold ones on stocks of the sample; those that stand lower are counted, not hidden."
    prices, low, rng = load_sample().prices, [], np.random.default_rng(0)
    for name in prices.columns[:12]:
        y = prices[name].pct_change(fill_method=None).dropna().to_numpy()
        for window in (500, 1000):
            a = int(rng.integers(0, len(y) - window - 10))
            warm, cold = (GARCH(o=1, dist="t")._learn_windows(y[a : a + window + 10], None, [(k, k + window) for k in range(10)], chain) for chain in (True, False))
            low += [w["loglik"] < c["loglik"] - 1e-4 for w, c in zip(warm, cold) if isinstance(w, dict) and isinstance(c, dict)]
    assert len(low) > 150 and np.mean(low) < 0.03


def test_update_keeps_drivers_in_step(spx):
    r = spx.iloc[-400:]
    X = pd.DataFrame({"size": r.abs(), "lag": r.shift(1).fillna(0).abs()})
    model = GARCHX().fit(r.iloc[:300], X.iloc[:300])
    for bad in (None, X[["size"]].iloc[300:], X[["lag", "size"]].iloc[300:]):
        with pytest.raises(BadArgument):
            model.update(r.iloc[300:], bad)
        assert len(model.y_) == len(model.X_) == 300
    assert np.isfinite(model.update(r.iloc[300:], X.iloc[300:]).forecast().vol[0])


DAILY = {"FHS": FilteredHS(), "GJR-t": GARCH(o=1, dist="t"), "EGARCH": EGARCH()}


def test_daily_refits_to_the_bit(spx):
    "Chains of warm starts: steps, later starts, shorter histories and processes give the same bits, and cold fits the same risk."
    settings = dict(levels=0.99, refit=1)
    walk = walk_forward(DAILY, spx, n_test=45, **settings)
    agree(walk, walk_forward(DAILY, spx, n_test=9, block=False, **settings))
    agree(walk, walk_forward(DAILY, spx.iloc[-1066:], n_test=45, **settings))
    agree(walk, walk_forward(DAILY, spx, n_test=23, **settings))
    agree(walk, walk_forward(DAILY, spx, n_test=45, n_jobs=2, **settings))
    for name in ("GJR-t", "EGARCH"):
        said = walk.forecasts.loc[walk.forecasts["model"] == name, "value_at_risk"]
        cold = [DAILY[name].clone().fit(spx.iloc[t - 1000 : t]).forecast().value_at_risk(0.99)[0] for t in range(len(spx) - 45, len(spx))]
        assert np.abs(said / cold - 1).max() < 1e-4


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
