"Exposure the long way round: sums at every level, slopes by differences, drop loops, errors and factors with known truth, books that are not linear."

import warnings
from statistics import NormalDist
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from goldens import planted
from scipy.special import ndtr

from risk_analytics_lib import pipeline_tables
from risk_analytics_lib.risk import euler
from risk_analytics_lib.risk.exposure import (
    component_es, component_var, contributions, diversification, effective_bets, factor_components, incremental_es, incremental_var, marginal_es,
    marginal_expected_shortfall, marginal_var, over_evenings, pnl_components, risk_timeline, sample_scenarios, tail_scenarios, tree_components, without_each,
)
from risk_analytics_lib.risk.measures import expected_shortfall, value_at_risk
from risk_analytics_lib.risk.portfolio import DeltaGamma, Portfolio, factor_exposures, tree_gap
from risk_analytics_lib.risk.stress import historical_scenario
from risk_analytics_lib.utils.checks import BadArgument, BadFile, RiskError, UnpricedAsset

METHODS, MEASURES = ("historical", "normal", "modified"), {"value_at_risk": value_at_risk, "expected_shortfall": expected_shortfall}
LEVELS = (0.9, 0.975, 0.99)
TAIL = np.exp(-(NormalDist().inv_cdf(0.975) ** 2) / 2) / np.sqrt(2 * np.pi) / 0.025  # ES of a standard normal at 97.5 %


@pytest.fixture(scope="module")
def paths() -> pd.DataFrame:
    "P&L of forty positions in four desks and five sectors; some assets are at two desks."
    rng = np.random.default_rng(1)
    market = rng.standard_t(4, (750, 1))
    values = (market * rng.normal(0.4, 0.6, 40) + rng.standard_t(5, (750, 40))) * rng.uniform(1e3, 1e5, 40)
    labels = [rng.choice([f"desk {k}" for k in range(4)], 40), rng.choice([f"sector {k}" for k in range(5)], 40), [f"asset {k % 30}" for k in range(40)]]
    frame = pd.DataFrame(values, pd.bdate_range("2019-01-01", periods=750), pd.MultiIndex.from_arrays(labels, names=["desk", "sector", "asset"]))
    return frame.T.groupby(level=[0, 1, 2], sort=False).sum().T


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# Sums


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("measure", MEASURES)
def test_components_sum_at_every_level_of_the_tree(paths, measure, method):
    for level in LEVELS:
        tree = tree_components(paths, level, measure, method)
        whole = tree.attrs["whole"]
        assert tree_gap(tree, ["component", "share"]) == 0.0
        for depth, part in tree.groupby("depth"):
            own = part["component"] if depth < 3 else part["component"][part.index.get_level_values("asset") != ""]
            assert own.sum() == pytest.approx(whole, rel=1e-12)
        assert whole == pytest.approx(tree["standalone"].iloc[0], rel=1e-12)


def test_every_node_says_what_its_own_pnl_says(paths):
    tree = tree_components(paths, 0.975)
    desks = paths.T.groupby("desk", sort=False).sum().T
    flat = pnl_components(desks, 0.975)
    for column in flat:
        np.testing.assert_allclose(tree[tree["depth"] == 1][column], flat[column], rtol=1e-9)


@pytest.mark.parametrize("kernel", ["triangle", "epanechnikov", "normal", "uniform"])
@pytest.mark.parametrize("width", [None, 1e4, 1e6])
def test_every_kernel_sums_to_the_same_var(paths, kernel, width):
    table = pnl_components(paths, 0.99, "value_at_risk", kernel=kernel, bandwidth=width)
    assert table["component"].sum() == pytest.approx(value_at_risk(paths.sum(axis=1), 0.99), rel=1e-12)


# Euler's theorem, by differences


SMOOTH = [(measure, method) for measure in MEASURES for method in METHODS if (measure, method) != ("value_at_risk", "historical")]


