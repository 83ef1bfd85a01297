"What cleaning says of a day depends on that day and the days before: checked at every day of a series with every trouble planted in it."

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.utils.calendar import sessions
from risk_analytics_lib.utils.cleaning import clean_prices
from risk_analytics_lib.utils.cleaning_rules import robust_score

N = 300


def planted() -> pd.DataFrame:
    "Three assets with stale runs, holes, a split, typing errors, a zero, a negative price, a late start and an end."
    rng = np.random.default_rng(7)
    values = 50 * np.exp(0.01 * rng.standard_t(4, (N, 3)).cumsum(0))
    frame = pd.DataFrame(values, sessions("2018-01-02", "2020-12-31")[:N], columns=["A", "B", "EUR"])
    frame.iloc[90:93, 0] = frame.iloc[90, 0]
    frame.iloc[150:, 0] /= 2
    frame.iloc[230, 0] *= 7
    frame.iloc[260, 0] = 0
    frame.iloc[:7, 1] = frame.iloc[130:140, 1] = np.nan
    frame.iloc[170, 1] *= 7
    frame.iloc[250, 1] = -3
    frame.iloc[[200, 201, 270], 2] = np.nan
    frame.iloc[290:, 2] = np.nan
    return frame


@pytest.fixture(scope="module")
def whole():
    return clean_prices(planted(), kinds={"EUR": "currency"})


def same_until(t, part, whole):
    "Prices bit for bit, and every flag dated up to row t."
    day = whole.prices.index[t]
    pd.testing.assert_frame_equal(part.prices.iloc[: t + 1], whole.prices.iloc[: t + 1], check_exact=True, check_freq=False)
    left, right = (report.flags[report.flags["date"] <= day].reset_index(drop=True) for report in (part, whole))
    pd.testing.assert_frame_equal(left, right, check_exact=True)


def test_every_rule_has_something_to_find(whole):
    rules = {"stale", "split", "outlier", "zero", "negative", "missing", "gap", "short", "carried"}
    assert rules <= set(whole.flags["rule"])


def test_a_changed_future_changes_no_past(whole):
    rng = np.random.default_rng(8)
    prices = planted()
    for t in range(1, N - 1):
        changed = prices.copy()
        changed.iloc[t + 1:] = rng.choice([np.nan, 0.0, -1.0, 1e6, 25.0, 50.0, 100.0], size=(N - 1 - t, 3))
        same_until(t, clean_prices(changed, kinds={"EUR": "currency"}), whole)


@pytest.mark.slow
def test_a_missing_future_changes_no_past(whole):
    prices = planted()
    for t in range(1, N - 1):
        same_until(t, clean_prices(prices.iloc[: t + 1], kinds={"EUR": "currency"}), whole)


def test_the_test_sees_a_leak(whole):
    "A centred median, the usual mistake, is caught at once."
    moves = whole.prices["A"].pct_change()
    leaky = moves.sub(moves.rolling(61, center=True).median())
    changed = whole.prices["A"].copy()
    changed.iloc[200:] *= 1.5
    moves = changed.pct_change()
    assert not leaky.iloc[:200].equals(moves.sub(moves.rolling(61, center=True).median()).iloc[:200])


def test_the_score_of_a_day_is_free_of_that_day():
    rng = np.random.default_rng(9)
    moves = rng.normal(0, 0.01, (200, 1))
    louder = moves.copy()
    louder[150] *= 100
    assert robust_score(louder)[150] - robust_score(moves)[150] == pytest.approx(
        (louder[150] - moves[150]) / (1.4826 * np.median(np.abs(moves[90:150] - np.median(moves[90:150])))))
