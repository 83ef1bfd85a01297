"""Tests of unit roots, stationarity and breaks: against arch and statsmodels on many series, their size, bad input, verdicts, cost."""

import subprocess
import sys
import time
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics import stationarity as st
from risk_analytics_lib.utils.checks import BadArgument, BadIndex, BadLevel, ConstantSeries, MissingValue, RiskError, TooShort
from risk_analytics_lib.utils.datasets import load_sample

TESTS = {
    "adf": st.adf, "kpss": st.kpss, "phillips_perron": st.phillips_perron, "dfgls": st.dfgls, "zivot_andrews": st.zivot_andrews,
    "variance_ratio": st.variance_ratio,
}  # fmt: skip
NOT_KNOWN = {("kpss", "n"), ("dfgls", "n"), ("zivot_andrews", "n"), ("variance_ratio", "ct")}


def series(seed: int) -> np.ndarray:
    "An ARIMA-like series of some length, far from zero for some seeds."
    rng = np.random.default_rng(seed)
    n = int(rng.choice([60, 150, 400, 1200]))
    e = rng.standard_t(4, n + 3)
    changes = e[3:] + rng.uniform(-0.8, 0.8) * e[2:-1] + rng.uniform(-0.3, 0.3) * e[1:-2]
    x = np.zeros(n)
    for t in range(1, n):
        x[t] = rng.choice([1.0, 0.97]) * x[t - 1] + changes[t]
    return x + (1e4 if seed % 3 == 0 else 0.0)


@pytest.mark.parametrize("seed", range(12))
def test_same_numbers_as_arch_and_statsmodels(seed):
    "Lags chosen and statistics, to 1e-8, of every test for which both exist."
    import arch.unitroot as peer
    from statsmodels.tsa.stattools import adfuller
    from statsmodels.tsa.stattools import kpss as peer_kpss

    x = series(seed)
    near = x - x.mean()  # arch solves normal equations for Zivot-Andrews, which loses digits far from zero
    for trend in ("c", "ct"):
        pairs = [(st.adf(x, trend), peer.ADF(x, trend=trend)), (st.dfgls(x, trend), peer.DFGLS(x, trend=trend)),
                 (st.phillips_perron(x, trend), peer.PhillipsPerron(x, trend=trend)), (st.zivot_andrews(x, trend), peer.ZivotAndrews(near, trend=trend)),
                 (st.adf(x, trend, method="BIC"), peer.ADF(x, trend=trend, method="bic"))]  # fmt: skip
        for ours, theirs in pairs:
            assert ours.lags == theirs.lags, ours.test
            assert np.isclose(ours.statistic, theirs.stat, rtol=1e-8, atol=1e-8) and np.isclose(ours.pvalue, theirs.pvalue, rtol=1e-6, atol=1e-8), ours.test
        stat, p, lags, *_ = adfuller(x, regression=trend, result_object=False)
        assert st.adf(x, trend).lags == lags and np.isclose(st.adf(x, trend).statistic, stat, rtol=1e-8, atol=1e-8)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stat, p, lags, _ = peer_kpss(x, trend, "auto", result_object=False)
        ours = st.kpss(x, trend)
        assert (ours.lags, ours.pvalue) == (lags, pytest.approx(p)) and np.isclose(ours.statistic, stat, rtol=1e-8)
    joint = peer.VarianceRatio(x, lags=4)
    assert np.isclose(st.variance_ratio(x, lags=4).statistic, joint.stat, rtol=1e-6)


# Size: 400 series of 500 rows; the rate of a right test lies within 2 points of 5 %, give or take 2 for so few series (2,000 are in the notebook)

ON_WALKS = {
    "adf": st.adf, "adf ct": partial(st.adf, trend="ct"), "adf MAIC": partial(st.adf, method="MAIC"), "dfgls": st.dfgls,
    "phillips_perron": st.phillips_perron, "zivot_andrews": st.zivot_andrews, "variance_ratio": st.variance_ratio,
    "variance_ratio joint": partial(st.variance_ratio, lags=[2, 5, 10]),
}  # fmt: skip
ON_NOISE = {"kpss": st.kpss, "kpss ct": partial(st.kpss, trend="ct"), "ljung_box": st.ljung_box, "arch_lm": st.arch_lm, "jarque_bera": st.jarque_bera, "cusum": st.cusum}


@pytest.mark.parametrize("name", [*ON_WALKS, *ON_NOISE])
def test_size(name):
    noise = np.random.default_rng(7).standard_normal((400, 500))
    data, test = (noise.cumsum(1), ON_WALKS[name]) if name in ON_WALKS else (noise, ON_NOISE[name])
    assert abs(np.mean([test(x).rejected for x in data]) - 0.05) <= 0.04