@pytest.mark.parametrize(("measure", "method"), SMOOTH)
def test_components_are_weights_times_slopes(measure, method):
    "Historical VaR has no slope of its own: a kernel estimates that of the law, and is held against known truth below."
    rng = np.random.default_rng(2)
    returns = pd.DataFrame(rng.standard_t(5, (400, 4)) @ rng.normal(0, 0.01, (4, 4)), columns=list("ABCD"))
    w = pd.Series([0.4, -0.2, 0.5, 0.3], returns.columns)
    risk = lambda v: MEASURES[measure]((returns * v).sum(axis=1), 0.975, **({} if method == "historical" else {"method": method, "ddof": 1}))
    component, marginal = (component_var, marginal_var) if measure == "value_at_risk" else (component_es, marginal_es)
    slope = pd.Series({a: (risk(w + 1e-7 * (w.index == a)) - risk(w - 1e-7 * (w.index == a))) / 2e-7 for a in w.index})
    np.testing.assert_allclose(component(returns, w, 0.975, method)["component"], w * slope, atol=1e-8)
    np.testing.assert_allclose(marginal(returns, w, 0.975, method)["marginal"], slope, atol=1e-7)


# The risk without each part


def drop_loop(pnl: pd.DataFrame, measure, level):
    return np.array([MEASURES[measure](pnl.sum(axis=1), level) - MEASURES[measure](pnl.drop(columns=name).sum(axis=1), level) for name in pnl])


@pytest.mark.parametrize("level", LEVELS)
def test_incremental_is_a_drop_loop(level):
    rng = np.random.default_rng(3)
    returns, w = pd.DataFrame(rng.standard_t(4, (500, 60)) * 0.01), rng.normal(0, 1e6, 60)
    for ours, measure in ((incremental_var, "value_at_risk"), (incremental_es, "expected_shortfall")):
        loop = drop_loop(returns * w, measure, level)
        np.testing.assert_allclose(ours(returns, w, level)["incremental"], loop, rtol=0, atol=1e-12 * np.abs(w).sum())
        np.testing.assert_allclose(pnl_components(returns * w, level, measure)["incremental"], loop, rtol=0, atol=1e-12 * np.abs(w).sum())


def books():
    "P&L on which a wrong screen would be found out: giants, hedges, ties, copies, one part, more parts than scenarios."
    rng = np.random.default_rng(4)
    yield rng.standard_t(3, (300, 20)) * np.r_[np.ones(19), 500]
    yield np.c_[x := rng.standard_t(3, (300, 10)), -x]
    yield np.round(rng.standard_t(3, (300, 12)))
    yield np.repeat(rng.standard_t(3, (200, 1)), 15, axis=1)
    yield rng.standard_t(3, (100, 1))
    yield rng.standard_t(3, (50, 400))
    yield np.zeros((100, 5))


def wrong_by(without) -> float:
    "Largest difference to the measures of the book less each column."
    worst = 0.0
    for values in books():
        for measure, risk in MEASURES.items():
            for level in (0.55, 0.9, 0.975, 0.995):
                exact = risk(np.ascontiguousarray(values.sum(axis=1)[:, None] - values), level)
                worst = max(worst, float(np.abs(without(values, level, measure) - exact).max()))
    return worst


def test_the_screen_loses_no_scenario():
    assert wrong_by(without_each) == 0.0


def test_a_screen_that_is_too_tight_is_seen():
    for old, new in (("np.partition(book - low, k)[k]", "np.partition(book - low, k)[max(k - 1, 0)]"), ("book - high <= reach", "book <= reach")):
        def faulty(values, level, measure, module=planted(euler, old, new)):
            try:
                return module.without_each(values, level, measure)
            except ValueError:
                return np.full(values.shape[1], np.inf)

        assert wrong_by(faulty) > 0


# Errors with known truth


@pytest.mark.parametrize("measure", MEASURES)
def test_bands_hold_the_true_component(measure):
    "Normal returns, whose components are known: of 400 bands of 95 % some nine in ten hold the truth (the tail has 25 scenarios)."
    rng = np.random.default_rng(5)
    root, w = np.array([[1.0, 0.5, -0.3], [0, 1.2, 0.2], [0, 0, 0.8]]), np.array([0.5, 0.3, 0.4])
    cov = root.T @ root
    factor = NormalDist().inv_cdf(0.975) if measure == "value_at_risk" else TAIL
    truth = w * (cov @ w) / np.sqrt(w @ cov @ w) * factor
    held = np.zeros(3)
    for _ in range(400):
        columns, _ = contributions(rng.standard_normal((1000, 3)) @ root * w, 0.975, measure)
        held += np.abs(columns["component"] - truth) < 1.96 * columns["error"]
    assert (held > 0.86 * 400).all() and (held < 0.985 * 400).all(), held / 400


