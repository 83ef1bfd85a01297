"Every feature knows what it may at the close of its date, and no more; every rolling number is that of pandas; planted leaks are named."

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from risk_analytics_lib.utils import feature_families
from risk_analytics_lib.utils.checks import BadArgument, BadIndex, MissingValue, TooShort
from risk_analytics_lib.utils.datasets import load_sample
from risk_analytics_lib.utils.features import FAMILIES, FEATURES, exponential_average, leaking_features, make_features, rolling_beta, rolling_statistics, trailing_drawdown
from risk_analytics_lib.utils.rolling import STATISTICS

N, WINDOWS, COVERAGE = 48, (4, 7), 0.6


def planted(seed=3):
    "48 days of four assets: gaps, outliers, a late listing, a stale stretch; bars, volumes, a rate and events."
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2023-11-01", periods=N, name="date")
    r = pd.DataFrame(0.01 * rng.standard_t(4, (N, 4)), days, ["A", "B", "C", "D"])
    r.iloc[[12, 30], 0], r.iloc[25, 1] = [-0.4, 0.5], 3.0
    r.iloc[9:12, 1], r.iloc[31, 2], r.iloc[:14, 3], r.iloc[35:42, 2] = np.nan, np.nan, np.nan, 0.001
    close = 100 * (1 + r["A"]).cumprod()
    opened = close / (1 + 0.003 * rng.standard_normal(N))
    bars = pd.DataFrame({"open": opened, "high": np.fmax(opened, close) * 1.004, "low": np.fmin(opened, close) * 0.995, "close": close})
    bars.iloc[20] = np.nan
    volume = pd.DataFrame(rng.lognormal(10, 0.5, (N, 2)), days, ["A", "B"])
    volume.iloc[17, 0] = np.nan
    rates = pd.DataFrame({"DGS10": 4 + 0.05 * rng.standard_normal(N).cumsum()}, days)
    return {"returns": r, "ohlc": {"A": bars}, "volume": volume, "rates": rates}


EVENTS = pd.DataFrame({"date": pd.to_datetime(["2023-11-10", "2023-12-13", "2024-02-02"]), "known_at": pd.to_datetime(["2023-11-20", "2023-08-01", "2023-12-20"])})


def made(data, families=FAMILIES):
    return make_features(**data, families=families, windows=WINDOWS, coverage=COVERAGE, events=EVENTS, all_missing="keep")


DATA = planted()
HAR = [f for f in FAMILIES if f != "har"]  # har has its own window of 22 and is tried with the rows that allow it


def test_every_documented_feature_is_made_and_no_other():
    names = set(made(DATA).columns.get_level_values("feature"))
    documented = {name.format(w=w) for name in FEATURES.index for w in WINDOWS}
    assert names == documented


def test_no_feature_sees_the_future_at_any_t_and_a_block_equals_its_steps():
    found = leaking_features(made, DATA, lags={"rates": 1})
    assert found.empty, found


def test_every_step_is_heard():
    "The cut world above is skipped where a window does not fit: count that it is not skipped everywhere."
    full = made(DATA, HAR)
    for t in range(max(WINDOWS) - 1, N):
        cut = {k: {a: b.iloc[: t + 1] for a, b in v.items()} if isinstance(v, dict) else v.iloc[: t + 1] for k, v in DATA.items()}
        pd.testing.assert_frame_equal(made(cut, HAR), full.iloc[: t + 1], check_exact=True, check_freq=False)


def test_an_event_is_not_known_before_it_is_announced():
    f = made(DATA, ["events", "schedule"])["*"]
    assert f["event_since"].loc[:"2023-11-17"].isna().all() and f["event_since"].loc["2023-11-20"] == 6
    assert np.isnan(f["event_until"].loc["2023-12-19"]) and f["event_until"].loc["2023-12-20"] == 44
    later = EVENTS.assign(date=EVENTS["date"].where(EVENTS["known_at"] < "2023-12-20", pd.Timestamp("2024-03-01")))
    other = make_features(DATA["returns"], ["events", "schedule"], events=later)["*"]
    pd.testing.assert_frame_equal(f.loc[:"2023-12-19"], other.loc[:"2023-12-19"])


