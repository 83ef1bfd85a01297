"The bridge against a second implementation, against planted changes, and at its edges."

import time
from dataclasses import replace
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.risk.bridge import BridgeState, MarketLaw, bridge_range, ranked, regridded, scenario_law, switch_values, var_bridge
from risk_analytics_lib.risk.measures import value_at_risk
from risk_analytics_lib.risk.portfolio import Portfolio
from risk_analytics_lib.utils.checks import BadArgument, BadIndex, BadLevel, MissingValue, RiskError, TooShort, UnpricedAsset
from risk_analytics_lib.utils.datasets import load_sample
from risk_analytics_lib.utils.figures_bridge import fig_bridge_path

NAMES = ["A", "B", "C", "D"]
SWITCHES = ["positions", "volatility", "correlation", "tail", "window/refit"]
MEASURES = ("value_at_risk", "expected_shortfall")
LEVELS = (0.975, 0.99)


def law(seed, S=500, names=NAMES, days=None) -> MarketLaw:
    rng = np.random.default_rng(seed)
    mix = np.linalg.cholesky(np.full((len(names), len(names)), 0.3) + 0.7 * np.eye(len(names)))
    pool = ranked(rng.standard_t(4 + seed % 3, (S, len(names))) @ mix.T, days)
    return MarketLaw(names, rng.normal(0, 1e-3, len(names)), rng.uniform(0.005, 0.03, len(names)), pool)


def book(seed, names=NAMES) -> pd.Series:
    return pd.Series(np.random.default_rng(100 + seed).normal(0, 1e7, len(names)), names)


# A second implementation: a walk through every order, each step a whole revaluation of plain columns


def loss(pnl, level, measure) -> float:
    ordered, tail = sorted((-pnl).tolist(), reverse=True), len(pnl) * (1 - level)
    whole = int(tail + 1e-9)
    if measure == "value_at_risk":
        return ordered[whole]
    return (sum(ordered[:whole]) + (tail - whole) * ordered[whole]) / tail


def worth(turned: dict, book_of, law_of, level, measure) -> float:
    "Risk of the state in which each switch stands at 0 or 1."
    view = turned.get("model", 0), turned["window/refit"]
    pick = lambda switch: law_of(turned[switch], *view)
    exposures, total = book_of(turned), 0.0
    for name in exposures.index:
        column = lambda switch: pick(switch).scenarios[name]
        place = column("correlation").rank(method="first").to_numpy().astype(int) - 1
        shape, own = pick("tail"), pick("volatility")
        i, j = shape.assets.get_loc(name), own.assets.get_loc(name)
        outcomes = np.sort(shape.pool.values[:, i])[place]
        total = total + exposures[name] * (own.mean[j] + own.vol[j] * outcomes)
    return loss(total, level, measure)


def walked(orders, value) -> dict:
    "Mean of what each switch adds, over the orders given."
    known, parts = {}, {}
    ask = lambda on: known.setdefault(on, value(on)) if on not in known else known[on]
    for order in orders:
        on = frozenset()
        for switch in order:
            parts[switch] = parts.get(switch, 0.0) + ask(on | {switch}) - ask(on)
            on |= {switch}
    return {k: v / len(orders) for k, v in parts.items()}


def brute(before, after, laws, level, measure, switches=SWITCHES) -> dict:
    "`laws[model][day][side]`; books by positions only."
    books = before.held, after.held
    names = books[0].index.union(books[1].index, sort=False)
    books = [b.reindex(names, fill_value=0.0) for b in books]
    law_of = lambda day, model, side: laws[model][day][side]

    def value(on):
        turned = {k: int(k in on) for k in switches}
        return worth(turned, lambda t: books[t["positions"]], law_of, level, measure)

    return walked(list(permutations(switches)), value)


def crossed(seed=0, **more):
    "Two evenings with a refit between, and their four laws."
    laws = [[law(seed), law(seed + 1)], [law(seed + 2), law(seed + 3)]]
    before = BridgeState(book(seed), laws[0][0], "fhs", 1, "2022-05-31", {2: laws[0][1]}, **more)
    after = BridgeState(book(seed + 1), laws[1][1], "fhs", 2, "2022-06-30", {1: laws[1][0]}, **more)
    return before, after, laws


def close(found, wanted, risk):
    assert list(found.index) == list(wanted)
    np.testing.assert_allclose(found, list(wanted.values()), rtol=0, atol=1e-10 * abs(risk))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("seed, level", [(0, 0.99), (10, 0.975)])
