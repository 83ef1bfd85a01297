"""Cointegration: nothing of the future in forecasts and scans, known relations found again, invariances, and bad input answered by name."""

import json

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics.cointegration import CASES, VECM, dols, engle_granger, fmols, johansen, phillips_ouliaris, scan_pairs
from risk_analytics_lib.econometrics.vecm_model import VECM as Plain
from risk_analytics_lib.utils.checks import BadArgument, BadIndex, ConstantSeries, MissingValue, RiskError, TooShort
from risk_analytics_lib.utils.joint import BookModel, JointModel
from risk_analytics_lib.utils.models import EWMA
from risk_analytics_lib.utils.walkforward import walk_forward

T, WINDOW, REFIT = 240, 120, 20
SAID = ["mean", "vol", "value_at_risk", "expected_shortfall", "note"]
DAYS = pd.bdate_range("2019-01-01", periods=T)
EXPOSURES = pd.Series({"A": 100.0, "B": -40.0, "C": 70.0})
MODELS = {
    "by the trace test": VECM(takes="returns"),
    "three lags, a trend": VECM(3, 1, "restricted trend", takes="returns"),
    "filtered": VECM(2, 1, takes="returns", filter=EWMA()),
    "one lag": VECM(1, 2, "constant", takes="returns"),
    "differences": VECM(2, 0, "none", takes="returns"),
}


def tied(rows, seed, vol=0.01):
    "Log prices of three assets: two walks, and a third that follows them."
    rng = np.random.default_rng(seed)
    walk, gap = rng.normal(0, vol, (rows, 2)).cumsum(0), np.zeros(rows)
    for t in range(1, rows):
        gap[t] = 0.7 * gap[t - 1] + rng.normal(0, vol)
    return pd.DataFrame({"A": walk[:, 0], "B": walk[:, 1], "C": walk @ [0.5, 0.5] + gap}, pd.bdate_range("2018-12-31", periods=rows))


PAST = np.expm1(tied(T + 1, 1).diff().iloc[1:]).set_axis(DAYS)
OTHER = (3 * np.expm1(tied(T + 1, 2).diff().iloc[1:]) + 0.01).set_axis(DAYS)


def said(model, returns, block=True, horizon=1):
    settings = dict(n_test=len(returns) - WINDOW - REFIT - 2, window=WINDOW, refit=REFIT, levels=0.99, block=block, horizon=horizon, overlap=horizon > 1)
    return walk_forward(BookModel(model, EXPOSURES), returns, **settings).forecasts.set_index("target")[SAID]


def leak(model, rows):
    "First row whose future changes what was said by then; None where there is none."
    base = said(model, PAST)
    for t in rows:
        now = said(model, pd.concat([PAST.iloc[:t], OTHER.iloc[t:]]))
        known = base.index <= PAST.index[t]
        if not base[known].equals(now[known]):
            return t
    return None


EVERY = range(WINDOW + REFIT + 2, T, 7)


@pytest.mark.parametrize("name", MODELS)
def test_nothing_of_the_future(name):
    assert leak(MODELS[name], EVERY) is None


@pytest.mark.parametrize("name", MODELS)
def test_block_equals_step(name):
    assert said(MODELS[name], PAST).equals(said(MODELS[name], PAST, block=False))


def test_block_equals_step_over_several_days():
    model = MODELS["filtered"]
    assert said(model, PAST, horizon=3).equals(said(model, PAST, block=False, horizon=3))


class PeeksToday(Plain):
    "The distance from equilibrium of day t knows day t."

    def _expected(self, L, start, stop):
        return super()._expected(np.concatenate([L[1:], L[-1:]]), start, stop)


class RelearnsDaily(Plain):
    "The shocks are those of all rows it was handed."

    def _condition(self, Y, start, stop):
        kept = self.learnt_
        self.learnt_ = kept | {"pool": kept["pool"] * np.abs(Y).mean() * 100}
        try:
            return super()._condition(Y, start, stop)
        finally:
            self.learnt_ = kept


@pytest.mark.parametrize("mutant", [PeeksToday(2, 1, takes="returns"), RelearnsDaily(2, 1, takes="returns")])
def test_a_planted_leak_is_caught(mutant):
    assert leak(mutant, EVERY) is not None


def test_forecasts_of_levels_know_their_rows_only():
    "Fit, update, forecast: what comes after the last row given changes nothing, and learning stays with the window."
    levels = tied(400, 3)
    model = VECM(2, 1).fit(levels.iloc[:300])
    for t in (310, 350, 399):
        one = VECM(2, 1).fit(levels.iloc[:300]).update(levels.iloc[300:t])
        assert all(np.array_equal(one.learnt_[k], model.learnt_[k]) for k in model.learnt_ if k != "filters")
        full = one.forecast(5).to_frame()
        again = VECM(2, 1).fit(levels.iloc[:300]).update(levels.iloc[300 : t - 4]).update(levels.iloc[t - 4 : t]).forecast(5).to_frame()
        assert full.equals(again)
    assert VECM(2, 1).fit(levels.iloc[:300]).forecast(3).to_frame().equals(model.forecast(5).to_frame().query("step <= 3"))


def test_stored_and_read_back():
    for name in ("by the trace test", "filtered", "differences"):
        model = MODELS[name].clone().fit(PAST.iloc[:200])
        back = VECM._from_artifact(json.loads(json.dumps(model._to_artifact())))._resume(PAST)
        ahead = model.update(PAST.iloc[200:])
        assert np.array_equal(back.scenarios(), ahead.scenarios()) and np.array_equal(back.scenarios(4, 50), ahead.scenarios(4, 50))
        assert isinstance(back, JointModel)