def test_reversals_distort_and_maic_mends():
    "METHODS 2: a moving average of -0.8, 500 rows."
    e = np.random.default_rng(3).standard_normal((150, 501))
    y = (e[:, 1:] - 0.8 * e[:, :-1]).cumsum(1)
    rate = {name: np.mean([test(x).rejected for x in y]) for name, test in ON_WALKS.items() if name in ("adf", "adf MAIC", "phillips_perron")}
    assert rate["phillips_perron"] > 0.95 and rate["adf"] > 0.09 > 0.08 > rate["adf MAIC"]


# One face

DAYS = pd.bdate_range("2019-01-01", periods=300)
WALK = pd.Series(np.random.default_rng(0).standard_normal(300).cumsum(), pd.DatetimeIndex(list(DAYS)), name="WALK")


@pytest.mark.parametrize("name", TESTS)
def test_face(name):
    "Every test prints hypotheses, statistic, p-value, lags and decision, and needs no frequency."
    assert WALK.index.freq is None
    found = TESTS[name](WALK, "c", 4)
    assert isinstance(found, st.StationarityTest) and found.lags == 4 and list(found.critical_values) == ["1%", "5%", "10%"]
    assert 0 <= found.pvalue <= 1 and found.to_frame().shape[0] == 1
    for word in ("H0", "H1", "statistic", "p-value", "lags", "critical", "decision"):
        assert word in found.summary() and word in found._repr_html_()
    for trend in ("c", "ct", "n"):
        if (name, trend) in NOT_KNOWN:
            with pytest.raises(BadArgument, match="this test knows"):
                TESTS[name](WALK, trend)
        else:
            assert np.isfinite(TESTS[name](WALK, trend).statistic)


