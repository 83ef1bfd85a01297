"P&L by part, desks and the stressed period: planted causes, other packages, the rules' bounds to the day, and nothing from the future."

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from risk_analytics_lib.risk.desks import allowed_exceptions, desk_table, desk_value_at_risk, pla_windows, pnl_exceptions
from risk_analytics_lib.risk.frtb import imcc, market_risk_capital, pla_test, stress_window
from risk_analytics_lib.risk.limits import check_limits
from risk_analytics_lib.risk.pnl import (
    PARTS, PNL_KINDS, carry_pnl, check_pnl, explain_pnl, factor_sensitivities, hypothetical_pnl, implied_trades, pnl_rows, pnl_wide, trade_breaks, trade_pnl, unexplained_values,
)
from risk_analytics_lib.risk.portfolio import Portfolio
from risk_analytics_lib.risk.stress_windows import search_stress_window
from risk_analytics_lib.utils.checks import BadArgument, BadFile, BadScale, MissingValue, RiskError
from risk_analytics_lib.utils.datasets import load_sample

DAYS = pd.bdate_range("2022-01-03", periods=300)
DESKS = {"A": "equity", "B": "equity", "C": "abroad", "EUR": "cash"}


@pytest.fixture(scope="module")
def prices():
    "Four assets; C is quoted in euros."
    moves = np.random.default_rng(8).normal(0, 0.01, (300, 4))
    return pd.DataFrame(100 * np.cumprod(1 + moves, axis=0), DAYS, list(DESKS))


def book_of(prices):
    "Two dated books that differ in A and C."
    lines = [(DAYS[0], a, q, c, DESKS[a]) for a, q, c in (("A", 1e3, "USD"), ("B", -4e2, "USD"), ("C", 50.0, "EUR"), ("EUR", 2e3, "EUR"))]
    lines += [(DAYS[100], a, q, c, DESKS[a]) for a, q, c in (("A", 1.5e3, "USD"), ("B", -4e2, "USD"), ("C", 20.0, "EUR"), ("EUR", 2e3, "EUR"))]
    frame = pd.DataFrame(lines, columns=["as_of", "asset", "quantity", "currency", "desk"])
    return Portfolio.from_positions(frame, prices)


def returns_of(prices):
    return prices.pct_change().fillna(0.0)


@pytest.fixture(scope="module")
def model(prices):
    "A one-factor model and its explain, with trades at off-market prices and carry."
    book, moves = book_of(prices), returns_of(prices)
    betas = pd.DataFrame({"market": [1.0, 0.8, 0.5]}, ["A", "B", "C"])
    deltas = factor_sensitivities(book, betas, DAYS)
    factors = pd.DataFrame({"market": moves[["A", "B", "C"]].mean(axis=1)})
    trades = implied_trades(book, DAYS, prices=prices * 0.99, fee=0.001)
    carry = carry_pnl(book, {"EUR": 0.03}, DAYS)
    return book, moves, deltas, factors, trades, carry, explain_pnl(book, moves, deltas, factors, trades=trades, carry=carry)


def test_the_parts_sum_to_the_actual_pnl(model):
    "To 1e-9 of it, on every day and desk; with a P&L given as well as made."
    *given, made = model
    frame = made.to_frame()
    scale = frame["actual"].abs().max()
    assert (frame[list(PARTS)].sum(axis=1) - frame["actual"]).abs().max() <= 1e-9 * scale
    report = made.pnl[made.pnl["kind"] == "actual"].assign(value=lambda f: f["value"] + 123.0)[["date", "desk", "value"]]
    book, moves, deltas, factors, trades, carry = given
    other = explain_pnl(book, moves, deltas, factors, actual=report, trades=trades, carry=carry).to_frame()
    assert (other[list(PARTS)].sum(axis=1) - other["actual"]).abs().max() <= 1e-9 * scale
    assert (other["unexplained"] - frame["unexplained"]).to_numpy() == pytest.approx(123.0, abs=1e-6)
    assert made.parts.groupby(["date", "desk"])["value"].sum().to_numpy() == pytest.approx(frame.set_index(["date", "desk"])["actual"].to_numpy(), abs=1e-9 * scale)
    assert set(made.pnl["kind"]) == set(PNL_KINDS)


