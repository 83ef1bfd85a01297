"Stress: units and names of shocks, propagation, distances, reverse stress against independent searches, files with every slip."

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics.vectorar import VectorAR
from risk_analytics_lib.risk import stress
from risk_analytics_lib.risk.portfolio import Portfolio
from risk_analytics_lib.risk.stress import (
    BOOK, Scenario, Unreachable, conditional_scenario, factor_split, historical_scenario, hypothetical_scenario, load_scenarios, plausibility,
    propagation_check, proxied_returns, rate_exposure, reverse_stress, run_scenarios, scenario_losses, scenario_split, scenario_table, shock_path,
    shock_plausibility, state_moments, volatility_states, worst_scenarios,
)
from risk_analytics_lib.utils.checks import BadArgument, BadFile, BadScale, RiskError, TooShort
from risk_analytics_lib.utils.datasets import load_sample


@pytest.fixture(scope="module")
def sample():
    return load_sample()


@pytest.fixture(scope="module")
def exposures(sample):
    return Portfolio.from_positions(sample.positions, sample.prices).exposures_at("2022-12-28")


@pytest.fixture(scope="module")
def past(sample, exposures):
    return sample.returns(assets=["SPX", *exposures.index]).dropna()


@pytest.fixture(scope="module")
def states(sample):
    return volatility_states(sample.returns(assets=["SPX"])["SPX"])


def random_law(rng, n):
    root = rng.standard_normal((n, n + 2))
    names = [f"A{k}" for k in range(n)]
    return pd.DataFrame(root @ root.T * 1e-4 / n, names, names), pd.Series(rng.normal(0, 1e6, n), names)


def test_the_promised_names_are_there():
    for name in "historical_scenario hypothetical_scenario conditional_scenario reverse_stress scenario_table event_windows scenario_blocks".split():
        assert callable(getattr(stress, name))


# Moves and the table


def test_hypothetical_shocks_by_asset_group_and_unit():
    assets, groups = ["XOM", "CVX", "UST"], {"XOM": "Energy", "CVX": "Energy", "UST": "Rates"}
    move = hypothetical_scenario({"Energy": "-30 %", "CVX": -0.4, "Rates": "50 bp"}, assets, groups=groups, units={"UST": "percent"})
    assert move.tolist() == [-0.3, -0.4, 0.5]
    book = pd.Series({"XOM": 1e6, "CVX": 0.0, "UST": rate_exposure(2_000.0)})
    assert book @ move == pytest.approx(-300_000 - 100_000)


SLIPS = [
    (dict(shocks={"XOM": 25, "UST": 0.1}), BadScale, "0.25 for 25 %"),
    (dict(shocks={"XOM": 0.1, "UST": 50}), BadScale, "is 5000 bp"),
    (dict(shocks={"XOM": 0.1, "UST": 0.0001}), BadScale, "is 0.01 bp"),
    (dict(shocks={"XOM": 0.1, "UST": "1 %"}), BadScale, "by bp or pp"),
    (dict(shocks={"XOM": math.inf, "UST": 0.1}), BadScale, "finite"),
    (dict(shocks={"OIL": -0.1}), BadArgument, "OIL, which the book does not hold"),
    (dict(shocks={"XOM": -0.1}), BadArgument, "no shock for UST"),
]


@pytest.mark.parametrize("case, error, message", SLIPS, ids=[m for *_, m in SLIPS])
def test_a_wrong_shock_is_named(case, error, message):
    with pytest.raises(error, match=message):
        hypothetical_scenario(assets=["XOM", "UST"], units={"UST": "percent"}, **case)


def test_a_rate_adds_up_and_a_price_compounds(sample):
    returns = sample.returns(assets=["SPX", "UST_10Y"])
    with pytest.raises(BadArgument, match="say which are rates"):
        historical_scenario(returns, "2008-09-15", "2008-09-29")
    move = historical_scenario(returns, "2008-09-15", "2008-09-29", {"UST_10Y": "percent"})
    prices = sample.prices.loc["2008-09-12":"2008-09-29"]
    assert move["SPX"] == pytest.approx(prices["SPX"].iloc[-1] / prices["SPX"].iloc[0] - 1)
    assert move["UST_10Y"] == pytest.approx(prices["UST_10Y"].iloc[-1] - prices["UST_10Y"].iloc[0])
    assert move.attrs["days"] == 11