def test_five_switches_equal_the_walk_through_all_120_orders(seed, level, measure):
    before, after, laws = crossed(seed)
    found = var_bridge(before, after, level, measure)
    close(found.drivers, brute(before, after, [laws], level, measure), found.after)
    assert (found.drivers.abs() > 1e-4 * found.after).all()


@pytest.mark.parametrize("measure", MEASURES)
def test_model_is_a_sixth_switch_with_64_revaluations(measure):
    before, after, laws = crossed(0)
    old, new, more = laws, [[law(20), law(21)], [law(22), law(23)]], {"as_of": None}
    new_before = BridgeState(before.exposures, new[0][0], "hs", "x", through={"y": new[0][1]})
    after_old = replace(after, **more)
    after = BridgeState(after.exposures, new[1][1], "hs", "y", through={"x": new[1][0]}, under={"fhs": after_old})
    before = replace(before, under={"hs": new_before})
    found, switches = var_bridge(before, after, 0.99, measure), [*SWITCHES, "model"]
    assert found.note == "" and switch_values(before, after, [0.99], [measure])[2].size == 64
    close(found.drivers, brute(before, after, [old, new], 0.99, measure, switches), found.after)
    assert abs(found.drivers.sum() - found.change) <= 1e-10 * found.after
    folded = var_bridge(before, replace(after, under={}), 0.99, measure)
    assert "model" not in folded.drivers and folded.note.startswith("the engine changed from fhs to hs and after has no state under the other")
    assert abs(folded.drivers.sum() - found.change) <= 1e-10 * found.after


def factors(seed, names=NAMES) -> pd.DataFrame:
    rng = np.random.default_rng(200 + seed)
    return pd.DataFrame({"quantity": rng.normal(0, 1e5, len(names)), "price": rng.uniform(50, 150, len(names)), "rate": rng.uniform(0.8, 1.2, len(names))}, names)


@pytest.mark.parametrize("measure", MEASURES)
def test_trades_prices_and_rates_split_positions_and_nothing_else(measure):
    before, after, laws = crossed(0)
    before, after = replace(before, exposures=factors(0)), replace(after, exposures=factors(1))
    whole, split = (var_bridge(before, after, 0.975, measure, split=flag) for flag in (False, True))
    parts = ["trades", "price drift", "FX drift"]
    assert list(split.drivers.index) == [*parts, *SWITCHES[1:]]
    np.testing.assert_allclose(split.drivers[SWITCHES[1:]], whole.drivers[SWITCHES[1:]], rtol=0, atol=1e-10 * whole.after)
    assert abs(split.drivers[parts].sum() - whole.drivers["positions"]) <= 1e-10 * whole.after
    sheets = factors(0), factors(1)

    def value(on):
        turned = {k: int(k in on) for k in [*parts, *SWITCHES[1:]]}
        held = sheets[turned["trades"]]["quantity"] * sheets[turned["price drift"]]["price"] * sheets[turned["FX drift"]]["rate"]
        return worth(turned, lambda t: held, lambda day, model, side: laws[day][side], 0.975, measure)

    orders = []  # the parts of positions follow each other in each of their own orders
    for outer in permutations(SWITCHES):
        k = outer.index("positions")
        orders += [(*outer[:k], *inner, *outer[k + 1 :]) for inner in permutations(parts)]
    wanted = walked(orders, value)
    close(split.drivers, {k: wanted[k] for k in split.drivers.index}, split.after)


# A planted change is found where it was planted, to the last digit, and nowhere else