def one_part(frame):
    "Name of the only part that made anything."
    made = frame[list(PARTS)].abs().sum()
    (name,) = made.index[made > 1e-9 * max(made.max(), 1e-300)]
    return name


@pytest.mark.parametrize("part", ["factors", "currency", "carry", "trades", "unexplained"])
def test_a_planted_cause_takes_all(part, prices):
    flat, moved = pd.DataFrame(100.0, DAYS, list(DESKS)), prices.copy()
    moved[{"factors": ["EUR"], "currency": ["A", "B", "C"]}.get(part, list(DESKS))] = 100.0
    book, moves = book_of(moved), returns_of(moved)
    more = {}
    if part == "carry":
        more["carry"] = carry_pnl(book, {"EUR": 0.03, "A": -0.01}, DAYS)
    if part == "trades":
        more["trades"] = implied_trades(book, DAYS, prices=flat * 0.99, fee=0.001)
    if part == "unexplained":
        more["actual"] = hypothetical_pnl(book, moves).assign(value=77.0)[["date", "desk", "value"]]
    frame = explain_pnl(book, moves, **more).to_frame()
    assert one_part(frame) == part
    assert frame[part].to_numpy() == pytest.approx(frame["actual"].to_numpy(), abs=1e-9)
    assert frame["actual"].abs().sum() > 0


def test_the_cross_term_stands_with_the_currency():
    "A price up 10 % and a rate up 20 %: 10 of price at the old rate, 22 of currency on the new local value."
    prices = pd.DataFrame({"C": [10.0, 11.0], "EUR": [1.0, 1.2]}, DAYS[:2])
    lines = pd.DataFrame({"as_of": [DAYS[0]], "asset": ["C"], "quantity": [10.0], "currency": ["EUR"], "desk": ["abroad"]})
    frame = explain_pnl(Portfolio.from_positions(lines, prices), returns_of(prices)).to_frame().iloc[0]
    assert [frame["factors"], frame["currency"], frame["actual"]] == pytest.approx([10, 22, 32], abs=1e-9)


def test_nothing_from_the_future(model, prices):
    "Prices, factors and trades after t leave every row up to t as it was, bit by bit."
    book, moves, deltas, factors, trades, carry, made = model
    cut = 180
    wild = prices.copy()
    wild.iloc[cut + 1 :] *= 3.0
    other, moved = book_of(wild), returns_of(wild)
    changed = explain_pnl(other, moved, factor_sensitivities(other, pd.DataFrame({"market": [1.0, 0.8, 0.5]}, ["A", "B", "C"]), DAYS),
                          factors.where(DAYS.to_numpy()[:, None] <= DAYS[cut].to_datetime64(), 9.9), trades=trades, carry=carry)
    for name in ("parts", "pnl"):
        a, b = (getattr(x, name)[lambda f: f["date"] <= DAYS[cut]] for x in (made, changed))
        keys = [c for c in a.columns if c != "value"]
        pd.testing.assert_frame_equal(a.sort_values(keys, ignore_index=True), b.sort_values(keys, ignore_index=True), check_exact=True)
    var = desk_value_at_risk(book, moves, DAYS[260], window=250)
    ahead = desk_value_at_risk(book_of(prices.iloc[:281]), moves.iloc[:281], DAYS[260], window=250)
    pd.testing.assert_frame_equal(ahead, var[var["date"] <= DAYS[280]].reset_index(drop=True), check_exact=True)


def test_one_day_alone_is_the_day_of_the_range(model):
    book, moves, deltas, factors, trades, carry, made = model
    t = 150
    alone = explain_pnl(book, moves.iloc[t - 1 : t + 1], deltas[deltas["as_of"] == DAYS[t - 1]], factors.iloc[t - 1 : t + 1], trades=trades, carry=carry).to_frame()
    pd.testing.assert_frame_equal(alone, made.to_frame()[lambda f: f["date"] == DAYS[t]].reset_index(drop=True), check_exact=True)


