"""CAViaR on the returns of Engle and Manganelli, never losing more than the best known answer; and its rules kept."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_lookahead import PAST, WINDOW, leak, near_refits, said

from risk_analytics_lib.risk.caviar_recursions import path_loss, quantile_path
from risk_analytics_lib.risk.engines import CAViaR, ESCAViaR
from risk_analytics_lib.utils.distributions import QuantileGrid
from risk_analytics_lib.utils.walkforward import walk_forward

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden" / "data"
INSIDE = 2892  # days the paper estimates on; it keeps the last 500 to itself


@pytest.fixture(scope="module")
def paper():
    "Returns in percent of GM, IBM and the S&P 500, 1986-1999, and the best known tick loss of each cell."
    data, bounds = GOLDEN / "caviar_gm_ibm_sp500.csv", GOLDEN / "caviar_bounds.txt"
    if not (data.is_file() and bounds.is_file()):
        pytest.skip("the golden inputs of CAViaR are not beside this checkout")
    listed = re.findall(r"^(\w+) ([.\d]+) (\w+) .*RQ=([.\d]+)", bounds.read_text(), re.M)
    return pd.read_csv(data).iloc[:INSIDE] / 100, {(kind.lower(), float(a), name): float(rq) for kind, a, name, rq in listed}


@pytest.mark.parametrize("tail", [0.01, 0.05])
@pytest.mark.parametrize("kind", ["sav", "as", "ig"])
def test_no_cell_loses_more_than_the_best_known(paper, kind, tail):
    "Q02: the sum of tick losses (in percent) is at most the listed one + 0.1, for each listed asset; hits in sample are nominal for all three."
    returns, bounds = paper
    cells = 0
    for name, short in (("GM", "GM"), ("IBM", "IBM"), ("S&P 500", "SP")):
        model = CAViaR(kind, level=1 - tail).fit(returns[name])
        listed = bounds.get((kind, tail, short))
        if listed is not None:
            cells += 1
            assert 100 * model.tick_loss <= listed + 0.1, (name, 100 * model.tick_loss, listed)
        assert abs((returns[name] < model.fitted_quantiles).mean() - tail) < 0.002
    assert cells == 2


def test_more_starts_gain_next_to_nothing(paper):
    returns, _ = paper
    for kind in ("sav", "as", "ig"):
        quick, thorough = (CAViaR(kind, n_starts=n).fit(returns["S&P 500"].iloc[-1000:]).tick_loss for n in (300, 5000))
        assert quick <= 1.005 * thorough


def test_the_plain_loop_has_the_bits_of_the_kernel(paper):
    y = paper[0]["IBM"].to_numpy()
    for k, kind in enumerate(("sav", "as", "ig")):
        model = CAViaR(kind).fit(paper[0]["IBM"])
        assert np.array_equal(model._path(y), quantile_path(k, model.learnt_["params"], y, model.learnt_["start"]))
        assert abs(path_loss(k, 0, model.learnt_["params"], y, model.learnt_["start"], 0.01, np.inf) - model.tick_loss) < 1e-12


MODELS = {"sav": CAViaR(), "as": CAViaR("as"), "ig": CAViaR("ig"), "es": ESCAViaR(), "es-ar": ESCAViaR("sav", link="ar")}


def test_no_look_ahead_around_refits():
    assert leak(MODELS, near_refits()[::3]) is None


@pytest.mark.parametrize("name", MODELS)
def test_block_equals_step(name):
    assert said(MODELS[name], PAST).equals(said(MODELS[name], PAST, block=False))


class KnowsToday(CAViaR):
    "The quantile of t has heard the return of t."

    def _condition(self, y, X, start, stop):
        v = self._path(np.append(y, y[-1]))[start + 1 : stop + 1]
        return QuantileGrid(np.array([self._tail()]), -v[:, None])


def test_a_quantile_that_knows_today_is_caught():
    assert leak(KnowsToday(), range(WINDOW + 30, WINDOW + 60)) is not None


def test_a_walk_gives_each_level_its_own_model():
    rows = walk_forward({"CAViaR": CAViaR(), "ES": ESCAViaR()}, PAST, n_test=40, window=200, levels=(0.975, 0.99)).forecasts
    var = rows.pivot(index=["target", "model"], columns="level", values="value_at_risk")
    assert (var[0.99] > var[0.975]).mean() > 0.7  # each level is estimated alone, on 200 days here, and two of them may cross
    assert rows.loc[rows["model"] == "CAViaR", ["mean", "vol", "expected_shortfall", "pit"]].isna().all(axis=None)
    pair = rows[rows["model"] == "ES"]
    assert (pair["expected_shortfall"] >= pair["value_at_risk"]).all() and pair["vol"].isna().all()
    assert rows["note"].str.contains("only").all()
    far = walk_forward(CAViaR(), PAST, n_test=40, window=200, levels=0.99, horizon=10).forecasts
    assert far["value_at_risk"].isna().all() and far["note"].str.contains("no law of several days").all()