# --- planted leaks: features of ours, each spoilt in one place --------------------------------------------------------------------


def spoilt(monkeypatch, family, how):
    name = {"returns": "return_features", "volatility": "volatility_features", "momentum": "momentum_features", "rates": "rate_features", "cross": "cross_features",
            "volume": "volume_features", "range": "range_features", "drawdown": "drawdown_features"}[family]
    honest = getattr(feature_families, name)
    monkeypatch.setattr(feature_families, name, lambda panel: how(honest(panel), panel))


def each(work):
    return lambda found, panel: {name: work(frame) for name, frame in found.items()}


MUTANTS = {
    "centred window": ("volatility", each(lambda f: f.shift(-2))),
    "z-score of the full sample": ("returns", each(lambda f: (f - f.mean()) / f.std())),
    "shift(-1)": ("momentum", each(lambda f: f.shift(-1))),
    "bfill": ("returns", each(lambda f: f.bfill())),
    "interpolated": ("volume", each(lambda f: f.interpolate())),
    "clipped at a quantile of all": ("cross", each(lambda f: f.clip(upper=f.quantile(0.9), axis=1))),
    "ranked over all": ("range", each(lambda f: f.rank(pct=True))),
    "a rate of today": ("rates", lambda found, panel: {"rate_level": panel.rates}),
    "scaled by the last row": ("drawdown", each(lambda f: f / f.iloc[-1])),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_planted_leak_is_named(monkeypatch, mutant):
    family, how = MUTANTS[mutant]
    spoilt(monkeypatch, family, how)
    found = leaking_features(lambda data: made(data, HAR), DATA, rows=range(8, N - 1, 5), lags={"rates": 1})
    assert len(found) and set(FEATURES["family"][[name for name in FEATURES.index if {name.format(w=w) for w in WINDOWS} & {f[1] for f in found["feature"]}]]) == {family}


def test_a_center_from_tomorrow_is_caught():
    "A block of rows centered on the first value still to come, as a lazy kernel would; ours waits for it."
    x = DATA["returns"][["A"]].copy()
    x.iloc[[7, 8, 21, 22, 23]] = np.nan  # blocks of seven that start with a hole

    def lazy(x):
        center = x.groupby(np.arange(len(x)) // 7).transform("first")
        return (x - center).rolling(3, min_periods=1).mean() + center

    assert leaking_features(lazy, x)["feature"].tolist() == ["A"]
    for name in STATISTICS[:5]:
        assert leaking_features(lambda x: rolling_statistics(x, name, 7, 0.6)[name], x).empty


# --- numbers ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample():
    return load_sample().returns(assets=["AMD", "SPX", "WTI", "EUR", "UST_10Y"]).loc["2005":]


@pytest.mark.parametrize("window, coverage", [(5, 1.0), (22, 0.8), (250, 0.9)])
def test_rolling_numbers_are_those_of_pandas_and_scipy(sample, window, coverage):
    found = rolling_statistics(sample, STATISTICS, window, coverage)
    r = sample.rolling(window, min_periods=max(4, int(np.ceil(coverage * window))))
    theirs = {"std": r.std(), "mean": r.mean(), "z": (sample - r.mean()) / r.std(), "min": r.min(), "max": r.max()}
    for name, frame in theirs.items():
        moves = theirs["std"] > (1e-15 if name == "z" else -1.0)
        pd.testing.assert_frame_equal(found[name].where(moves), frame.where(moves), rtol=1e-10, atol=1e-10)
    for row in range(window, len(sample), 97):
        w = sample.iloc[row - window + 1 : row + 1].to_numpy()
        for j in range(w.shape[1]):
            x = w[~np.isnan(w[:, j]), j]
            if len(x) >= max(4, coverage * window) and np.ptp(x) > 0:
                known = [stats.skew(x, bias=False), stats.kurtosis(x, bias=False)]
                np.testing.assert_allclose([found["skew"].iat[row, j], found["kurtosis"].iat[row, j]], known, rtol=1e-10, atol=1e-10)


def test_exponential_average_and_drawdown_and_beta_are_those_of_pandas(sample):
    pd.testing.assert_frame_equal(exponential_average(sample, 0.94), sample.ewm(alpha=0.06, ignore_na=True).mean().where(sample.notna()), rtol=0, atol=1e-13)
    x = sample.iloc[-600:, :2].fillna(0.0)
    path = x.cumsum()
    np.testing.assert_allclose(trailing_drawdown(x, 60).iloc[60:], (path - path.rolling(61).max()).iloc[60:], rtol=0, atol=1e-12)
    slope, corr = rolling_beta(x, x.iloc[:, 0], 60)
    np.testing.assert_allclose(slope.iloc[59:, 1], (x.iloc[:, 1].rolling(60).cov(x.iloc[:, 0]) / x.iloc[:, 0].rolling(60).var()).iloc[59:], rtol=0, atol=1e-10)
    np.testing.assert_allclose(corr.iloc[59:, 1], x.iloc[:, 1].rolling(60).corr(x.iloc[:, 0]).iloc[59:], rtol=0, atol=1e-10)


def test_neighbours_change_no_bit():
    x = pd.DataFrame(np.random.default_rng(5).standard_t(3, (90, 131)))
    x = x.where(np.random.default_rng(6).random(x.shape) > 0.05)
    wide = rolling_statistics(x, STATISTICS, 9, 0.5)
    for j in (0, 63, 64, 130):
        alone = rolling_statistics(x[[j]], STATISTICS, 9, 0.5)
        for name in STATISTICS:
            np.testing.assert_array_equal(wide[name][j], alone[name][j])


# --- bad input -------------------------------------------------------------------------------------------------------------------

R = DATA["returns"]
BAD = {
    "few rows": (lambda: make_features(R.iloc[:5], "volatility", (4, 7)), TooShort, "5 rows, window=7 needs 7"),
    "all NaN": (lambda: make_features(R.iloc[:20], "volatility", (4, 7)), MissingValue, "D: vol_7 is NaN on all 20 dates"),
    "infinite": (lambda: make_features(R.replace(R.iat[3, 2], np.inf)), MissingValue, "C: inf on 2023-11-06"),
    "infinite rate": (lambda: make_features(R, "rates", (4,), rates=DATA["rates"] * np.inf), MissingValue, "DGS10: inf on 2023-11-01"),
    "family": (lambda: make_features(R, "sentiment"), BadArgument, "choose from returns"),
    "no family": (lambda: make_features(R, []), BadArgument, "families is empty"),
    "order": (lambda: make_features(R[::-1]), BadIndex, "not in order"),
    "hindsight": (lambda: make_features(R, "events", events=EVENTS[["date"]]), MissingValue, "hindsight"),
    "no bars": (lambda: make_features(R, "range"), MissingValue, "needs ohlc="),
    "one asset": (lambda: make_features(R[["A"]], "cross"), MissingValue, "two assets"),
    "series": (lambda: make_features(R["A"]), BadArgument, "to_frame"),
    "coverage": (lambda: make_features(R, coverage=2), BadArgument, "coverage=2"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case):
    work, error, message = BAD[case]
    with pytest.raises(error, match=message):
        work()


def test_nothing_is_filled_or_dropped():
    f = made(DATA)
    assert f.index.equals(R.index)
    assert f["B"]["return"].isna().equals(R["B"].isna()) and f["B"]["vol_ewma"].isna().equals(R["B"].isna())