def test_a_proxy_is_marked_in_table_and_book(sample):
    returns = sample.returns(assets=["MTUM", "SPX"])
    held = pd.Series({"MTUM": 1e6, "SPX": 1e6})
    without = scenario_table(held, returns, sample.events).query("scenario == 'Lehman'").set_index("asset")
    filled = scenario_table(held, proxied_returns(returns, {"MTUM": "SPX"}), sample.events).query("scenario == 'Lehman'").set_index("asset")
    assert np.isnan(without.loc["MTUM", "pnl"]) and without.loc[BOOK, "coverage"] == 0.5
    assert filled.loc[BOOK, "coverage"] == 1 and filled.loc[BOOK, "note"] == "by proxy: MTUM" and filled.loc["MTUM", "note"].startswith("proxy: ")
    late = scenario_table(held, proxied_returns(returns, {"MTUM": "SPX"}), sample.events).query("scenario == 'COVID-19'")
    assert (late["note"] == "").all()


def test_splits_add_up_to_the_book(sample, exposures, past):
    table = scenario_table(exposures, past, sample.events)
    labels = {a: a[0] for a in exposures.index[:15]}
    book = table[table["asset"] == BOOK].set_index("scenario")["pnl"]
    found = scenario_split(table, labels).groupby("scenario")["pnl"].sum(min_count=1)
    pd.testing.assert_series_equal(found.dropna().sort_index(), book.dropna().sort_index(), rtol=1e-10, check_names=False)
    move = historical_scenario(past, "2020-02-20", "2020-03-23")
    betas = past[exposures.index].apply(lambda y: y.cov(past["SPX"]) / past["SPX"].var()).to_frame("SPX")
    assert factor_split(move, exposures, betas, move)["pnl"].sum() == pytest.approx(float(exposures @ move[exposures.index]), rel=1e-10)
    assert worst_scenarios(table, 3, distinct=True)["scenario"].is_unique


# Plausibility


@pytest.mark.parametrize("n", [1, 2, 10, 50])
def test_the_distance_of_a_loss_does_not_depend_on_the_number_of_assets(n):
    "The same P&L held in one asset or in n equal pieces of it."
    rng = np.random.default_rng(0)
    pnl = rng.standard_normal(5000)
    returns = pd.DataFrame(np.repeat(pnl[:, None] / 100, n, axis=1), pd.bdate_range("2000-01-03", periods=5000), [f"A{k}" for k in range(n)])
    held = pd.Series(1e6 / n, returns.columns)
    row = scenario_table(held, returns, None, {"x": pd.Series(-0.03, returns.columns)}).query("asset == '(book)'").iloc[0]
    assert row["distance"] == pytest.approx(0.03 / returns["A0"].std()) and row["probability"] == pytest.approx(plausibility(row["distance"], 1.0)[1])


def test_what_follows_from_a_shock_adds_no_distance():
    rng = np.random.default_rng(1)
    for n in (3, 8, 20):
        law, _ = random_law(rng, n)
        told = conditional_scenario({"A0": -0.05, "A1": 0.02}, covariance=law)
        assert shock_plausibility(told.moves, law).distance == pytest.approx(told.distance, rel=1e-8)
        assert told.probability == shock_plausibility({"A0": -0.05, "A1": 0.02}, law).probability


# Conditional propagation


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.6, 0.999])
@pytest.mark.parametrize("days", [1, 10])
def test_two_factors_in_closed_form(rho, days):
    a, b, x = 0.01, 0.03, -0.04
    law = pd.DataFrame([[a * a, rho * a * b], [rho * a * b, b * b]], ["A", "B"], ["A", "B"])
    mean = {"A": 0.001, "B": -0.002}
    told = conditional_scenario({"A": x}, covariance=law, mean=mean, days=days)
    assert told.moves["B"] == pytest.approx(-0.002 * days + rho * b / a * (x - 0.001 * days), abs=1e-14)
    assert told.covariance.loc["B", "B"] == pytest.approx(days * b * b * (1 - rho**2), rel=1e-9)
    assert told.distance == pytest.approx(abs(x - 0.001 * days) / a / math.sqrt(days), rel=1e-12)


