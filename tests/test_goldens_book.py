"The book against published numbers and against the long way round: contributions, bridge, stress, look-ahead."

import math
import warnings
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from lessons import ROOT

from risk_analytics_lib.risk.bridge import shapley, var_bridge
from risk_analytics_lib.risk.exposure import component_es, component_var, group_pnl, incremental_es, marginal_var, pnl_components
from risk_analytics_lib.risk.limits import check_limits, verdict
from risk_analytics_lib.risk.measures import expected_shortfall, value_at_risk
from risk_analytics_lib.risk.portfolio import Portfolio
from risk_analytics_lib.risk.stress import BOOK, historical_scenario, scenario_table, worst_scenarios
from risk_analytics_lib.utils.checks import UnpricedAsset
from risk_analytics_lib.utils.datasets import load_sample

GOLDEN = ROOT.parent / "shared" / "golden" / "data"
MEASURES = {"value_at_risk": component_var, "expected_shortfall": component_es}
METHODS = ("historical", "normal", "modified")


@pytest.fixture(scope="module")
def edhec() -> pd.DataFrame:
    if not (GOLDEN / "edhec.csv").exists():
        pytest.skip("edhec.csv is not on this machine: its licence does not let it be shipped")
    return pd.read_csv(GOLDEN / "edhec.csv", index_col=0, parse_dates=True).iloc[:, :5]


@pytest.fixture(scope="module")
def sample():
    return load_sample()


@pytest.fixture(scope="module")
def book(sample) -> Portfolio:
    return Portfolio.from_positions(sample.positions, sample.prices)


# Published numbers


@pytest.mark.parametrize(("component", "expected"), [(component_var, 0.02075647331), (component_es, 0.04189713176)])
def test_e14_modified_components_of_performance_analytics(edhec, component, expected):
    table = component(edhec, [0.2] * 5, 0.95, method="modified")
    assert table.attrs["whole"] == pytest.approx(expected, abs=5e-12)
    assert table["component"].sum() == pytest.approx(expected, abs=5e-12)


def by_tensors(returns, w, alpha, measure):
    "Boudt-Peterson-Croux as printed: covariance, co-skewness and co-kurtosis matrices, partial moments as recursions."
    x = (returns - returns.mean()).to_numpy()
    n, size = x.shape
    m2 = np.cov(x.T)
    m3 = sum(np.outer(r, np.kron(r, r)) for r in x) / n
    m4 = sum(np.outer(r, np.kron(np.kron(r, r), r)) for r in x) / n
    ww, www = np.kron(w, w), np.kron(np.kron(w, w), w)
    v, v3, v4 = w @ m2 @ w, w @ m3 @ ww, w @ m4 @ www
    dv, dv3, dv4 = 2 * m2 @ w, 3 * m3 @ ww, 4 * m4 @ www
    s, k = v3 / v**1.5, v4 / v**2 - 3
    ds, dk = dv3 / v**1.5 - 1.5 * v3 * dv / v**2.5, dv4 / v**2 - 2 * v4 * dv / v**3
    u = NormalDist().inv_cdf(alpha)
    h = u + (u**2 - 1) * s / 6 + (u**3 - 3 * u) * k / 24 - (2 * u**3 - 5 * u) * s**2 / 36
    dh = (u**2 - 1) * ds / 6 + (u**3 - 3 * u) * dk / 24 - (2 * u**3 - 5 * u) * s * ds / 18
    sd, dsd, mu = math.sqrt(v), dv / (2 * math.sqrt(v)), returns.mean().to_numpy()
    if measure == "value_at_risk":
        return w * (-mu - dsd * h - sd * dh)
    z = np.linspace(-14, h, 400_001)
    phi = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    he3, he4, he6 = z**3 - 3 * z, z**4 - 6 * z**2 + 3, z**6 - 15 * z**4 + 45 * z**2 - 15
    area = lambda f: np.trapezoid(z * f * phi, z)
    tail = area(1 + s * he3 / 6 + k * he4 / 24 + s**2 * he6 / 72)
    g_h = phi[-1] * (1 + s * he3[-1] / 6 + k * he4[-1] / 24 + s**2 * he6[-1] / 72)
    dtail = area(he3) * ds / 6 + area(he4) * dk / 24 + area(he6) * s * ds / 36 + h * g_h * dh
    return w * (-mu - (dsd * tail + sd * dtail) / alpha)