def test_delta_gamma_against_a_repriced_square():
    "A position worth delta x + gamma x^2 / 2 is explained exactly, and by delta alone is not."
    moves = pd.DataFrame({"x": np.random.default_rng(0).normal(0, 0.02, 40)}, DAYS[:40])
    book = Portfolio.from_positions(pd.DataFrame({"asset": ["USD"], "market_value": [1e6], "desk": ["options"]}))
    returns = pd.DataFrame({"USD": 0.0}, DAYS[:40])
    truth = 1e5 * moves["x"] - 0.5 * 3e6 * moves["x"] ** 2
    report = pd.DataFrame({"date": DAYS[1:40], "desk": "options", "value": truth.iloc[1:].to_numpy()})
    line = pd.DataFrame({"as_of": DAYS[:40], "desk": "options", "factor": "x", "delta": 1e5, "gamma": -3e6})
    full = explain_pnl(book, returns, line, moves, actual=report).to_frame()
    linear = explain_pnl(book, returns, line.drop(columns="gamma"), moves, actual=report).to_frame()
    assert full["unexplained"].abs().max() < 1e-9
    assert linear["unexplained"].to_numpy() == pytest.approx((-1.5e6 * moves["x"].iloc[1:] ** 2).to_numpy(), abs=1e-9)


def test_trades_lead_from_book_to_book(model):
    book, _, _, _, trades, _, _ = model
    assert trade_breaks(book, trades, DAYS).empty
    lost = trade_breaks(book, trades.iloc[1:], DAYS)
    assert (lost["date"].tolist(), lost["asset"].tolist(), lost["gap"].tolist()) == ([DAYS[100]], ["A"], [500.0])
    with_fee, without = trade_pnl(book, trades), trade_pnl(book, trades, fees=False)
    assert (without["value"] - with_fee["value"]).to_numpy() == pytest.approx((0.001 * (trades["quantity"] * trades["price"]).abs() * [1, book.prices["EUR"].iloc[100]]).to_numpy(), rel=1e-12)


def test_accidents_are_named(model):
    book, moves, deltas, factors, *_ = model
    known = hypothetical_pnl(book, moves)
    good = known[["date", "desk", "value"]]
    with pytest.raises(MissingValue, match="row 4 .*date .* is no date"):
        check_pnl(good.assign(date=good["date"].where(np.arange(len(good)) != 3)), known)
    with pytest.raises(BadArgument, match="desk 'rates', which the book does not have"):
        check_pnl(good.replace({"desk": {"cash": "rates"}}), known)
    with pytest.raises(MissingValue, match="cash is missing on 2022-03-0"):
        check_pnl(good[~((good["desk"] == "cash") & (good["date"] == DAYS[43]))], known)
    with pytest.raises(BadArgument, match="is in CHF, the book in USD"):
        check_pnl(good.assign(currency="CHF"), known)
    with pytest.raises(BadArgument, match="wrong sign"):
        check_pnl(good.assign(value=-good["value"]), known)
    with pytest.raises(BadScale, match="decimal returns"):
        check_pnl(good.assign(value=good["value"] / 1e6), known)
    with pytest.raises(BadFile, match="no column 'value'"):
        check_pnl(good.drop(columns="value"), known)
    with pytest.raises(MissingValue, match="factor market has no move on"):
        explain_pnl(book, moves, deltas, factors.drop(DAYS[50]).reindex(DAYS))
    with pytest.raises(BadArgument, match="two hypothetical P&Ls"):
        pnl_wide(pd.concat([known, known.iloc[:1]]), "hypothetical")
    with pytest.raises(RiskError):
        explain_pnl(book, moves.drop(columns="C"))


def test_a_file_of_actual_pnl_is_the_frame(model, tmp_path):
    book, moves, *_ = model
    known = hypothetical_pnl(book, moves)
    known[["date", "desk", "value"]].to_csv(tmp_path / "pnl.csv", index=False)
    pd.testing.assert_frame_equal(check_pnl(tmp_path / "pnl.csv", known), known.assign(kind="actual"), check_dtype=False)


def test_unexplained_beyond_its_limit_is_a_breach_and_no_error(model):
    *_, made = model
    values = unexplained_values(made, 60)
    rule = pd.DataFrame([["Unexplained", "unexplained_share", "equity", 1.0, "share of P&L volatility"]], columns=["limit", "measure", "model", "limit_value", "unit"])
    judged = check_limits(rule, values).set_index("as_of")
    frame = made.to_frame("equity").set_index("date")
    share = frame["unexplained"].abs() / frame["actual"].rolling(60).std().shift(1)
    assert judged["value"].iloc[60:].to_numpy() == pytest.approx(share.iloc[60:].to_numpy(), rel=1e-9)
    assert judged["value"].iloc[:60].isna().all() and (judged["status"].iloc[:60] == "n/a").all()
    assert (judged["status"] == "breach").tolist() == (share > 1).tolist()