def test_the_conditional_t_of_two_shocks_against_draws():
    "k = 2: draws of a joint t whose first two moves fall near the shocks, weighed against the formula for covariances."
    rng = np.random.default_rng(2)
    law, _ = random_law(rng, 4)
    nu, n, sd = 6.0, 3_000_000, np.sqrt(np.diag(law))
    x = rng.standard_normal((n, 4)) @ np.linalg.cholesky(law).T * np.sqrt((nu - 2) / rng.chisquare(nu, n))[:, None]
    shock = {"A0": -1.5 * sd[0], "A1": 1.0 * sd[1]}
    near = x[(np.abs(x[:, 0] - shock["A0"]) < 0.25 * sd[0]) & (np.abs(x[:, 1] - shock["A1"]) < 0.25 * sd[1])]
    told = conditional_scenario(shock, covariance=law, dist="t", nu=nu)
    slope = np.linalg.solve(law.iloc[:2, :2], law.iloc[:2, 2:]).T
    rest = near[:, 2:] - near[:, :2] @ slope.T
    inner = np.linalg.inv(law.iloc[:2, :2])
    wider = (nu - 2 + np.einsum("ij,jk,ik->i", near[:, :2], inner, near[:, :2])) / (nu - 2 + told.distance**2)  # of each draw, beside the shocks' own
    error = 1 / math.sqrt(len(near))
    assert len(near) > 2_000 and told.nu == 8.0
    np.testing.assert_allclose((rest**2 / wider[:, None]).mean(axis=0), np.diag(told.covariance)[2:], rtol=8 * error)


def test_a_singular_covariance_of_the_shocked_is_named(past):
    twins = past.assign(TWIN=past["SPX"])
    with pytest.raises(BadArgument, match="SPX, TWIN move as one; shock all but one of them"):
        conditional_scenario({"SPX": -0.05, "TWIN": -0.05}, twins)
    assert conditional_scenario({"SPX": -0.05}, twins).moves["TWIN"] == pytest.approx(-0.05)


def test_out_of_sample_on_the_ten_worst_days(past, exposures):
    "The covariance knows nothing of the day; the propagated moves are nearer than no moves, and the book's loss is mostly explained."
    check = propagation_check(past, exposures, ["SPX", "JPY"])
    assert check["date"].nunique() == 10
    day = check["date"].iloc[-1]
    spoilt = past.copy()
    spoilt.loc[spoilt.index > day] = 9.0
    spoilt.loc[day, spoilt.columns.difference(["SPX", "JPY"])] = 9.0
    row = past.index.get_loc(day)
    again = conditional_scenario(spoilt.loc[day, ["SPX", "JPY"]], spoilt.iloc[row - 1000 : row])
    np.testing.assert_array_equal(again.moves, check.loc[check["date"] == day, "propagated"])
    others = check[~check["given"]]
    error = lambda x: math.sqrt((x**2).mean())
    assert error(others["realised"] - others["propagated"]) < 0.5 * error(others["realised"])
    book = check.groupby("date")[["pnl_propagated", "pnl_realised"]].sum()
    assert 0.8 < book["pnl_propagated"].sum() / book["pnl_realised"].sum() < 1


# Paths


def test_a_path_is_the_generalised_response_times_the_shock(past, exposures):
    model = VectorAR(1).fit(past.iloc[-1500:])
    path = shock_path(model, {"SPX": -0.05}, exposures, days=6)
    j = list(model.columns_).index("SPX")
    response = model.irf(5, kind="generalised").values[:, :, j] * -0.05 / math.sqrt(model.sigma.loc["SPX", "SPX"])
    np.testing.assert_allclose(path.response, response, atol=1e-12)
    held = exposures.reindex(model.columns_).fillna(0.0).to_numpy()
    np.testing.assert_allclose(path.cumulative, (response @ held).cumsum(), rtol=1e-9)
    np.testing.assert_allclose(path.response.loc[1], conditional_scenario({"SPX": -0.05}, covariance=model.sigma).moves, atol=1e-12)


# States