@pytest.mark.parametrize("measure", MEASURES)
def test_modified_components_equal_the_tensor_formulas(edhec, measure):
    w = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = MEASURES[measure](edhec, w, 0.95, method="modified")
    np.testing.assert_allclose(table["component"], by_tensors(edhec, w, 0.05, measure), atol=1e-9)


def test_p01_jorion_two_currencies():
    "The Canadian dollar and the euro of Jorion's chapter 7, at his z of 1.65."
    days = pd.DataFrame({"CAD": [1, 1, -1, -1], "EUR": [1, -1, 1, -1]}) * math.sqrt(3 / 4) * [0.05, 0.12]
    level = NormalDist().cdf(1.65)
    table = component_var(days, {"CAD": 2e6, "EUR": 1e6}, level, method="normal")
    np.testing.assert_allclose(table["standalone"], [165_000, 198_000], atol=1)
    np.testing.assert_allclose(table["component"], [105_630, 152_108], atol=1)
    assert table["component"].sum() == pytest.approx(257_738, abs=1)
    np.testing.assert_allclose(marginal_var(days, {"CAD": 2e6, "EUR": 1e6}, level, "normal")["marginal"], [0.0528, 0.1521], atol=5e-5)


# Sums


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("case", ["plain", "ties", "hedged", "one asset", "short sample"])
def test_components_sum_to_the_whole(case, measure, method):
    rng = np.random.default_rng(5)
    x = rng.standard_t(4, (601, 5)) * 0.01 @ rng.normal(size=(5, 5))
    w = np.array([3.0, -2.0, 1.0, 0.0, 0.5]) * 1e6
    if case == "ties":
        x = np.round(x, 2)
    if case == "hedged":
        x[:, 1], w[1] = x[:, 0], -w[0] + 1
    if case == "one asset":
        x, w = x[:, :1], w[:1]
    if case == "short sample":
        x = x[:41]
    returns = pd.DataFrame(x, columns=list("ABCDE")[: x.shape[1]])
    for level in (0.9, 0.975, 0.99):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = MEASURES[measure](returns, w, level, method)
        assert table["component"].sum() == pytest.approx(table.attrs["whole"], rel=1e-12)
        if method == "historical":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                whole = (value_at_risk if measure == "value_at_risk" else expected_shortfall)((x * w).sum(axis=1), level)
            assert table.attrs["whole"] == pytest.approx(whole, rel=1e-12)


def test_order_of_scenarios_and_assets_plays_no_part():
    rng = np.random.default_rng(6)
    pnl = pd.DataFrame(np.round(rng.standard_t(3, (500, 4)) * 10), columns=list("ABCD"))
    table, turned = pnl_components(pnl, 0.975), pnl_components(pnl.sample(frac=1, random_state=1)[list("DBCA")], 0.975)
    pd.testing.assert_frame_equal(table, turned.loc[list("ABCD")], rtol=1e-12)


def test_incremental_is_the_book_without_the_asset():
    rng = np.random.default_rng(7)
    returns = pd.DataFrame(rng.standard_t(5, (400, 3)), columns=list("ABC"))
    apart = incremental_es(returns, [1.0, -0.5, 2.0], 0.975)["incremental"]
    for name in "ABC":
        w = pd.Series({"A": 1.0, "B": -0.5, "C": 2.0})
        without = expected_shortfall((returns * w.where(w.index != name, 0.0)).sum(axis=1), 0.975)
        assert apart[name] == pytest.approx(expected_shortfall((returns * w).sum(axis=1), 0.975) - without, rel=1e-10)


def test_a_riskless_book_has_riskless_components():
    flat = pd.DataFrame(np.zeros((300, 2)), columns=["A", "B"])
    for measure in MEASURES:
        for method in METHODS:
            table = pnl_components(flat, 0.975, measure, method)
            assert (table["component"] == 0).all() and table["share"].isna().all()


# P&L of the sample and of foreign assets


