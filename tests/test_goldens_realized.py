"""Range volatility to R's digits, and HAR under bad input and under every future: nothing after t may change what was said by t."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics.realized import HAR, evaluate_volatility, mincer_zarnowitz
from risk_analytics_lib.risk.engines import FilteredHS
from risk_analytics_lib.utils.checks import BadArgument, BadIndex, BadScale, ConstantSeries, MissingValue, NotConverged, TooShort, decimal
from risk_analytics_lib.utils.features import RANGE_METHODS, BadBar, range_variance, range_volatility
from risk_analytics_lib.utils.models import EWMA, RiskModel
from risk_analytics_lib.utils.returns import NonPositivePrice
from risk_analytics_lib.utils.walkforward import walk_forward

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden" / "data" / "ttr_ttrc_volatility.csv"


@pytest.fixture(scope="module")
def ttrc():
    "R TTR's own bars, 1985-2006, beside what its `volatility()` says of them with n = 10 and N = 260."
    if not GOLDEN.is_file():
        pytest.skip(f"the golden input {GOLDEN.name} is not beside this checkout")
    frame = pd.read_csv(GOLDEN, index_col="Date", parse_dates=True)
    return frame.rename(columns={"close": "close_to_close", **{side: side.lower() for side in ("Open", "High", "Low", "Close", "Volume")}})


# ---- goldens ------------------------------------------------------------------------------------------------------------------------

TTR_NAMES = dict(zip(RANGE_METHODS, ("close_to_close", "parkinson", "garman.klass", "rogers.satchell", "gk.yz", "yang.zhang")))
LAST = dict(zip(RANGE_METHODS, (0.0918330613801, 0.136137905592, 0.150626056572, 0.149345959600, 0.155349359181, 0.148531223372)))


@pytest.mark.parametrize("method", RANGE_METHODS)
def test_ttr_on_the_whole_path(ttrc, method):
    "R01: every one of 5,550 days within 1e-12, missing where R is missing."
    ours, theirs = range_volatility(ttrc, method, 10, 260), ttrc[TTR_NAMES[method]]
    assert (ours.isna() == theirs.isna()).all() and theirs.notna().sum() > 5500
    assert np.nanmax(np.abs(ours - theirs)) < 1e-12
    assert abs(ours.iloc[-1] - LAST[method]) < 1e-12


def test_the_traps_are_traps(ttrc):
    "A close-to-close window of n returns, or Yang-Zhang without the 1.34, misses R by far more than the tolerance."
    r = np.log(ttrc["close"]).diff()
    assert np.nanmax(np.abs(r.rolling(10).std() * np.sqrt(260) - ttrc["close_to_close"])) > 1e-3
    night, day = np.log(ttrc["open"] / ttrc["close"].shift()), np.log(ttrc["close"] / ttrc["open"])
    rs, wrong = range_variance(ttrc, "rogers_satchell").rolling(10).mean(), 0.34 / (11 / 9)
    path = np.sqrt(260 * (night.rolling(10).var() + wrong * day.rolling(10).var() + (1 - wrong) * rs))
    assert np.nanmax(np.abs(path - ttrc["yang.zhang"])) > 1e-3


def test_a_day_is_a_window_of_one(ttrc):
    for method in RANGE_METHODS[1:5]:
        one = range_volatility(ttrc, method, 1) ** 2
        assert np.allclose(one, range_variance(ttrc, method), rtol=1e-14, atol=0, equal_nan=True)


# ---- bars that cannot be ------------------------------------------------------------------------------------------------------------


def bars(n=60):
    rng = np.random.default_rng(4)
    close = 100 * np.exp(rng.normal(0, 0.01, n).cumsum())
    opened = close * np.exp(rng.normal(0, 0.005, n))
    ends = np.stack([opened, close])
    spread = np.exp(np.abs(rng.normal(0, 0.004, (2, n))))
    days = pd.bdate_range("2020-01-01", periods=n)
    return pd.DataFrame({"open": opened, "high": ends.max(0) * spread[0], "low": ends.min(0) / spread[1], "close": close}, days)


@pytest.mark.parametrize("side, factor", [("high", 0.9), ("low", 1.1), ("open", 1.5), ("close", 0.5)])
@pytest.mark.parametrize("method", RANGE_METHODS)
def test_a_torn_bar_is_named(side, factor, method):
    torn = bars()
    torn.loc[torn.index[30], side] *= factor
    with pytest.raises(BadBar, match=f"KO: on {torn.index[30]:%Y-%m-%d} high .* \\(1 in all\\)"):
        range_volatility({"KO": torn}, method)


@pytest.mark.parametrize("price", [0.0, -37.63, np.inf])
def test_a_price_without_logarithm_is_named(price):
    bad = bars()
    bad.loc[bad.index[30], "low"] = price
    with pytest.raises(NonPositivePrice, match=f"WTI: low is {price:g} on {bad.index[30]:%Y-%m-%d}"):
        range_variance({"WTI": bad})


@pytest.mark.parametrize("method", RANGE_METHODS)
def test_missing_prices_stay_missing_and_nothing_else_does(method):
    holed = bars()
    holed.iloc[30] = np.nan
    with np.errstate(all="raise"):
        ours = range_volatility(holed, method, 5)
    reach = {"close_to_close": 5, "gk_yz": 6, "yang_zhang": 6}.get(method, 5)  # days that read the bar
    assert np.flatnonzero(ours.isna())[ours.isna().sum() - reach :].tolist() == list(range(30, 30 + reach))
    assert (range_volatility(bars(), method, 5).dropna() > 0).all()


def test_days_that_never_move_have_no_volatility():
    still = bars() * 0 + 50.0
    for method in RANGE_METHODS:
        assert (range_volatility(still, method, 5).dropna() == 0).all()


def test_units_of_price_do_not_matter():
    for method in RANGE_METHODS:
        assert np.allclose(range_volatility(bars() * 1e-6, method), range_volatility(bars(), method), rtol=1e-9, equal_nan=True)


@pytest.mark.parametrize("method", RANGE_METHODS)
def test_ranges_at_every_t(method):
    past, other = bars(60), bars(60) * 3
    base = range_volatility(past, method, 10)
    for t in range(11, 60):
        assert range_volatility(pd.concat([past.iloc[:t], other.iloc[t:]]), method, 10).iloc[:t].equals(base.iloc[:t])
        assert range_volatility(past.iloc[:t], method, 10).equals(base.iloc[:t])


# ---- HAR and the future -------------------------------------------------------------------------------------------------------------

N, WINDOW, REFIT = 300, 100, 20
SAID = ["mean", "vol", "value_at_risk", "expected_shortfall", "note"]
MODELS = {"HAR": HAR(), "log": HAR(log=True)}
SLOW = {"HAR-t": HAR(dist="t"), "log-t": HAR(log=True, dist="t"), "FHS-HAR": FilteredHS(HAR()),
        "zero": HAR(mean="zero", lags=(1, 3, 10), rescale=False)}


def world(seed):
    "300 returns with clusters and outliers on days with holes, and a range measure of them."
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2019-01-01", periods=N + 25)
    days = days.delete(np.random.default_rng(0).choice(np.arange(5, N), 25, replace=False))
    vol = 0.01 * np.exp(0.4 * np.sin(np.arange(N) / 25))
    r = vol * rng.standard_t(4, N)
    r[[30, 111, 112, 205, 260]] = [-0.18, 0.15, -0.2, 0.12, -0.25]
    measure = 0.6 * vol**2 * rng.gamma(4, 0.25, N) + 0.1 * r**2
    return pd.Series(r, days, name="planted"), pd.DataFrame({"measure": measure, "other": rng.normal(size=N)}, days)


PAST, OTHER = world(1), world(2)


def spliced(t):
    "The past up to row t - 1, and another world from row t on."
    (y, X), (other, drivers) = PAST, OTHER
    return pd.concat([y.iloc[:t], 2.5 * other.iloc[t:].abs()]).rename(y.name), pd.concat([X.iloc[:t], 7 * drivers.iloc[t:]])


def said(models, y, X, block=True, **kw):
    models = models if isinstance(models, dict) else {"model": models}
    walk = walk_forward(models, y, n_test=N - WINDOW - REFIT - 2, window=WINDOW, refit=REFIT, X=X, block=block, **kw)
    return walk.forecasts.set_index(["target", "model", "level"])[SAID]


def leak(model, rows):
    "First row whose future changes what was said by then; None where there is none."
    base = said(model, *PAST)
    for t in rows:
        now = said(model, *spliced(t))
        known = base.index.get_level_values("target") <= PAST[0].index[t]  # the law of row t uses rows before t
        if not base[known].equals(now[known]):
            return t
    return None


def test_har_at_every_t():
    assert leak(MODELS, range(WINDOW, N)) is None


def test_har_with_shapes_and_pools_at_some_t():
    assert leak(SLOW, range(WINDOW + REFIT + 3, N, 9)) is None


@pytest.mark.slow
def test_har_with_shapes_and_pools_at_every_t():
    assert leak(SLOW, range(WINDOW, N)) is None


@pytest.mark.parametrize("name", [*MODELS, *SLOW])
def test_block_equals_step(name):
    model = {**MODELS, **SLOW}[name]
    assert said(model, *PAST).equals(said(model, *PAST, block=False))


def test_block_equals_step_over_five_days():
    assert said(HAR(), *PAST, horizon=5).equals(said(HAR(), *PAST, block=False, horizon=5))


def test_a_row_reads_the_days_before_it():
    model = HAR().fit(*(part.iloc[:200] for part in PAST))
    vol = lambda y, X: model._condition(y.to_numpy(), X.to_numpy(), 0, N).vol
    base = vol(*PAST)
    assert (base[:200] == model.conditional_volatility).all()
    for t in (1, 2, 21, 22, 30, 150, 298):
        now = vol(*spliced(t))
        assert (now[: t + 1] == base[: t + 1]).all() and now[t + 1] != base[t + 1]


class ReadsToday(HAR):
    "The averages end on the day that is forecast."

    def _condition(self, y, X, start, stop):
        return super()._condition(y, np.vstack([X[1:], X[-1:]]), start, stop)


class ScalesByBlock(HAR):
    "The scale is that of all rows handed over."

    def _condition(self, y, X, start, stop):
        law = super()._condition(y, X, start, stop)
        return type(law)(law.mean, law.vol * (1 + X[start:, 0].std() if len(X) > start else law.vol), law.law)


@pytest.mark.parametrize("mutant", [ReadsToday(), ScalesByBlock()])
def test_a_planted_leak_is_caught(mutant):
    assert leak(mutant, range(WINDOW + REFIT + 2, N)) is not None
    assert not said(mutant, *PAST).equals(said(mutant, *PAST, block=False))


def test_a_stored_model_forecasts_the_same_bits():
    import json

    for model in (HAR(), HAR(log=True, dist="t")):
        fitted = model.fit(*(part.iloc[:200] for part in PAST))
        back = RiskModel._from_artifact(json.loads(json.dumps(fitted._to_artifact())))
        args = (PAST[0].to_numpy(), PAST[1].to_numpy(), 100, 300)
        assert (back._condition(*args).value_at_risk(0.99) == fitted._condition(*args).value_at_risk(0.99)).all()
        assert (back.paths_after(*args[:2], 5, 100, 0) == fitted.paths_after(*args[:2], 5, 100, 0)).all()


# ---- HAR and bad input --------------------------------------------------------------------------------------------------------------


def finite(model, y, X):
    "Finite VaR for one day and for five, as a share of the series' own spread."
    fitted = model.clone().fit(y, X)
    found = np.concatenate([fitted.forecast(5).value_at_risk(0.99), fitted.forecast(5, aggregate=True).expected_shortfall(0.975)])
    assert np.isfinite(found).all() and (found > 0).all()
    return found / y.std()


@pytest.mark.parametrize("log", [False, True])
def test_scale_is_carried(log):
    y, X = PAST
    usual = finite(HAR(log=log), y, X)
    for scale in (1e-6, 1e3):
        assert np.allclose(finite(HAR(log=log), decimal(scale * y), scale**2 * X)[:5], usual[:5], rtol=1e-6)  # the sixth compounds
        assert np.allclose(finite(HAR(log=log), y, scale * X), usual, rtol=1e-6)  # the scale of the measure is estimated


@pytest.mark.parametrize("dist", ["normal", "t"])
@pytest.mark.parametrize("log", [False, True])
def test_one_crash_is_survived(log, dist):
    y, X = (part.copy() for part in PAST)
    y.iloc[-3], X.iloc[-3, 0] = -0.37, 0.1
    assert (finite(HAR(log=log, dist=dist), y, X) < 40).all()


@pytest.mark.parametrize(
    "error, words, change",
    [
        (TooShort, "at least 100", lambda y, X: (y.iloc[:20], X.iloc[:20])),
        (ConstantSeries, "all 300 returns equal", lambda y, X: (0 * y, X)),
        (MissingValue, "choose a window without gaps", lambda y, X: (y.mask(y.index == y.index[9]), X)),
        (MissingValue, "X: on 2019-01-1.* the measure is missing", lambda y, X: (y, X.where(X.index.to_series().ne(X.index[9]), np.nan))),
        (MissingValue, "the measure is missing or infinite", lambda y, X: (y, X.where(X.index.to_series().ne(X.index[9]), np.inf))),
        (BadArgument, "is negative; a variance is not", lambda y, X: (y, X[["other"]])),
        (BadArgument, "pass X", lambda y, X: (y, None)),
        (BadArgument, "pass X", lambda y, X: (y, X[[]])),
        (BadIndex, "same dates", lambda y, X: (y, X.iloc[1:])),
        (BadScale, "look like percent", lambda y, X: (100 * y, X)),
    ],
)
def test_bad_input_is_named(error, words, change):
    with pytest.raises(error, match=words):
        HAR().fit(*change(*PAST))


def test_bad_input_after_learning_is_named():
    model = HAR().fit(*(part.iloc[:200] for part in PAST))
    y, X = (part.iloc[200:202].copy() for part in PAST)
    X.iloc[1, 0] = np.nan
    with pytest.raises(MissingValue, match=f"X: on {X.index[1]:%Y-%m-%d}"):
        model.update(y, X)
    holed = PAST[1].copy()
    holed.iloc[-5, 0] = np.nan
    with pytest.raises(MissingValue, match="X: .* the measure is missing"):
        said(HAR(), PAST[0], holed)


@pytest.mark.parametrize("log", [False, True])
def test_a_constant_measure_falls_back_with_a_note(log):
    flat = 0 * PAST[1] + 1e-4
    model = HAR(log=log).fit(PAST[0], flat)
    assert model.note_.startswith("HAR fell back to EWMA") and (model.forecast().vol == EWMA().fit(PAST[0]).forecast().vol).all()
    with pytest.raises(NotConverged, match="no estimates"):
        model.params
    flat.iloc[7:9, 0] = 2e-4  # two days are enough for a finite answer
    finite(HAR(log=log), PAST[0], flat)


def test_returns_that_stand_still_after_the_first_weeks():
    y = PAST[0].copy()
    y.iloc[22:] = 0.0
    model = HAR(mean="zero").fit(y, PAST[1])
    assert "do not move" in model.note_


@pytest.mark.parametrize("arguments", [*({"lags": wrong} for wrong in ((), (5, 1), (1, 1), 5, (0, 5))), {"dist": "ged"}, {"mean": "ar"}])
def test_bad_arguments_are_named(arguments):
    with pytest.raises(BadArgument):
        HAR(**arguments).fit(*PAST)
    with pytest.raises(TooShort, match="needs"):
        HAR(lags=(1, 280)).fit(*PAST)


def test_a_measure_of_zero_days_serves_the_linear_form_only():
    y, X = (part.copy() for part in PAST)
    X.iloc[[50, 299], 0] = 0.0
    finite(HAR(), y, X)
    with pytest.raises(BadArgument, match="is zero, which has no logarithm"):
        HAR(log=True).fit(y, X)


# ---- judging ------------------------------------------------------------------------------------------------------------------------


def test_judging_refuses_what_cannot_be_judged():
    days = pd.bdate_range("2020-01-01", periods=100)
    f, p = pd.Series(1e-4, days, name="f"), pd.Series(np.random.default_rng(0).gamma(1, 1e-4, 100), days, name="p")
    holed = f.where(f.index != days[3])
    for bad, error in ((holed, MissingValue), (0 * f, BadArgument), (f.iloc[:10], TooShort), (f[::-1], BadIndex), (f.to_numpy(), BadArgument)):
        with pytest.raises(error):
            mincer_zarnowitz(bad, p)
        with pytest.raises(error):
            evaluate_volatility(bad, p)
    with pytest.raises(BadArgument):
        evaluate_volatility(f, -p)
    assert mincer_zarnowitz(f, p).rejected is None  # a constant forecast has no slope
    wild = pd.Series(np.geomspace(1e-14, 1e6, 100), days, name="wild")
    assert np.isfinite(evaluate_volatility(wild, p).table[["qlike", "mse", "wald"]].to_numpy(float)).all()