@pytest.mark.parametrize("pick", ["c", "ct"])
def test_the_scan_before_the_split_does_not_know_what_comes(pick):
    levels, other = tied(400, 4), 5 * tied(400, 5) + 1
    before = [c for c in scan_pairs(levels).table if not c.endswith("_out")]
    for cut in (200, 260):
        base = scan_pairs(levels, levels.index[cut], trend=pick).table[before]
        changed = pd.concat([levels.iloc[:cut], other.iloc[cut:]])
        assert base.equals(scan_pairs(changed, levels.index[cut], trend=pick).table[before])
        assert not base.equals(scan_pairs(pd.concat([other.iloc[:cut], levels.iloc[cut:]]), levels.index[cut], trend=pick).table[before])
        after = scan_pairs(levels.iloc[: cut + 60], levels.index[cut], trend=pick).table
        later = scan_pairs(pd.concat([levels.iloc[: cut + 60], other.iloc[cut + 60 :]]).iloc[: cut + 60], levels.index[cut], trend=pick).table
        assert after.equals(later)


# --- known answers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_units_and_order_change_no_statistic(case):
    "Johansen's statistics do not depend on units or order of the series, nor, with a constant, on their levels."
    levels = tied(300, 6)
    base = johansen(levels, 2, case)
    assert np.allclose(johansen(levels * [1e4, 1e-5, 3.0], 2, case).trace, base.trace, rtol=1e-7)
    assert np.allclose(johansen(levels[["C", "A", "B"]], 2, case).trace, base.trace, rtol=1e-7)
    if case != "none":
        assert np.allclose(johansen(levels + [1e3, -50, 7], 2, case).trace, base.trace, rtol=1e-5)


def test_the_relation_is_found_again():
    "C = (A + B) / 2 + gap, by five estimators and on forty samples; the half-life of the gap is two rows."
    for seed in range(40):
        levels = tied(1_000, 100 + seed)[["C", "A", "B"]]
        model = VECM(2, 1).fit(levels)
        found = [-johansen(levels, 2, "restricted constant").beta(1).iloc[1:3, 0], -model.beta.iloc[1:3, 0], dols(levels).params[:2], fmols(levels).params[:2],
                 -engle_granger(levels).vector[1:3]]
        assert np.abs(np.array(found) - 0.5).max() < 0.15
        assert 1 < model.half_life < 4 and engle_granger(levels).rejected and phillips_ouliaris(levels, test="Pz").rejected
    assert np.allclose(model.roots[:2], 1, atol=1e-6)


def test_rank_is_right_most_of_the_time():
    ranks = [johansen(tied(500, 200 + seed), 2, "restricted constant").rank for seed in range(60)]
    assert np.mean(np.array(ranks) == 1) > 0.85 and min(ranks) == 1


# --- bad input ----------------------------------------------------------------------------------------------------------------

LEVELS = tied(150, 7)
FACES = {"johansen": lambda f: johansen(f, 2, "constant"), "engle_granger": engle_granger, "phillips_ouliaris": phillips_ouliaris, "dols": dols,
         "fmols": fmols, "VECM": lambda f: VECM().fit(f), "scan_pairs": scan_pairs}  # fmt: skip


def holed(value):
    out = LEVELS.copy()
    out.iloc[40, 1] = value
    return out


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("frame, error, words", [
    (holed(np.nan), MissingValue, "B: nan on 2019-02-25"), (holed(np.inf), MissingValue, "B: inf on 2019-02-25"),
    (LEVELS.assign(D=4.0), ConstantSeries, "D: all 150 levels are the same"), (LEVELS[::-1], BadIndex, "not in order"),
    (LEVELS.iloc[:6], TooShort, "6 rows"), (LEVELS.iloc[[0, 1, 1, *range(2, 150)]], BadIndex, "2019-01-01 twice"),
    (LEVELS[["A"]], BadArgument, "2 or more"), (LEVELS.assign(D=1 - 2 * LEVELS["A"]), BadArgument, "exact linear"),
])  # fmt: skip
def test_named_errors(face, frame, error, words):
    with pytest.raises(error, match=words):
        FACES[face](frame)


@pytest.mark.parametrize("face", FACES)
def test_business_days_without_frequency_are_no_trouble(face, recwarn):
    "Holidays out, no freq on the index: the rows count, and nobody warns."
    frame = LEVELS.drop(LEVELS.index[[20, 21, 90]])
    assert frame.index.freq is None
    FACES[face](frame)
    assert not [w for w in recwarn if "freq" in str(w.message).lower()]


@pytest.mark.parametrize("seed", range(30))
def test_any_frame_gives_an_answer_or_a_named_error(seed):
    "Short, long, nearly collinear, huge and tiny levels: finite statistics or a named error."
    rng = np.random.default_rng(seed)
    n, N = int(rng.choice([12, 30, 80, 300])), int(rng.integers(2, 6))
    X = rng.normal(size=(n, N)).cumsum(0) * 10.0 ** rng.choice([-8, 0, 8])
    X[:, -1] = X[:, 0] + [1.0, 1e-6, 1e-10][seed % 3] * X[:, -1]
    frame = pd.DataFrame(X, columns=list("ABCDE")[:N])
    for face in ("johansen", "engle_granger", "phillips_ouliaris", "dols", "fmols", "VECM"):
        try:
            out = FACES[face](frame)
        except RiskError:
            continue
        numbers = {"johansen": lambda: out.trace, "VECM": lambda: out.forecast(3).to_frame()[["mean", "vol"]]}
        numbers = numbers.get(face, lambda: out.params if face in ("dols", "fmols") else [out.statistic, out.pvalue])()
        assert np.isfinite(np.asarray(numbers, float)).all(), face