def test_cross_term_against_revaluation():
    "Random quantities in three currencies, revalued in base currency price by price."
    rng = np.random.default_rng(8)
    names, quoted = list("ABCDEF"), ["USD", "EUR", "EUR", "JPY", "JPY", "USD"]
    quantity, price = rng.normal(0, 1e4, 6), rng.uniform(5, 200, 6)
    fx = {"USD": 1.0, "EUR": 1.1, "JPY": 0.007}
    day = pd.DatetimeIndex(["2022-12-28"])
    prices = pd.DataFrame([np.r_[price, 1.1, 0.007]], day, [*names, "EUR", "JPY"])
    cash = pd.DataFrame({"asset": ["EUR", "USD"], "quantity": [1e5, 2e5], "currency": ["EUR", "USD"]})
    positions = pd.concat([pd.DataFrame({"asset": names, "quantity": quantity, "currency": quoted}), cash])
    moves = pd.DataFrame(rng.normal(0, 0.1, (50, 8)), columns=[*names, "EUR", "JPY"])
    pnl = Portfolio.from_positions(positions, prices).pnl(moves)
    rate = np.array([fx[c] for c in quoted])
    moved = np.column_stack([(1 + moves[c]) if c != "USD" else np.ones(50) for c in quoted])
    exact = quantity * rate * price * ((1 + moves[names].to_numpy()) * moved - 1)
    np.testing.assert_allclose(pnl[names], exact, rtol=1e-10, atol=1e-6)
    np.testing.assert_allclose(pnl["EUR"], 1e5 * 1.1 * moves["EUR"], rtol=1e-12)
    assert (pnl["USD"] == 0).all()


def test_pnl_of_the_sample_is_the_change_of_its_value(sample, book):
    days = sample.prices.index[-300:]
    returns = sample.prices[book.lines["asset"].unique()].pct_change(fill_method=None).loc[days]
    gain, value = book.pnl_history(returns).sum(axis=1), book.exposure_history(days).sum(axis=1)
    quiet = ~gain.index.isin(sample.positions["as_of"])
    np.testing.assert_allclose(gain[quiet], value.diff()[1:][quiet], atol=1e-5)
    by_desk = book.pnl_history(returns, by="desk").sum(axis=1)
    np.testing.assert_allclose(by_desk, gain, atol=1e-6)


def exposures_stand(sample, book, dates):
    "Positions and prices after each date are nonsense, and the exposures keep their bits."
    for date in dates:
        prices = sample.prices.loc[date - pd.Timedelta(days=20) : date + pd.Timedelta(days=5)].copy()
        prices.loc[prices.index > date] = 1e9
        near = sample.positions[(sample.positions["as_of"] - date).abs() <= pd.Timedelta(days=40)].copy()
        near.loc[near["as_of"] > date, ["quantity", "market_value"]] = -1e9
        spoilt = Portfolio.from_positions(near, prices)
        pd.testing.assert_series_equal(spoilt.exposures_at(date), book.exposures_at(date), check_exact=True)


@pytest.mark.parametrize("start", [0, 200, 3000])
def test_exposures_of_the_sample_do_not_look_ahead(sample, book, start):
    first = sample.prices.index.searchsorted(sample.positions["as_of"].min()) + start
    exposures_stand(sample, book, sample.prices.index[first : first + 30])


@pytest.mark.slow
def test_exposures_of_the_sample_do_not_look_ahead_at_any_date(sample, book):
    exposures_stand(sample, book, sample.prices.index[sample.prices.index >= sample.positions["as_of"].min()])


def test_one_pass_over_many_days_equals_single_days(sample, book):
    days = sample.prices.index[-40:]
    together = book.exposure_history(days)
    for date in days:
        alone = book.exposures_at(date)
        pd.testing.assert_series_equal(together.loc[date, alone.index], alone, check_exact=True, check_names=False)


def test_an_unpriced_asset_is_named_and_the_others_go_on(sample):
    last = sample.positions[sample.positions["as_of"] == sample.positions["as_of"].max()]
    with_typo = pd.concat([last, last.iloc[:1].assign(asset="APPL")], ignore_index=True)
    wrong = Portfolio.from_positions(with_typo, sample.prices)
    for attempt in (wrong.check_priced, wrong.exposures_at, wrong.gross):
        with pytest.raises(UnpricedAsset, match="APPL"):
            attempt()
    kept, lost = wrong.keep_priced()
    assert lost == ["APPL"]
    pd.testing.assert_series_equal(kept.exposures_at(), Portfolio.from_positions(last, sample.prices).exposures_at())