def planted(switch, plain):
    "Two states that differ in one switch only."
    a, e = law(0), book(0)
    rng = np.random.default_rng(5)
    if plain:
        made = lambda x: scenario_law(x)
        x = a.scenarios
        base = made(x)
        moves = {
            "volatility": lambda: made(x * [1, 1.7, 0.6, 2.0] + 1e-4),
            "correlation": lambda: made(x.apply(lambda c: rng.permutation(c.to_numpy()))),
            "tail": lambda: made(base.mean + base.vol * (lambda t: (t - t.mean()) / t.std(ddof=0))(np.sinh(((x - base.mean) / base.vol) / 2))),
        }
    else:
        base, z = a, a.pool.values
        moves = {
            "volatility": lambda: MarketLaw(NAMES, a.mean + 1e-4, a.vol * [1, 1.7, 0.6, 2.0], a.pool),
            "correlation": lambda: MarketLaw(NAMES, a.mean, a.vol, ranked(np.stack([rng.permutation(c) for c in z.T], 1))),
            "tail": lambda: MarketLaw(NAMES, a.mean, a.vol, ranked(np.sinh(z / 2))),
        }
    before = BridgeState(e, base, "fhs", 1)
    if switch == "positions":
        return before, BridgeState(e * 1.5 + [0, 2e6, 0, -3e6], base, "fhs", 1)
    if switch == "window/refit":  # the data say the same, the parameters do not
        other = law(3) if not plain else scenario_law(law(3).scenarios)
        return replace(before, through={2: other}), BridgeState(e, other, "fhs", 2, through={1: base})
    if switch == "model":
        other = law(3) if not plain else scenario_law(law(3).scenarios)
        new = BridgeState(e, other, "hs", 1)
        return replace(before, under={"hs": new}), replace(new, under={"fhs": before})
    return before, BridgeState(e, moves[switch](), "fhs", 1)


@pytest.mark.parametrize("plain", [False, True], ids=["filtered", "scenarios"])
@pytest.mark.parametrize("switch", [*SWITCHES, "model"])
def test_a_planted_change_gives_its_driver_everything(switch, plain):
    before, after = planted(switch, plain)
    for measure in MEASURES:
        for level in LEVELS:
            found = var_bridge(before, after, level, measure)
            risk = max(found.before, found.after)
            assert abs(found.change) > 0.01 * risk
            assert abs(found.drivers[switch] - found.change) <= 1e-10 * risk
            assert found.drivers.drop(switch).abs().max() <= 1e-10 * risk


@pytest.mark.parametrize("factor, driver", [("quantity", "trades"), ("price", "price drift"), ("rate", "FX drift")])
def test_a_planted_factor_gives_its_part_everything(factor, driver):
    sheet = factors(0)
    other = sheet.assign(**{factor: sheet[factor] * [1.5, 0.7, 1.1, 1.0]})
    before, after = (BridgeState(s, law(0), parameters=1) for s in (sheet, other))
    found = var_bridge(before, after, split=True)
    assert abs(found.drivers[driver] - found.change) <= 1e-10 * found.after and abs(found.change) > 0.01 * found.after
    assert found.drivers.drop(driver).abs().max() <= 1e-10 * found.after


def test_a_split_of_shares_is_a_trade_against_a_price():
    "Twice the shares at half the price move nothing in sum."
    sheet = factors(0)
    after = sheet.assign(quantity=sheet["quantity"] * [1, 2, 1, 1], price=sheet["price"] / [1, 2, 1, 1])
    found = var_bridge(*(BridgeState(s, law(0), parameters=1) for s in (sheet, after)), split=True)
    assert abs(found.change) <= 1e-10 * found.after and found.drivers["trades"] == pytest.approx(-found.drivers["price drift"], rel=1e-8)


# Laws of the split: the way back, scale, the order of assets


@pytest.mark.parametrize("measure", MEASURES)
def test_the_way_back_has_the_signs_turned_and_size_scales(measure):
    before, after, _ = crossed(4)
    there, back = var_bridge(before, after, 0.975, measure), var_bridge(after, before, 0.975, measure)
    np.testing.assert_allclose(there.drivers, -back.drivers, rtol=0, atol=1e-10 * there.after)
    thrice = var_bridge(replace(before, exposures=before.exposures * 3), replace(after, exposures=after.exposures * 3), 0.975, measure)
    np.testing.assert_allclose(thrice.drivers, 3 * there.drivers, rtol=0, atol=1e-9 * there.after)
    turned = var_bridge(replace(before, exposures=before.exposures[::-1]), replace(after, exposures=after.exposures.sample(frac=1, random_state=0)), 0.975, measure)
    np.testing.assert_allclose(turned.drivers, there.drivers, rtol=0, atol=1e-10 * there.after)


def test_a_missing_cross_is_folded_in_openly():
    before, after, _ = crossed(0)
    whole = var_bridge(before, after)
    for one, other, side in ((replace(before, through={}), after, "before"), (before, replace(after, through={}), "after")):
        found = var_bridge(one, other)
        assert found.drivers["window/refit"] == 0 and f"{side} was not seen through the other's" in found.note and found.note in found.summary()
        assert abs(found.drivers.sum() - whole.change) <= 1e-10 * whole.after
    assert "parameters are not named" in var_bridge(replace(before, parameters=None), after).note
    assert var_bridge(before, replace(after, parameters=1)).note == ""