# Desks


def pnl_of(actual, hypothetical, theoretical):
    frames = zip(PNL_KINDS, (hypothetical, actual, theoretical))
    return pd.concat([pnl_rows(pd.DataFrame({"d": x}, DAYS[: len(x)]), kind) for kind, x in frames], ignore_index=True)


def var_of(n, v975=2.0, v99=3.0):
    return pd.concat([pd.DataFrame({"date": DAYS[:n], "desk": "d", "level": p, "value_at_risk": v}) for p, v in ((0.975, v975), (0.99, v99))])


@pytest.mark.parametrize("kind", ["actual", "hypothetical"])
@pytest.mark.parametrize("n99, n975, verdict", [(12, 12, "pass"), (13, 13, "fail"), (0, 30, "pass"), (0, 31, "fail"), (12, 30, "pass")])
def test_desk_bounds_to_the_day(kind, n99, n975, verdict):
    base = np.sin(np.arange(250.0))
    hit = np.where(np.arange(250) < n99, -4.0, np.where(np.arange(250) < n975, -2.5, base))
    pair = (hit, base) if kind == "actual" else (base, hit)
    row = desk_table(pnl_of(*pair, base), var_of(250)).iloc[0]
    assert (row["backtest"], row["count_99"], row["count_975"]) == (verdict, n99, n975)
    assert row["eligible"] == (verdict == "pass") or row["pla_zone"] == "red"


def test_the_larger_count_decides():
    "Eight exceptions of one P&L and eight of the other, on other days, are eight and not sixteen."
    base = np.sin(np.arange(250.0))
    first, second = base.copy(), base.copy()
    first[:8], second[100:108] = -4, -4
    row = desk_table(pnl_of(first, second, base), var_of(250)).iloc[0]
    assert (row["actual_99"], row["hypothetical_99"], row["count_99"], row["backtest"]) == (8, 8, 8, "pass")


def test_missing_counts_after_the_first_var_and_not_before():
    base = np.sin(np.arange(280.0))
    var = var_of(280)
    late = var[var["date"] >= DAYS[100]].assign(value_at_risk=lambda f: f["value_at_risk"].mask(f["date"] == DAYS[150]))
    row = desk_table(pnl_of(base, base, base), late).iloc[0]
    assert (row["days"], row["actual_99"], row["hypothetical_975"]) == (180, 1, 1)
    assert "180 days, allowed counts scaled by probability" in row["reasons"]


@pytest.mark.parametrize("level, allowed", [(0.99, 12), (0.975, 30)])
def test_scaled_bounds(level, allowed):
    "By the binomial law of scipy: as improbable as in 250 days, and never more than there."
    bound = stats.binom(250, 1 - level).sf(allowed - 1)
    counts = [allowed_exceptions(level, n) for n in range(1, 251)]
    for n, x in enumerate(counts, start=1):
        law = stats.binom(n, 1 - level)
        assert law.sf(x - 1) >= bound * (1 - 1e-9) and (x == n or law.sf(x) < bound)
    assert counts[-1] == allowed and (np.diff(counts) >= 0).all() and allowed_exceptions(level, 900) == allowed


@pytest.mark.parametrize("digits", [12, 1, 0])
def test_attribution_against_scipy(digits):
    rng = np.random.default_rng(digits)
    model = np.round(rng.standard_normal(300), digits)
    desk = np.round(model + 0.6 * rng.standard_normal(300), digits)
    spearman, apart = pla_windows(model, desk)
    for t in (0, 25, 50):
        a, b = model[t : t + 250], desk[t : t + 250]
        assert spearman[t] == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-12)
        assert apart[t] == pytest.approx(stats.ks_2samp(a, b).statistic, abs=1e-12)
    row = desk_table(pnl_of(desk, desk, model), var_of(300, 20, 30)).iloc[0]
    alone = pla_test(model[50:], desk[50:])
    assert (row["spearman_zone"], row["kolmogorov_smirnov_zone"], row["pla_zone"]) == (alone.spearman_zone, alone.kolmogorov_smirnov_zone, alone.zone)