def test_component_es_of_the_sample_by_desk(sample, book):
    returns = sample.prices[book.exposures_at().index].pct_change(fill_method=None).iloc[-1000:]
    pnl = book.pnl(returns)
    desk = book.lines.drop_duplicates("asset").set_index("asset")["desk"]
    whole = expected_shortfall(pnl.sum(axis=1), 0.975)
    for matrix in (pnl, group_pnl(pnl, desk), book.pnl(returns, by="desk"), book.pnl(returns, by="sector")):
        assert pnl_components(matrix, 0.975)["component"].sum() == pytest.approx(whole, rel=1e-12)


# Bridge


@pytest.mark.parametrize("count", [2, 3, 5])
def test_shapley_puts_a_planted_change_where_it_was_planted(count):
    rng = np.random.default_rng(9)
    names = [f"s{i}" for i in range(count)]
    before = dict(zip(names, rng.normal(size=count), strict=True))
    value = lambda s: math.exp(sum(s.values())) * np.prod([1 + v**2 for v in s.values()])
    for planted in names:
        parts = shapley(before, before | {planted: before[planted] + 0.7}, value)
        assert (parts.drop(planted).abs() <= 1e-10).all()
        assert parts[planted] == pytest.approx(value(before | {planted: before[planted] + 0.7}) - value(before), rel=1e-12)


def test_bridge_of_the_sample_sums_over_250_days(sample, book):
    days = sample.prices.index[-251:]
    exposures, returns = book.exposure_history(days), sample.prices[book.lines["asset"].unique()].pct_change(fill_method=None)
    at = [returns.index.get_loc(d) for d in days]
    states = [{"exposures": exposures.iloc[k], "scenarios": returns.iloc[i - 499 : i + 1]} for k, i in enumerate(at)]
    for before, after in zip(states, states[1:], strict=False):
        bridge = var_bridge(before, after, 0.975, "expected_shortfall")
        assert abs(bridge.drivers.sum() - bridge.change) <= 1e-10 * bridge.after


# Stress and limits


def test_stress_of_an_asset_without_history_is_never_zero(sample):
    held = pd.Series({"AAPL": 5e6, "MTUM": 5e6})
    returns = sample.prices[held.index].pct_change(fill_method=None).iloc[1:]
    table = scenario_table(held, returns, sample.events)
    early = table[(table["asset"] == "MTUM") & (table["end"] < "2014-01-01")]
    assert len(early) and early["pnl"].isna().all() and early["note"].str.startswith("n/a - no data before 2014").all()
    sums = table[(table["asset"] == BOOK) & (table["end"] < "2014-01-01")]
    assert (sums["coverage"] == 0.5).all() and sums["note"].str.startswith("covers 50.0 % of gross exposure; n/a: MTUM").all()
    nothing = scenario_table(held[["MTUM"]], returns, sample.events)
    assert nothing.loc[(nothing["asset"] == BOOK) & (nothing["end"] < "2014-01-01"), "pnl"].isna().all()
    assert (worst_scenarios(nothing, 99)["start"] > "2014-01-01").all()


def test_stress_replays_the_prices(sample):
    names = ["AAPL", "XOM", "SPX"]
    returns = sample.prices[names].pct_change(fill_method=None)
    for _, event in sample.events.iterrows():
        before = sample.prices.index[sample.prices.index.searchsorted(event["start"]) - 1]
        end = sample.prices.index[sample.prices.index.searchsorted(event["end"], side="right") - 1]
        expected = sample.prices.loc[end, names] / sample.prices.loc[before, names] - 1
        np.testing.assert_allclose(historical_scenario(returns, event["start"], event["end"]), expected, rtol=1e-10)


def test_a_limit_without_value_is_never_ok(sample):
    table = check_limits(sample.limits, pd.DataFrame({"measure": ["gross"], "value": [97e6]}))
    assert table["status"].tolist().count("n/a") == len(sample.limits) - 1
    assert verdict(table) == f"▲ no limit breach · {len(sample.limits) - 1} not checked (n/a)"