BAD = {
    "text": (lambda: pd.Series(["a"] * 60), BadArgument, "not numeric"),
    "two columns": (lambda: np.ones((60, 2)), BadArgument, "2 dimensions"),
    "constant": (lambda: np.full(60, 3.0), ConstantSeries, "3 throughout"),
    "NaN": (lambda: WALK.where(WALK.index != DAYS[5]), MissingValue, "WALK is nan at 2019-01-08"),
    "infinite": (lambda: WALK.where(WALK.index != DAYS[5], np.inf), MissingValue, "inf at 2019-01-08"),
    "backwards": (lambda: WALK[::-1], BadIndex, "not in order"),
    "twice": (lambda: pd.concat([WALK, WALK]).sort_index(), BadIndex, "twice"),
    "empty": (lambda: WALK[:0], TooShort, "0 values"),
    "short": (lambda: WALK[:5], TooShort, "5 values"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("name", [*TESTS, "cusum", "bai_perron", "bds"])
def test_bad_input_is_named(name, case):
    make, error, words = BAD[case]
    with pytest.raises(error, match=words):
        getattr(st, name)(make())


@pytest.mark.parametrize("name", TESTS)
def test_more_lags_than_data(name):
    with pytest.raises(TooShort, match="lags=200"):
        TESTS[name](WALK[:100], "c", 200)
    with pytest.raises(BadLevel, match="did you mean 0.05"):
        TESTS[name](WALK, significance=0.95)


@pytest.mark.parametrize("seed", range(30))
def test_any_series_gives_an_answer_or_a_named_error(seed):
    "Lines, steps, rounded, rare, tiny and huge values: a finite statistic or a RiskError, never another error."
    rng = np.random.default_rng(seed)
    n = int(rng.choice([21, 35, 120, 400]))
    walk = rng.standard_normal(n).cumsum()
    kinds = [walk, walk.round(0), 1e-12 * walk + 1, 1e15 * walk, np.arange(n) * 0.1, np.r_[np.zeros(n - 3), 1, 2, 3.0], np.tile([0.0, 1.0], n)[:n],
             np.exp(walk / 2), walk.cumsum(), np.where(rng.random(n) < 0.05, 1.0, 0.0), np.r_[np.zeros(n // 2), np.ones(n - n // 2)]]  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for x in kinds:
            for name in (*TESTS, "cusum"):
                try:
                    found = getattr(st, name)(x)
                except RiskError:
                    continue
                assert np.isfinite(found.statistic) and 0 <= found.pvalue <= 1, (name, seed)
            try:
                st.bai_perron(x)
            except RiskError:
                pass
            st.stationarity_report(pd.DataFrame({"x": x}))


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e6])
def test_unit_and_origin_do_not_matter(scale):
    for name in ("adf", "kpss", "dfgls", "zivot_andrews", "variance_ratio", "phillips_perron", "cusum"):
        a, b = getattr(st, name)(WALK), getattr(st, name)(scale * (WALK + 7))
        assert a.lags == b.lags and np.isclose(a.statistic, b.statistic, rtol=1e-6), name


def test_a_bound_decides_at_the_edge_of_the_table():
    "A p-value clipped at 10 % does not reject at 10 %, one clipped at 1 % rejects at 1 %."
    noise = np.random.default_rng(0).standard_normal(300)
    assert st.kpss(noise).bound == ">=" and not st.kpss(noise, significance=0.10).rejected
    assert st.kpss(noise.cumsum()).bound == "<=" and st.kpss(noise.cumsum(), significance=0.01).rejected
    with pytest.raises(BadArgument, match="tabulated from 0.01 to 0.1 only"):
        st.kpss(noise, significance=0.005)


# The report


def test_verdicts_of_the_sample():
    "Prices I(1), returns I(0), the VIX no price. The notebook has all 35."
    market = load_sample()
    logs = np.log(market.prices[["SPX", "AAPL", "KO", "EUR", "CHF", "VLUE"]])
    assert set(st.stationarity_report(logs).verdicts) == {"I(1)"}
    assert set(st.stationarity_report(logs.diff()).verdicts) == {"I(0)"}
    assert st.stationarity_report(market.prices["VIX"]).verdicts["VIX"] == "I(0)"


def test_report_states_what_it_did():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"late": rng.standard_normal(300).cumsum(), "flat": 5.0, "none": np.nan, "double": rng.standard_normal(300).cumsum().cumsum()}, DAYS)
    frame.loc[DAYS[:270], "late"] = np.nan
    report = st.stationarity_report(frame)
    table = report.to_frame().set_index("asset")
    assert "270 missing rows before the first value left out" in table.loc["late", "warnings"] and "only 30 rows" in table.loc["late", "warnings"]
    assert dict(table["verdict"].iloc[1:]) == {"flat": "not tested", "none": "not tested", "double": "I(2)"}
    assert "flat is 5 throughout" in report.summary() and "flat is 5 throughout" in report._repr_html_()
    assert report.plot().layout.meta["alt"].startswith("Verdicts: ")


def test_report_refuses_a_hole_by_column_and_date():
    frame = pd.DataFrame({"A": WALK, "B": WALK.where(WALK.index != DAYS[9])})
    with pytest.raises(MissingValue, match=r"B is nan at 2019-01-14 \(1 in all\)"):
        st.stationarity_report(frame)


def test_a_column_does_not_depend_on_its_neighbours():
    frame = pd.DataFrame(np.random.default_rng(4).standard_normal((400, 3)).cumsum(0), columns=list("ABC"))
    whole = st.stationarity_report(frame).to_frame()
    alone = pd.concat([st.stationarity_report(frame[c]).to_frame() for c in frame], ignore_index=True)
    pd.testing.assert_frame_equal(whole, alone, check_exact=True)


def test_report_of_24_series_takes_seconds():
    "Ten seconds are allowed; it takes about one, and no more than six fits of statsmodels' ADF on the same series."
    from statsmodels.tsa.stattools import adfuller

    frame = pd.DataFrame(np.random.default_rng(1).standard_normal((8_000, 24)).cumsum(0)).add_prefix("series ")
    start = time.process_time()
    st.stationarity_report(frame)
    ours = time.process_time() - start
    start = time.process_time()
    adfuller(frame["series 0"].to_numpy(), result_object=False)
    assert ours < 10 and ours < 24 * (time.process_time() - start)


# Breaks


def test_breaks_by_brute_force():
    "The smallest sum of squares over every pair of dates."
    from risk_analytics_lib.econometrics.breaks import partitions

    rng = np.random.default_rng(5)
    for _ in range(20):
        x = rng.standard_normal(40) + 2 * (np.arange(40) > rng.integers(8, 32))
        cost = {(i, j): ((x[:i] - x[:i].mean()) ** 2).sum() + ((x[i:j] - x[i:j].mean()) ** 2).sum() + ((x[j:] - x[j:].mean()) ** 2).sum()
                for i in range(5, 31) for j in range(i + 5, 36)}  # fmt: skip
        best = min(cost, key=cost.get)
        ssr, rows = partitions(x, 2, 5)[2]
        assert tuple(rows) == best and np.isclose(ssr, cost[best], rtol=1e-10)


def test_known_breaks_are_found():
    "Two shifts of one and a half standard deviations in 100 series: the right number in nine of ten, dates inside 95 % intervals as often as they say."
    rng, hits, right = np.random.default_rng(6), [], 0
    for _ in range(100):
        x = rng.standard_normal(300) + np.repeat([0.0, 1.5, 0.0], 100)
        found = st.bai_perron(x, lags=0)
        right += found.n_breaks == 2
        if found.n_breaks == 2:
            hits += [low <= true <= high for low, high, true in zip(found.breaks["low"], found.breaks["high"], (100, 200))]
    assert right >= 88 and np.mean(hits) > 0.9


def test_breaks_of_a_constant_within_segments():
    "A step without noise: the date is exact."
    found = st.bai_perron(np.r_[np.zeros(40), np.ones(60)], lags=0)
    assert list(found.breaks["break"]) == [40] and np.allclose(found.segments["mean"], [0, 1])


# Cost of an import


def test_engines_are_imported_when_they_are_asked():
    code = "import sys, risk_analytics_lib.econometrics.stationarity; print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert not loaded & {"arch", "statsmodels", "scipy.stats", "plotly", "numba", "pmdarima"}