def test_labels_use_the_past_only(sample):
    returns = sample.returns(assets=["SPX", "XOM", "EUR"]).iloc[-1500:]
    labels = volatility_states(returns)
    rng = np.random.default_rng(3)
    for t in rng.integers(260, 1500, 5):
        spoilt = returns.copy()
        spoilt.iloc[t:] = rng.normal(0, 1, spoilt.iloc[t:].shape)
        pd.testing.assert_series_equal(volatility_states(spoilt).iloc[: t + 1], labels.iloc[: t + 1])
    assert set(labels.dropna()) == {"calm", "stress"} and labels.iloc[:250].isna().all()


def test_stress_is_more_volatile_than_calm_for_any_labels(past, states):
    found = state_moments(past, states)
    assert list(found) == ["calm", "stress"]
    renamed = state_moments(past, states.map({"calm": "z", "stress": "a"}))
    assert list(renamed) == ["z", "a"]
    with pytest.raises(TooShort, match="days for 25 assets"):
        state_moments(past.iloc[:20], None)


# Reverse stress


@pytest.mark.parametrize("n", [1, 2, 10, 60])
@pytest.mark.parametrize("drift", [0.0, 1e-3])
def test_linear_books_have_their_closed_form(n, drift):
    rng = np.random.default_rng(n)
    law, book = random_law(rng, n)
    mean = pd.Series(rng.normal(0, drift, n), law.columns) if drift else None
    sigma, m = math.sqrt(book @ law @ book), 0.0 if mean is None else float(book @ mean)
    loss = 4 * sigma
    found = reverse_stress(loss, book, covariance=law, mean=mean)
    x = found.moves.iloc[0].to_numpy() - (0.0 if mean is None else mean.to_numpy())
    row = found.to_frame().iloc[0]
    assert abs(row["distance"] - (loss + m) / sigma) <= 1e-8
    assert abs(math.sqrt(x @ np.linalg.solve(law, x)) - row["distance"]) <= 1e-8
    assert -book @ found.moves.iloc[0] == pytest.approx(loss, rel=1e-10)
    if n <= 10:
        searched = reverse_stress(loss, covariance=law, mean=mean, pnl=lambda moves: moves @ book.to_numpy())
        assert abs(searched.to_frame()["distance"].iloc[0] - row["distance"]) <= 1e-8 and searched.to_frame()["error"].iloc[0] <= 1e-6


def books():
    "Non-linear books: short gamma, mixed gamma with a hard case, and a smooth book of another kind."
    rng = np.random.default_rng(8)
    law, delta = random_law(rng, 5)
    root = rng.standard_normal((5, 5)) * 1e6
    mixed, w = (root + root.T) / 2 * 40, delta.to_numpy()
    short = -root @ root.T * 4e-5
    return {
        "short gamma": (law, lambda m: m @ w + ((m @ short) * m).sum(1) / 2),
        "mixed gamma": (law, lambda m: m @ w * 0.2 + ((m @ mixed) * m).sum(1) / 2),
        "short straddle": (law.iloc[:2, :2], lambda m: -5e7 * (np.sqrt(1 + 400 * m[:, 0] ** 2) - 1) + 1e6 * m[:, 1]),
        "exponential": (law.iloc[:3, :3], lambda m: -1e6 * (np.exp(-10 * m[:, 0]) - 1) + 2e6 * np.sin(3 * m[:, 1]) - 1e6 * m[:, 2] ** 2),
    }