def test_a_date_of_the_timeline_knows_only_its_past():
    rng = np.random.default_rng(4)
    x, y, z = rng.standard_normal((3, 300))
    pnl, var = pnl_of(x, x + 0.3 * y, x + 0.3 * z), var_of(300, 1.96, 2.33)
    line = desk_table(pnl, var, as_of="all")
    wild = pnl.assign(value=pnl["value"].where(pnl["date"] <= DAYS[270], 1e9 * rng.standard_normal(len(pnl))))
    other = desk_table(wild, var, as_of="all")
    pd.testing.assert_frame_equal(line[line["as_of"] <= DAYS[270]], other[other["as_of"] <= DAYS[270]], check_exact=True)
    for t in (5, 120, 299):
        pd.testing.assert_frame_equal(desk_table(pnl[pnl["date"] <= DAYS[t]], var[var["date"] <= DAYS[t]]), line[line["as_of"] == DAYS[t]].reset_index(drop=True), check_exact=True)


def test_exceptions_name_their_driver(model):
    *_, made = model
    names = ["equity", "abroad", "cash"]
    var = pd.DataFrame([(d, k, 0.99, 1.0) for d in DAYS[1:] for k in names], columns=["date", "desk", "level", "value_at_risk"])
    hits = pnl_exceptions(made.pnl, var, 0.99, made)
    rows = made.parts.set_index(["date", "desk"]).sort_index()
    for hit in hits.sample(20, random_state=0).itertuples():
        own = rows.loc[(hit.date, hit.desk)]
        assert hit.driver_value == own["value"].min() and hit.driver.split(":")[0] == own.loc[own["value"] == own["value"].min(), "part"].iloc[0]
    wide = pnl_wide(made.pnl, "hypothetical")
    assert (hits["kind"] == "hypothetical").sum() == int((wide < -1.0).to_numpy().sum())


# The stressed period and the capital measure


def test_the_search_agrees_with_a_loop_and_names_holes():
    rng = np.random.default_rng(6)
    days = pd.bdate_range("2007-01-01", periods=700)
    moves = pd.DataFrame(rng.standard_t(4, (700, 3)) * 0.01, days, list("abc"))
    held = pd.Series({"a": 2e6, "b": -1e6, "c": 1e6})
    found = search_stress_window(held, moves, days=100)
    ten = pd.Series((((1 + moves).rolling(10).apply(np.prod, raw=True) - 1) * held).sum(axis=1).iloc[9:])
    assert [found.worst, found.end] == [pytest.approx(stress_window(ten, days=100)[2], rel=1e-9), stress_window(ten, days=100)[1]]
    holed = search_stress_window(held, moves.assign(c=moves["c"].where(days != days[300])), days=100)
    lost = holed.timeline["value"].isna()
    assert lost.sum() == 109 and (holed.timeline.loc[lost, "missing"] == "c").all() and (holed.timeline.loc[lost, "coverage"] == 0.75).all()
    pd.testing.assert_series_equal(holed.timeline.loc[~lost, "value"], found.timeline.loc[~lost, "value"], check_exact=True)


def test_the_sample_fears_2008_or_2020():
    "The window is searched, not chosen: the worst year of the sample's book holds one of the two crashes."
    sample = load_sample()
    book = Portfolio.from_positions(sample.positions, sample.prices)
    held = book.exposures_at("2022-12-28")
    found = search_stress_window(held, sample.returns(assets=held.index).dropna(how="all"), start="2007-01-01")
    assert any(found.start <= pd.Timestamp(d) <= found.end for d in ("2008-10-10", "2020-03-16"))
    short = search_stress_window(-held, sample.returns(assets=held.index).dropna(how="all"), start="2007-01-01")
    assert (short.start, short.end) != (found.start, found.end)


def test_capital_by_hand():
    whole, parts = 180.0, {"equity": 150.0, "currency": 60.0}
    charge = imcc(whole, parts)
    assert charge == pytest.approx(0.5 * 180 + 0.5 * 210) and "not regulatory capital" in repr(charge)
    history = np.r_[np.full(100, 500.0), np.linspace(100, 159, 60)]  # only the last 60 count
    assert market_risk_capital(history, 5.0, 1.7) == pytest.approx(1.7 * 129.5 + 5)
    assert market_risk_capital(np.r_[np.full(59, 10.0), 1000.0]) == 1000