def test_mes_is_beta_times_es_and_the_slope_of_the_book():
    rng = np.random.default_rng(6)
    m = rng.normal(0, 0.01, 20_000)
    r = pd.DataFrame({"low": 0.4 * m + rng.normal(0, 0.01, 20_000), "high": 1.7 * m + rng.normal(0, 0.02, 20_000)})
    mes = marginal_expected_shortfall(r, pd.Series(m), 0.975)
    assert (np.abs(mes["mes"] - np.array([0.4, 1.7]) * 0.01 * TAIL) < 4 * mes["error"]).all()
    w = pd.Series({"low": 2e6, "high": -1e6})
    own = marginal_expected_shortfall(r, (r * w).sum(axis=1), 0.975)["mes"]
    np.testing.assert_allclose(w * own, component_es(r, w, 0.975)["component"], rtol=1e-12)


# Factors


def test_factor_components_of_a_normal_world_in_closed_form():
    "Sample moments are made exact, so the normal method must give the closed form to the last digits, negative shares included."
    rng = np.random.default_rng(7)
    raw = rng.standard_normal((2000, 5))
    raw = np.linalg.qr(raw - raw.mean(axis=0))[0] * np.sqrt(1999)  # mean 0, covariance I
    corr = np.array([[1, 0.7], [0.7, 1]])
    f = pd.DataFrame(raw[:, :2] @ np.linalg.cholesky(corr).T * 0.01, columns=["market", "rates"])
    B = pd.DataFrame([[1.0, -0.2], [0.5, -0.1], [1.2, -0.3]], list("ABC"), f.columns)
    r = pd.DataFrame(f.to_numpy() @ B.to_numpy().T + raw[:, 2:] * 0.005, columns=list("ABC"))
    v = pd.Series({"A": 1e6, "B": 2e6, "C": -5e5})
    load = B.T @ v
    cov = np.r_[load * (1e-4 * corr @ load), 0.005**2 * (v**2).sum()]
    for measure, factor in (("expected_shortfall", TAIL), ("value_at_risk", NormalDist().inv_cdf(0.975))):
        given, fitted = (factor_components(r, v, f, 0.975, measure, "normal", betas) for betas in (B, None))
        np.testing.assert_allclose(given["component"], factor * cov / np.sqrt(cov.sum()), rtol=1e-9)
        np.testing.assert_allclose(fitted["component"], given["component"], rtol=1e-9)
        np.testing.assert_allclose(given["variance_share"], cov / cov.sum(), rtol=1e-9)
        np.testing.assert_allclose(given["share"], given["variance_share"], rtol=1e-9)
    assert given.loc["rates", "variance_share"] < 0 and "may be negative" in given.attrs["note"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("measure", MEASURES)
def test_factors_and_specific_sum_to_the_whole(measure, method):
    rng = np.random.default_rng(8)
    f = pd.DataFrame(rng.standard_t(4, (600, 3)) * 0.01, columns=["a", "b", "c"])
    r = pd.DataFrame(f.to_numpy() @ rng.normal(0, 1, (3, 8)) + rng.standard_t(4, (600, 8)) * 0.01)
    v = rng.normal(0, 1e6, 8)
    for specific in ("book", "asset"):
        table = factor_components(r, v, f, 0.975, measure, method, specific=specific)
        direct = (component_var if measure == "value_at_risk" else component_es)(r, v, 0.975, method)
        assert table["component"].sum() == pytest.approx(direct.attrs["whole"], rel=1e-11)
        assert table["variance_share"].sum() == pytest.approx(1, rel=1e-12)


def test_newey_west_errors_are_those_of_statsmodels():
    import statsmodels.api as sm

    rng = np.random.default_rng(9)
    f = pd.DataFrame(rng.standard_t(5, (700, 2)), columns=["x", "z"])
    y = pd.DataFrame({k: f @ rng.normal(0, 1, 2) + np.convolve(rng.standard_normal(703), np.ones(4), "valid") for k in "AB"})
    y.loc[:99, "B"] = np.nan
    for lags in (0, 5, 20):
        ours = factor_exposures(y, f, lags=lags)
        for name in y:
            rows = y[name].notna()
            peer = sm.OLS(y.loc[rows, name], sm.add_constant(f[rows])).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
            np.testing.assert_allclose(ours.errors.loc[name], peer.bse.iloc[1:], rtol=1e-9)
            assert ours.fit.loc[name, "observations"] == rows.sum()


# Diversification


@pytest.mark.parametrize("rho", [-0.4, 0.0, 0.5, 0.95])
def test_bets_of_equicorrelated_parts(rho):
    "By symmetry each of n parts is one bet for torsion; for principal components the first is the book."
    rng = np.random.default_rng(10)
    raw = rng.standard_normal((500, 3))
    raw = np.linalg.qr(raw - raw.mean(axis=0))[0]
    pnl = pd.DataFrame(raw @ np.linalg.cholesky(np.full((3, 3), rho) + (1 - rho) * np.eye(3)).T)
    assert effective_bets(pnl).bets == pytest.approx(3, abs=1e-6)
    if rho:
        assert effective_bets(pnl, "principal").bets == pytest.approx(1, abs=1e-6)
    one = diversification(pnl, 0.975)
    assert one.volatility_ratio == pytest.approx(3 / np.sqrt(3 + 6 * rho), rel=1e-9) and one.benefit >= 0


# Tail days and timelines


def test_tail_days_make_the_number_and_its_components(paths):
    for measure in MEASURES:
        found = tail_scenarios(paths, 0.975, measure=measure)
        table = pnl_components(paths, 0.975, measure)
        assert found.scenarios["contribution"].sum() == pytest.approx(table.attrs["whole"], rel=1e-12)
        np.testing.assert_allclose(found.by_asset.sum(), table["component"], rtol=0, atol=1e-12 * np.abs(paths.to_numpy()).max())
        assert found.scenarios["pnl"].is_monotonic_increasing


def evenings_of_a_run(n=8):
    "Evenings as `pipeline_tables.drivers` meets them: places, holes where nothing is held, an evening without positions."
    rng = np.random.default_rng(11)
    places = pd.DataFrame({"asset": ["A", "B", "A", "C"], "currency": "USD", "sector": ["x", "y", "x", "x"], "desk": ["one", "one", "two", "two"]})
    assets, held = pd.Index(["A", "B", "C"]), rng.normal(0, 1e6, (n, 4))
    held[2], held[3, 1] = 0.0, 0.0
    scenarios = rng.standard_t(4, (n, 400, 3)) * 0.01
    scenarios[3, :, 1] = 0.0
    inputs = SimpleNamespace(assets=assets, places=places, held=held, dates=pd.bdate_range("2022-01-03", periods=n + 1), book=SimpleNamespace(name="book"))
    days = [SimpleNamespace(row=t + 1, alive=np.ones(3, bool), scenarios=lambda engine, t=t: scenarios[t]) for t in range(n)]
    return inputs, days, SimpleNamespace(levels=(0.975, 0.99), engine="fhs")


def sorted_es(pnl, level):
    "Mean of the worst (1 - level) of scenarios, the last one counted in part; and the weight of each scenario."
    order, tail = np.argsort(pnl), len(pnl) * (1 - level)
    weight = np.zeros(len(pnl))
    weight[order] = np.clip(tail - np.arange(len(pnl)), 0, 1) / tail
    return -(weight * pnl).sum(), weight


def test_drivers_of_the_daily_run_against_the_long_way():
    inputs, days, config = evenings_of_a_run()
    found = pipeline_tables.drivers(inputs, days, config).set_index(["as_of", "kind", "name"])
    assert inputs.dates[2] not in found.index.get_level_values("as_of")  # nothing is held on that evening
    seen = 0
    for d in days:
        worth, at = inputs.held[d.row - 1], inputs.assets.get_indexer(inputs.places["asset"])
        pnl = d.scenarios("fhs")[:, at] * worth
        whole, weight = sorted_es(pnl.sum(axis=1), 0.975)
        for kind in ("asset", "sector", "desk"):
            for name in inputs.places[kind].unique():
                mine = (inputs.places[kind] == name).to_numpy()
                if not worth[mine].any():
                    continue
                row, seen = found.loc[(inputs.dates[d.row - 1], kind, name)], seen + 1
                component = -(weight @ pnl[:, mine].sum(axis=1))
                less = sorted_es(pnl[:, ~mine].sum(axis=1), 0.975)[0]
                wanted = [worth[mine].sum(), component, component / worth[mine].sum(), whole - less, sorted_es(pnl[:, mine].sum(axis=1), 0.975)[0]]
                np.testing.assert_allclose(row[["exposure", "component", "marginal", "incremental", "standalone"]].astype(float), wanted, rtol=1e-9, atol=1e-6)
    assert seen == len(found) and (found["error"] >= 0).all()


def test_a_timeline_of_all_evenings_equals_single_evenings_and_sums(paths):
    rng = np.random.default_rng(12)
    places = paths.columns.to_frame(index=False)
    evenings = [(day, rng.standard_t(4, (300, len(places))) * 0.01, rng.normal(0, 1e6, len(places))) for day in pd.bdate_range("2022-01-03", periods=5)]
    by = ("book", "desk", ("desk", "sector"), ("desk", "sector", "asset"))
    together = risk_timeline(evenings, places, LEVELS, tuple(MEASURES), by=by)
    apart = pd.concat([risk_timeline([e], places, LEVELS, tuple(MEASURES), by=by) for e in evenings], ignore_index=True)
    pd.testing.assert_frame_equal(together, apart, check_exact=True)
    sums = together.groupby(["as_of", "measure", "level", "kind"])["component"].sum().unstack("kind")
    for kind in sums:
        np.testing.assert_allclose(sums[kind], sums["book"], rtol=1e-11)
    bets = over_evenings(evenings, lambda x, v: {"bets": effective_bets(pd.DataFrame((x * v)[:, :5])).bets})
    assert list(bets) == ["as_of", "bets"] and len(bets) == 5


# Books that are not linear


def put(s, strike=95.0, root=0.2 * np.sqrt(0.25)):
    d1 = (np.log(s / strike) + root**2 / 2) / root
    return strike * ndtr(root - d1) - s * ndtr(-d1)


def put_greeks(s, strike=95.0, root=0.2 * np.sqrt(0.25)):
    d1 = (np.log(s / strike) + root**2 / 2) / root
    return ndtr(d1) - 1, np.exp(-(d1**2) / 2) / np.sqrt(2 * np.pi) / (s * root)


def test_delta_gamma_against_black_scholes():
    delta, gamma = put_greeks(100.0)
    parabola = DeltaGamma({"SPX": 1000 * 100 * delta}, {"SPX": 1000 * 100**2 * gamma})
    full = lambda x: 1000 * (put(100 * (1 + x[:, 0])) - put(100.0))
    small = np.linspace(-0.01, 0.01, 41)[:, None]
    assert np.abs(parabola(small) - full(small)).max() < 2e-3 * np.abs(full(small)).max()
    jump = np.array([[0.3]])
    assert parabola(jump)[0] > 0 > full(jump)[0], "the parabola of a long put turns and reports a gain after a rise"
    np.testing.assert_allclose(parabola.gradient(small), (parabola(small + 1e-6) - parabola(small - 1e-6))[:, None] / 2e-6, rtol=1e-6)


def test_var_components_stress_and_gradient_of_a_mixed_book():
    rng = np.random.default_rng(13)
    moves = pd.DataFrame({"SPX": rng.standard_t(4, 1000) * 0.01, "KO": rng.standard_t(4, 1000) * 0.01, "EUR": rng.normal(0, 0.005, 1000)}, pd.bdate_range("2018-01-01", periods=1000))
    lines = pd.DataFrame({"asset": ["KO", "SPX", "put"], "market_value": [1e6, 1e6, 3e4], "sector": ["staples", "index", "options"], "desk": ["core", "core", "overlay"]})
    linear = Portfolio.from_positions(lines)
    repricer = lambda x: 10_000 * (put(100 * (1 + x[:, 0])) - put(100.0))
    book = linear.with_repriced("put", repricer, ["SPX"])
    pnl = book.pnl(moves)
    np.testing.assert_array_equal(pnl["put"], repricer(moves[["SPX"]].to_numpy()))
    for measure, risk in MEASURES.items():
        table = pnl_components(pnl, 0.975, measure)
        assert table["component"].sum() == pytest.approx(risk(pnl.sum(axis=1), 0.975), rel=1e-12)
        assert table.loc["put", "component"] < 0 < table.loc["SPX", "component"]
    tree = tree_components(book.pnl(moves, by=("desk", "sector", "asset")), 0.975)
    assert tree_gap(tree, ["component"]) == 0.0 and ("overlay", "options", "put") in tree.index
    crash = historical_scenario(moves, moves.index[0], moves.index[20]).to_frame().T
    assert book.pnl(crash).sum(axis=1).iloc[0] == pytest.approx(1e6 * crash[["KO", "SPX"]].to_numpy().sum() + repricer(crash[["SPX"]].to_numpy())[0], rel=1e-12)
    whole = book.as_repricer()
    x = moves[list(whole.underlyings)].to_numpy()
    np.testing.assert_allclose(whole(x), pnl.sum(axis=1), rtol=1e-9, atol=1e-6)
    delta = put_greeks(100.0)[0]
    assert book.gradient()["SPX"] == pytest.approx(1e6 + 10_000 * 100 * delta, rel=1e-6) and book.gradient()["KO"] == 1e6


def test_repriced_positions_are_refused_where_they_mean_nothing():
    book = Portfolio(pd.Series({"KO": 1e6})).with_repriced("put", DeltaGamma({"SPX": -1e5}))
    moves = pd.DataFrame({"KO": [0.01, 0.02]}, pd.bdate_range("2020-01-01", periods=2))
    with pytest.raises(UnpricedAsset, match="put: its underlying SPX is not among the scenarios"):
        book.pnl(moves)
    with pytest.raises(BadArgument, match="put: a repricer knows the position of one day"):
        book.pnl_history(moves.assign(SPX=0.0))
    with pytest.raises(BadArgument, match="put: the repricer gave shape"):
        Portfolio(pd.Series({"KO": 1e6})).with_repriced("put", lambda x: x, ["KO"]).pnl(moves)


# Books from files


@pytest.mark.parametrize(("text", "error", "message"), [
    ('asset,quantity\nKO,"1,200"\n', BadFile, "row 2, column quantity: '1,200' is not a number; write 1234.5 with a decimal point and no thousands separator"),
    ("asset,quantity\nKO,1 200\n", BadFile, "no thousands separator"),
    ("asset,market_value\nKO,60%\n", BadFile, "'60%' is not a number; write a share as a decimal, 0.05 for 5 %"),
    ("asset,quantity\nKO,100\nKO,5\n", BadFile, "row 3, column asset: KO is there twice"),
    ("asset,quantity\nGHOST,100\n", UnpricedAsset, "no price for GHOST"),
    ("asset,quantity,currency\nKO,100,EURO\n", UnpricedAsset, "KO is in 'EURO', and the prices have no rate of EURO"),
])
def test_a_bad_book_is_named_and_told_how_to_mend(tmp_path, text, error, message):
    prices = pd.DataFrame({"KO": [50.0, 51.0], "EUR": [1.1, 1.1]}, pd.bdate_range("2020-01-01", periods=2))
    (tmp_path / "book.csv").write_text(text)
    with pytest.raises(error) as caught:
        Portfolio.from_csv(tmp_path / "book.csv", prices)
    assert message in str(caught.value) and isinstance(caught.value, RiskError)


@pytest.mark.parametrize("values", [{"A": 1e6, "B": -1e6}, {"A": 1e6, "B": -2e6}])
def test_shares_of_a_book_without_net_value_are_refused(values):
    with pytest.raises(BadArgument, match="take of='gross', or amounts of money"):
        Portfolio(pd.Series(values)).weights()


# Sampling


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scenarios_have_the_law_of_numpys(dtype):
    rng = np.random.default_rng(14)
    B, n = rng.normal(0, 0.01, (12, 4)), 200_000
    S = B @ B.T + np.diag(rng.uniform(0.002, 0.01, 12) ** 2)
    ours, theirs = sample_scenarios(S, n, 1, dtype=dtype).astype(float), np.random.default_rng(1).multivariate_normal(np.zeros(12), S, n)
    error = np.sqrt((np.outer(np.diag(S), np.diag(S)) + S**2) / n)
    assert ours.dtype == theirs.dtype and (np.abs(np.cov(ours.T) - S) < 5 * error).all() and (np.abs(np.cov(theirs.T) - S) < 5 * error).all()
    for w in rng.normal(0, 1, (20, 12)):
        z = ours @ w / np.sqrt(w @ S @ w)
        for k, (moment, spread) in enumerate([(0, 1), (1, 2), (0, 15), (3, 96)], 1):
            assert abs((z**k).mean() - moment) < 5 * np.sqrt(spread / n)
        assert value_at_risk(z, 0.999) == pytest.approx(3.0902, abs=0.12)