# Other numbers of scenarios


@pytest.mark.parametrize("S", [(500, 500), (500, 750), (1000, 500), (500, 1000), (777, 1001)])
def test_ends_are_exact_whatever_the_numbers_of_scenarios(S):
    before, after = (BridgeState(book(k), law(k, S=n), parameters=k) for k, n in enumerate(S))
    for measure in MEASURES:
        found = var_bridge(before, after, 0.975, measure)
        assert found.before == pytest.approx(loss(before.pnl, 0.975, measure), rel=1e-12)
        assert found.after == pytest.approx(loss(after.pnl, 0.975, measure), rel=1e-12)
        assert abs(found.drivers.sum() - found.change) <= 1e-10 * found.after


def test_every_scenario_twice_changes_nothing():
    x = law(0).scenarios
    twice = pd.concat([x, x])
    found = [var_bridge(BridgeState.from_scenarios(book(0), x), BridgeState.from_scenarios(book(0), twice), level, m) for level in LEVELS for m in MEASURES]
    assert max(f.drivers.abs().max() / f.after for f in found) <= 1e-10


@pytest.mark.parametrize("n", [1, 7, 64, 640, 999, 1000, 1001, 3000])
def test_cells_keep_mean_and_order(n):
    q = np.sort(np.random.default_rng(n).standard_t(3, (4, 1000)), 1)
    out = regridded(q, n)
    edges = np.linspace(0, 1000, n + 1)
    slow = [[np.interp([a, b], np.arange(1001), np.r_[0, np.cumsum(row)]) @ [-1, 1] * n / 1000 for a, b in zip(edges, edges[1:])] for row in q]
    np.testing.assert_allclose(out, slow, atol=1e-9)
    np.testing.assert_allclose(out.mean(1), q.mean(1), atol=1e-12)
    assert out.shape == (4, n) and (np.diff(out) >= -1e-10).all()


# Assets that one evening does not know, columns that do not move


def cut(state_law, names, days=None):
    at = state_law.assets.get_indexer(names)
    return MarketLaw(names, state_law.mean[at], state_law.vol[at], ranked(state_law.pool.values[:, at], days))


def test_an_asset_new_to_the_book_needs_a_law_on_both_sides():
    before = BridgeState(book(0)[:3], cut(law(0), NAMES[:3]), parameters=1, as_of="2022-05-31")
    after = BridgeState(book(0), law(0), parameters=1)
    with pytest.raises(UnpricedAsset, match=r"without a law on 2022-05-31 \(D: no scenarios of it\)"):
        var_bridge(before, after)
    for first, last in ((before, after), (after, before)):  # listed, delisted
        found = var_bridge(first, last, missing="borrow")
        assert abs(found.drivers["positions"] - found.change) <= 1e-10 * found.after and abs(found.change) > 0.01 * found.after
        assert found.drivers.drop("positions").abs().max() <= 1e-10 * found.after
        assert found.note.startswith("D: no law on ")
        assert found.before == pytest.approx(value_at_risk(first.pnl, 0.99), rel=1e-12) and found.after == pytest.approx(value_at_risk(last.pnl, 0.99), rel=1e-12)


def test_a_known_asset_that_was_not_held_is_no_difficulty():
    before, after = BridgeState(book(0)[:3], law(0), parameters=1), BridgeState(book(0), law(0), parameters=1)
    found = var_bridge(before, after)
    assert found.note == "" and found.drivers.drop("positions").abs().max() == 0


def test_lent_ranks_follow_the_names_of_the_scenarios():
    "Twenty days later the pool has moved by twenty rows: an asset that comes in with the refit keeps its company."
    rng = np.random.default_rng(0)
    common = rng.normal(size=1020)
    z = pd.DataFrame({"OLD": common + 0.1 * rng.normal(size=1020), "NEW": common + 0.1 * rng.normal(size=1020)}, pd.bdate_range("2018-01-01", periods=1020))
    made = lambda rows, names, labelled: MarketLaw(names, np.zeros(len(names)), np.full(len(names), 0.01), ranked(z[names].iloc[rows], z.index[rows] if labelled else None))
    gap = {}
    for labelled in (True, False):
        before = BridgeState(pd.Series({"OLD": 1e7}), made(slice(0, 1000), ["OLD"], labelled), parameters=1)
        after = BridgeState(pd.Series({"OLD": 1e7, "NEW": -1e7}), made(slice(20, 1020), ["OLD", "NEW"], labelled), parameters=1)
        found = var_bridge(before, after, missing="borrow")
        gap[labelled] = abs(found.drivers["correlation"]) / found.before
        assert abs(found.drivers.sum() - found.change) <= 1e-10 * found.before
    assert gap[True] < 0.1 < gap[False]