@pytest.mark.parametrize("name", books())
def test_two_hundred_directions_find_nothing_nearer(name):
    "An independent search: rays, bisection, and a polish that knows nothing of the library's own."
    from scipy.optimize import minimize

    law, pnl = books()[name]
    n = len(law)
    L = np.linalg.cholesky(law)
    target = 3 * float(np.std(pnl(np.random.default_rng(1).standard_normal((4000, n)) @ L.T)))
    found = reverse_stress(target, covariance=law, pnl=pnl, k=4)
    frame = found.to_frame()
    assert (frame["error"] <= 1e-6).all() and frame["distance"].is_monotonic_increasing
    np.testing.assert_allclose(-pnl(found.moves.to_numpy()), target, rtol=1e-6)
    far = lambda x: math.sqrt(x @ np.linalg.solve(law, x))
    np.testing.assert_allclose([far(x) for x in found.moves.to_numpy()], frame["distance"], rtol=1e-8)
    beyond, nearest, met = (lambda z: float(-pnl((z @ L.T)[None])[0] / target - 1)), np.inf, 0
    for u in np.random.default_rng(2).standard_normal((200, n)):
        u /= np.linalg.norm(u)
        r = next((r for r in np.arange(0.25, 20.1, 0.25) if beyond(r * u) >= 0), None)
        if r is None:
            continue
        low, high = r - 0.25, r
        for _ in range(40):
            low, high = (low, (low + high) / 2) if beyond((low + high) / 2 * u) >= 0 else ((low + high) / 2, high)
        done = minimize(lambda z: z @ z, high * u, jac=lambda z: 2 * z, method="SLSQP", constraints=[{"type": "ineq", "fun": beyond}], options={"ftol": 1e-10, "maxiter": 200})
        ends = [np.linalg.norm(z) for z in (high * u, done.x) if beyond(z) >= -1e-7]
        nearest, met = min([nearest, *ends]), met + 1
    assert met >= 20 and nearest > frame["distance"].iloc[0] - 1e-4, (nearest, frame["distance"].iloc[0])


def test_distinct_scenarios_are_distinct_and_two_sided():
    law, pnl = books()["short straddle"]
    found = reverse_stress(2e6, covariance=law, pnl=pnl, k=5)
    z = np.linalg.solve(np.linalg.cholesky(law), found.moves.to_numpy().T).T
    like = z @ z.T / np.outer(np.linalg.norm(z, axis=1), np.linalg.norm(z, axis=1))
    assert len(z) == 2 and like[0, 1] < 0 and (found.to_frame()["distance"] > 0).all()


def test_a_bounded_loss_is_refused_with_its_bound():
    "A book of long options: delta-gamma with positive gamma loses at most delta' inv(gamma) delta / 2."
    rng = np.random.default_rng(5)
    law, delta = random_law(rng, 4)
    root = rng.standard_normal((4, 4)) * 1e4
    gamma = root @ root.T + 2e8 * np.eye(4)
    bound = delta @ np.linalg.solve(gamma, delta) / 2
    pnl = lambda m: m @ delta.to_numpy() + ((m @ gamma) * m).sum(1) / 2
    far = math.sqrt((x := -np.linalg.solve(gamma, delta)) @ np.linalg.solve(law, x))
    with pytest.raises(Unreachable, match="no loss of .* the most that was found is") as caught:
        reverse_stress(1.01 * bound, covariance=law, pnl=pnl, reach=2 * far)
    assert float(str(caught.value).split("found is ")[1].split(",")[0]) == pytest.approx(bound, rel=1e-4)
    assert reverse_stress(0.9 * bound, covariance=law, pnl=pnl, reach=2 * far).to_frame()["error"].iloc[0] <= 1e-6


def test_each_state_has_its_own_answer_and_one_may_have_none(exposures, past, states):
    found = reverse_stress(5e6, exposures, past, states=states)
    alone = reverse_stress(5e6, exposures, past, states=states, state="stress")
    pd.testing.assert_series_equal(found.moves.loc[("stress", 1)], alone.moves.loc[("stress", 1)])
    assert found.to_frame()["distance"].iloc[0] > found.to_frame()["distance"].iloc[1]
    one, flat = pd.DataFrame([[1e-4]], ["A"], ["A"]), pd.DataFrame([[0.0]], ["A"], ["A"])
    part = reverse_stress(1e5, pd.Series({"A": 1e6}), covariance={"dead": flat, "alive": one}).to_frame().set_index("state")
    assert part.loc["alive", "distance"] == pytest.approx(10) and part.loc["dead", "note"].startswith("n/a - a loss of 100000 is out of reach")
    with pytest.raises(Unreachable, match="hedge each other"):
        reverse_stress(1e5, pd.Series({"A": 1e6}), covariance=flat)


BAD_REVERSE = [
    (dict(loss=0), "losses are positive"), (dict(loss=math.nan), "losses are positive"), (dict(loss=1e5, pnl=lambda m: m.sum(1)), "either exposures"),
    (dict(loss=1e5, dist="t"), "such as nu=4"), (dict(loss=1e5, dist="t", nu=2), "more than 2 degrees"), (dict(loss=1e5, mean={"B": 1.0}), "mean has no number for A"),
]