def test_an_asset_without_cross_keeps_the_law_of_its_day():
    before, after, laws = crossed(0)
    found = var_bridge(before, replace(after, through={1: cut(laws[1][0], NAMES[:3])}))
    assert found.note == "D: on 2022-06-30 not seen through the other's parameters, so re-estimation is inside the other drivers"
    assert found.drivers["window/refit"] != 0 and abs(found.drivers.sum() - found.change) <= 1e-10 * found.after


def test_an_asset_known_under_neither_engine_of_one_family_is_refused():
    state = BridgeState(book(0), law(0), "fhs", 1)
    blind = BridgeState(book(0)[:3], cut(law(1), NAMES[:3]), "hs", 1)
    before, after = replace(state, under={"hs": blind}), BridgeState(book(0), law(2), "hs", 1, under={"fhs": state})
    assert abs(var_bridge(before, after, missing="borrow").drivers.sum() - var_bridge(before, after, missing="borrow").change) < 1
    with pytest.raises(UnpricedAsset, match="D: held, but under one of the engines known on neither side"):
        var_bridge(before, replace(BridgeState(book(0)[:3], cut(law(2), NAMES[:3]), "hs", 1), under={"fhs": state}), missing="borrow")


@pytest.mark.parametrize("plain", [False, True])
def test_a_peg_that_breaks_is_volatility_alone(plain):
    x = law(0).scenarios
    pegged = x.assign(B=x["B"].mean())
    if plain:
        before, after = (BridgeState.from_scenarios(book(0), f, parameters=1) for f in (pegged, x))
    else:
        a = law(0)
        before, after = (BridgeState(book(0), MarketLaw(NAMES, a.mean, a.vol * [1, f, 1, 1], a.pool), parameters=1) for f in (0.0, 1.0))
    for first, last in ((before, after), (after, before)):
        found = var_bridge(first, last)
        assert abs(found.drivers["volatility"] - found.change) <= 1e-10 * found.before and abs(found.change) > 1e-3 * found.before
        assert found.drivers.drop("volatility").abs().max() <= 1e-10 * found.before


def test_a_book_that_opens():
    before, after, _ = crossed(0)
    found = var_bridge(replace(before, exposures=before.exposures * 0), after)
    assert found.before == 0 and abs(found.drivers.sum() - found.after) <= 1e-10 * found.after


# Bad input is named


def test_bad_input_is_named():
    before, after, _ = crossed(0)
    e, z, x = book(0), law(0).pool.values, law(0).scenarios
    hole, plain = z.copy(), {"exposures": e, "scenarios": x}
    hole[0, 0] = np.nan
    trouble = [
        (MissingValue, "B: exposure is nan", lambda: BridgeState(e.replace(e["B"], np.nan), law(0))),
        (MissingValue, "C: price is inf", lambda: BridgeState(factors(0).replace({"price": {factors(0)["price"]["C"]: np.inf}}), law(0))),
        (UnpricedAsset, "A: held, but 1 of its 500 scenarios are NaN", lambda: BridgeState.from_filtered(e, NAMES, [0] * 4, [0.01] * 4, hole)),
        (UnpricedAsset, "X: held, but no scenarios of it", lambda: BridgeState(pd.Series({"X": 1.0}), law(0))),
        (BadArgument, "volatility of -0.01", lambda: BridgeState.from_filtered(e, NAMES, [0] * 4, [-0.01] * 4, z)),
        (BadArgument, "the same assets", lambda: BridgeState.from_filtered(e, NAMES, [0] * 3, [0.01] * 4, z)),
        (BadLevel, "did you mean 0.99", lambda: var_bridge(before, after, 99)),
        (BadLevel, "did you mean 0.99", lambda: bridge_range([before, after], 0.01)),
        (BadArgument, "choose value_at_risk", lambda: bridge_range([before, after], measures="vol")),
        (BadArgument, "one level is bridged at a time", lambda: var_bridge(plain | {"level": 0.9}, plain)),
        (BadArgument, "for more than two drivers pass BridgeState", lambda: var_bridge(plain | {"vol": 1}, plain)),
        (BadArgument, "give exposures as a frame", lambda: var_bridge(before, after, split=True)),
        (BadIndex, "comes after", lambda: bridge_range([after, before])),
        (TooShort, "two ends", lambda: bridge_range([before])),
    ]
    for kind, said, work in trouble:
        with pytest.raises(kind, match=said) as caught:
            work()
        assert isinstance(caught.value, RiskError)