@pytest.mark.parametrize("case, message", BAD_REVERSE, ids=[m for _, m in BAD_REVERSE])
def test_a_wrong_reverse_stress_is_named(case, message):
    one = pd.DataFrame([[1e-4]], ["A"], ["A"])
    with pytest.raises(RiskError, match=message):
        reverse_stress(exposures=pd.Series({"A": 1e6}), covariance=one, **case)


# Files


def test_the_shipped_file_runs_on_the_sample_book(sample, exposures, states):
    sector = sample.positions.drop_duplicates("asset", keep="last").set_index("asset")["sector"]
    factors = sample.returns(assets=[*exposures.index, "SPX", "UST_10Y"])
    scenarios = load_scenarios(factors=factors.columns, groups=sector)
    table = run_scenarios(scenarios, exposures, factors, states, sector, nu=4)
    losses = scenario_losses(table)
    assert losses["loss"].notna().all() and losses["distance"].notna().all() and losses["loss"].is_monotonic_decreasing
    assert {s.kind for s in scenarios} == {"historical", "hypothetical", "conditional", "path", "reverse"}
    both = losses.groupby("scenario")["state"].agg(set)
    assert both["Autumn 2008"] == {"calm", "stress"} and both["Rates up, stocks down"] == {"stress"} and both["Slow slide"] == {"all"}
    parts = table[table["asset"] != BOOK].groupby(["scenario", "state"], sort=False)["pnl"].sum()
    np.testing.assert_allclose(parts, table.loc[table["asset"] == BOOK, "pnl"], rtol=1e-10)
    again = run_scenarios(scenarios, exposures, factors, states, sector, nu=4)
    pd.testing.assert_frame_equal(table, again)


def test_the_example_is_installed_with_the_package():
    import risk_analytics_lib

    assert (Path(risk_analytics_lib.__file__).parent / "data" / "scenarios.yaml").is_file()
    settings = (Path(__file__).parent.parent / "setup.py").read_text()
    assert '"risk_analytics_lib": ["data/*"]' in settings


FILES = [
    ("- {name: A, kind: conditional, shocks: {OIL: -5 %}}", "scenario 'A': OIL is not a factor"),
    ("- {name: A, kind: conditional, shocks: {SPX: 25}}", "0.25 for 25 %"),
    ("- {name: A, kind: what, shocks: {SPX: -5 %}}", "kind 'what' is not known"),
    ("- {name: A, kind: historical}", "needs start and end, or date"),
    ("- {name: A, kind: reverse, loss: 5}\n- {name: A, kind: reverse, loss: 6}", "the name stands twice"),
    ("- {name: A, kind: conditional, shocks: {SPX: -5 %, SPX: -6 %}}", "SPX stands twice"),
    ("- {name: A, kind: conditional, shocks: {SPX: -5 %}, stats: calm}", "did you mean 'states'"),
    ("- {name: [A", "this is not YAML"),
    ("- nothing", "has no name"),
]


@pytest.mark.parametrize("text, message", FILES, ids=[m for _, m in FILES])
def test_a_slip_in_a_file_is_named_with_file_and_scenario(tmp_path, text, message):
    file = tmp_path / "mine.yaml"
    file.write_text("scenarios:\n" + "\n".join("  " + line for line in text.splitlines()))
    with pytest.raises(BadFile, match="mine.yaml") as caught:
        load_scenarios(file, factors=["SPX", "XOM"])
    assert message in str(caught.value)


def test_a_run_names_the_scenario_at_fault(exposures, past):
    with pytest.raises(BadArgument, match="scenario 'X': OIL is not a factor"):
        run_scenarios([Scenario("X", "conditional", {"OIL": -0.1})], exposures, past)
    with pytest.raises(BadScale, match="scenario 'X': SPX: a shock of -10"):
        run_scenarios([Scenario("X", "conditional", {"SPX": -10})], exposures, past)


def test_nothing_heavy_is_loaded():
    import subprocess
    import sys

    heavy = "{'scipy.stats', 'statsmodels', 'numba', 'sklearn', 'yaml', 'plotly'}"
    code = f"import sys, risk_analytics_lib.risk.stress; print(*{heavy} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""