def test_a_share_of_no_value_is_refused():
    before, after, _ = crossed(0)
    long = replace(before, exposures=before.exposures.abs())
    flat = replace(after, exposures=pd.Series([1e6, -1e6], ["A", "B"]))
    with pytest.raises(BadArgument, match="net market value of the book on 2022-06-30 is 0: a share of it has no meaning"):
        var_bridge(long, flat, share_of="net")
    gross = var_bridge(long, flat, share_of="gross")
    assert gross.after == pytest.approx(value_at_risk(flat.pnl, 0.99) / 2e6, rel=1e-12) and abs(gross.drivers.sum() - gross.change) < 1e-12
    scaled = var_bridge(long, replace(long, exposures=long.exposures * 2), share_of="net")
    assert abs(scaled.drivers).max() < 1e-12  # twice the book has twice the risk, and the same share
    with pytest.raises(UnpricedAsset, match="D: no price on 2022-06-30"):
        var_bridge(replace(before, exposures=factors(0)), replace(after, exposures=factors(1)[:3]), split=True)


# A range, the sample, speed


def test_a_range_has_the_bits_of_its_days():
    states = [BridgeState(book(k), law(k // 3), "fhs", k // 3, pd.Timestamp("2022-06-01") + pd.Timedelta(days=k)) for k in range(7)]
    path = bridge_range(states, LEVELS, MEASURES)
    assert len(path) == 6 * 2 * 2 * 5
    for (day, measure, level), part in path.groupby(["as_of", "measure", "level"]):
        k = (day - states[0].as_of).days
        found = var_bridge(states[k - 1], states[k], level, measure)
        assert (part["change"].to_numpy() == found.drivers.to_numpy()).all() and part["note"].iloc[0] == found.note
        assert (part["before"].iloc[0], part["after"].iloc[0]) == (found.before, found.after)


def test_historical_simulation_of_the_sample_sums_on_250_days():
    market = load_sample()
    held = Portfolio.from_positions(market.positions, market.prices)
    days = market.prices.index[-251:]
    exposures, returns = held.exposure_history(days), market.prices[held.lines["asset"].unique()].pct_change(fill_method=None)
    at = [returns.index.get_loc(d) for d in days]
    states = [BridgeState.from_scenarios(exposures.iloc[k], returns.iloc[i - 499 : i + 1], model="hs", as_of=days[k]) for k, i in enumerate(at)]
    path = bridge_range(states, 0.975)
    sums = path.groupby(["as_of", "measure"]).agg({"change": "sum", "before": "first", "after": "first"})
    assert len(sums) == 500 and ((sums["change"] - sums["after"] + sums["before"]).abs() <= 1e-10 * sums["after"]).all()
    ends = [value_at_risk((returns.iloc[i - 499 : i + 1] * exposures.iloc[k]).sum(axis=1), 0.975) for k, i in enumerate(at)][1:]
    np.testing.assert_allclose(sums.xs("value_at_risk", level=1)["after"], ends, rtol=1e-12)
    bars = fig_bridge_path(path).data
    assert all(len(t.x) == 250 for t in bars) and bars[-1].name == "change"
    np.testing.assert_allclose(np.sum([t.y for t in bars[:-1]], axis=0), bars[-1].y, atol=1e-5)


def test_thirty_two_books_of_500_assets_take_less_than_a_second():
    names = [f"A{i}" for i in range(500)]
    laws = [law(k, S=1000, names=names) for k in range(4)]
    before = BridgeState(book(0, names), laws[0], "fhs", 1, through={2: laws[1]})
    after = BridgeState(book(1, names), laws[3], "fhs", 2, through={1: laws[2]})
    start = time.process_time()
    values = switch_values(before, after, LEVELS, MEASURES)[2]
    assert time.process_time() - start <= 1 and len(np.unique(values[..., 0, 0])) == 32
