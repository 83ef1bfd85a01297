"""The daily run on books and data as users have them: odd ones go on by name, nothing looks ahead, a range is its days."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.pipelines import TABLES, RiskConfig, run_daily, run_range
from risk_analytics_lib.risk.portfolio import Portfolio
from risk_analytics_lib.risk.stress import Scenario
from risk_analytics_lib.utils.checks import BadArgument, RiskError
from risk_analytics_lib.utils.datasets import load_sample

CONFIG = RiskConfig(window=250, history=20, n_paths=200)
DAY = "2022-12-28"
WHATIF = [
    Scenario("tenth", "conditional", {"SPX": "-10 %"}),
    Scenario("oil", "hypothetical", {"XOM": -0.2}, others="zero"),
    Scenario("slide", "path", {"SPX": [-0.02, -0.02]}, days=5),
    Scenario("spring", "historical", start=pd.Timestamp("2020-02-20"), end=pd.Timestamp("2020-03-23")),
    Scenario("loss", "reverse", loss=500.0),
]


@pytest.fixture(scope="module")
def sample():
    whole = load_sample()
    return replace(whole, prices=whole.prices.loc["2019":])


def book(**columns):
    return pd.DataFrame(columns)


def number(run, measure="value_at_risk", level=0.99, model="fhs", horizon=1):
    r = run.to_frame()
    same = (r["measure"] == measure) & (r["horizon"] == horizon) & (r["model"] == model)
    return r.loc[same & (np.isclose(r["level"], level) if level else True), "value"].iloc[0]


def run(sample, positions, as_of=DAY, **changes):
    return run_daily(as_of, replace(sample, **changes), positions, CONFIG)


# books -------------------------------------------------------------------------------------------------------------------------------


def test_market_values_without_dates_are_constant_exposures(sample):
    done = run(sample, book(asset=["AAPL", "KO"], market_value=[1000.0, -500.0]))
    assert number(done, "gross", None, "", 0) == 1500.0 and number(done) > 0
    assert set(done.drivers.query("kind == 'asset'")["name"]) == {"AAPL", "KO"}
    mixed = run(sample, book(asset=["AAPL", "KO"], market_value=[1000.0, np.nan], quantity=[np.nan, 1.0]))
    assert number(mixed, "gross", None, "", 0) == pytest.approx(1000 + sample.prices["KO"].iloc[-1])


def test_a_portfolio_object_keeps_its_name_and_base(sample):
    done = run(sample, Portfolio(pd.Series({"KO": 1000.0, "AAPL": -500.0}), name="mine"))
    assert done.portfolio_name == "mine" and done.currency == "USD" and number(done) > 0


def test_cash_has_no_risk_and_no_trouble(sample):
    with_cash = run(sample, book(asset=["AAPL", "USD"], quantity=[10.0, 2500.0]))
    assert number(with_cash) == number(run(sample, book(asset=["AAPL"], quantity=[10.0])))
    with pytest.raises(RiskError, match="nothing but cash"):
        run(sample, book(asset=["USD"], quantity=[2500.0]))


def test_two_desks_in_one_asset_are_told_apart_and_net(sample):
    desks = book(asset=["AAPL", "AAPL", "KO"], quantity=[10.0, -4.0, 50.0], desk=["A", "B", "A"])
    done = run(sample, desks)
    assert set(done.drivers.query("kind == 'desk'")["name"]) == {"A", "B"}
    for kind in ("asset", "desk"):
        assert done.drivers.query(f"kind == '{kind}'")["component"].sum() == pytest.approx(number(done, "expected_shortfall", 0.975), rel=1e-12)
    flat = run(sample, book(asset=["AAPL", "AAPL"], quantity=[10.0, -10.0], desk=["A", "B"]))
    assert number(flat) == 0.0


def test_a_share_abroad_moves_with_its_currency(sample):
    done = run(sample, book(asset=["AAPL"], quantity=[10.0], currency=["EUR"]))
    assert number(done, "gross", None, "", 0) == pytest.approx(10 * sample.prices["AAPL"].iloc[-1] * sample.prices["EUR"].iloc[-1])


@pytest.mark.parametrize("start", ["2022-12-20", DAY])
def test_a_book_that_has_just_begun(sample, start):
    assert number(run(sample, book(as_of=[start], asset=["AAPL"], quantity=[10.0]))) > 0


def test_a_position_closed_and_reopened(sample):
    dates = ["2022-06-01", "2022-12-01", "2022-12-23"]
    done = run(sample, book(as_of=dates, asset=["AAPL"] * 3, quantity=[10.0, 0.0, 10.0]))
    flat = done.forecasts[(done.forecasts["as_of"] == "2022-12-15")]
    assert (flat["value_at_risk"] == 0).all() and number(done) > 0


# data --------------------------------------------------------------------------------------------------------------------------------


def spoilt(sample, asset, change):
    prices = sample.prices.copy()
    prices[asset] = change(prices[asset].copy())
    return prices


LATE, GAP = "2022-12-15", slice("2022-12-12", "2022-12-21")
SPOILT = {
    "stops": (lambda p: p.where(p.index < LATE), "2022-12"),
    "long hole": (lambda p: p.where(~p.index.isin(p.loc[GAP].index)), "its window has holes"),
    "thirty observations": (lambda p: p.where(p.index >= p.index[-30]), "250 are wanted"),
    "constant": (lambda p: p * 0 + 7.0, "no volatility to estimate"),
    "negative": (lambda p: p.where(p.index != "2022-06-01", -36.98), "see its flags"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_what_cannot_be_modelled_is_named_and_the_others_go_on(sample, how):
    change, said = SPOILT[how]
    positions = book(asset=["KO", "AAPL"], quantity=[100.0, 1.0])
    done = run(sample, positions, prices=spoilt(sample, "KO", change))
    alone = run(sample, positions.tail(1))
    assert number(done) == pytest.approx(number(alone), rel=1e-9)
    assert done.left_out == ["KO"] and "left out: KO" in done.verdict and "within limits" not in done.verdict
    state = done.data.set_index("asset").loc["KO"]
    assert state["status"] != "ok" and not state["modelled"] and said in state["note"]
    assert (done.forecasts.loc[done.forecasts["as_of"] == DAY, "note"] == "without KO").all()


def test_a_negative_price_is_flagged_with_date_and_remedy(sample):
    done = run(sample, book(asset=["KO", "AAPL"], quantity=[100.0, 1.0]), prices=spoilt(sample, "KO", SPOILT["negative"][0]))
    flag = done.flags.query("asset == 'KO' and rule == 'negative'").iloc[0]
    assert flag["date"] == pd.Timestamp("2022-06-01") and flag["value"] == -36.98 and "price difference" in flag["action"]


def test_nothing_to_model_is_an_error_that_says_why(sample):
    with pytest.raises(RiskError, match="nothing can be modelled on 2022-12-28.*KO: 30 prices"):
        run(sample, book(asset=["KO"], quantity=[1.0]), prices=spoilt(sample, "KO", SPOILT["thirty observations"][0]))


def test_a_new_listing_among_old_ones(sample):
    young = spoilt(sample, "KO", lambda p: p.where(p.index >= p.index[-300]))
    done = run(sample, book(asset=["KO"], quantity=[1.0]), prices=young)
    assert number(done) > 0 and done.left_out == []


def test_a_filter_that_fell_back_says_so_in_the_ledger(sample):
    still = spoilt(sample, "KO", lambda p: p.where(np.arange(len(p)) % 3 == 0).ffill())
    done = run(sample, book(asset=["KO", "AAPL"], quantity=[100.0, 1.0]), prices=still)
    assert done.forecasts["note"].str.contains("KO: GARCH fell back to EWMA").all() and not done.fits["converged"].all()


# time --------------------------------------------------------------------------------------------------------------------------------


def test_the_future_changes_nothing(sample):
    now = "2022-06-15"
    honest = run_daily(now, sample, None, CONFIG, scenarios=WHATIF)
    after = sample.prices.index > now
    poisoned = replace(
        sample,
        prices=sample.prices.mask(np.broadcast_to(after[:, None], sample.prices.shape), sample.prices * np.random.default_rng(0).uniform(-2, 3, sample.prices.shape)),
        positions=sample.positions.assign(quantity=sample.positions["quantity"].where(sample.positions["as_of"] <= now, 1e9)),
        events=pd.concat([sample.events, sample.events.tail(1).assign(name="tomorrow", start=pd.Timestamp("2022-07-01"), end=pd.Timestamp("2022-07-05"))]),
    )
    again = run_daily(now, poisoned, None, CONFIG, scenarios=WHATIF)
    for name in TABLES:
        clock = [c for c in ("started", "finished") if c in honest.table(name)]
        pd.testing.assert_frame_equal(honest.table(name).drop(columns=clock), again.table(name).drop(columns=clock), check_exact=True, obj=name)


@pytest.mark.parametrize("evening", ["2021-06-09", "2021-06-30"])
def test_a_range_is_its_days_also_when_assets_join_later(sample, evening):
    joined = book(as_of=["2021-01-04", "2021-01-04", "2021-07-06", "2021-07-06", "2021-07-06"], asset=["AAPL", "KO", "AAPL", "KO", "XOM"], quantity=[10.0, 50.0, 12.0, 40.0, 30.0])
    trades = book(date=["2021-06-09", "2021-06-30", "2021-07-07"], asset=["AAPL"] * 3, quantity=[1.0, -2.0, 3.0], price=[127.0, 137.0, 145.0])
    whole = run_range("2021-06-08", "2021-07-08", sample, joined, CONFIG, scenarios=WHATIF, trades=trades).day(evening)
    alone = run_daily(evening, sample, joined, CONFIG, scenarios=WHATIF, trades=trades)
    oil = alone.stress[(alone.stress["scenario"] == "oil") & (alone.stress["asset"] == "(book)")]
    assert oil["pnl"].isna().all() and oil["note"].str.contains("XOM, which the book does not hold").all()  # it joins later
    assert whole.run_id == alone.run_id
    for name in TABLES:
        drop = [c for c in ("started", "finished", *(["run_id"] if name in ("forecasts", "risk", "timelines", "vols") else [])) if c in alone.table(name)]
        drop += ["action"] * (name == "flags")  # its words count the other assets of the run, and the range has one more
        pd.testing.assert_frame_equal(whole.table(name).drop(columns=drop), alone.table(name).drop(columns=drop), check_exact=True, obj=name)


def test_identity_follows_what_a_run_depends_on(sample):
    positions = book(asset=["AAPL", "KO"], quantity=[10.0, 50.0], desk=["A", "B"])
    same, ids = run(sample, positions).run_id, []
    assert run(sample, positions).run_id == same
    ids.append(run(sample, positions.assign(desk=["B", "A"])).run_id)
    ids.append(run(sample, positions.assign(quantity=[10.0, 51.0])).run_id)
    ids.append(run(sample, positions, limits=sample.limits.assign(limit_value=1.0)).run_id)
    ids.append(run(sample, positions, events=sample.events.head(2)).run_id)
    ids.append(run_daily(DAY, sample, positions, replace(CONFIG, refit=10)).run_id)
    ids.append(run_daily(DAY, sample, positions, CONFIG, scenarios=WHATIF[:1]).run_id)
    assert len({same, *ids}) == 7


@pytest.mark.slow
def test_a_year_in_one_pass_equals_its_days(sample):
    "250 evenings of the sample book with the default window, sampled every tenth day."
    whole = load_sample()
    config = RiskConfig(n_paths=500)
    year = run_range("2022-01-03", DAY, whole, config=config, n_jobs=2)
    for evening in year.runs["as_of"][::10]:
        cut, alone = year.day(evening), run_daily(evening, whole, config=config)
        for name in TABLES:
            drop = [c for c in ("started", "finished", *(["run_id"] if name in ("forecasts", "risk", "timelines", "vols") else [])) if c in alone.table(name)]
            pd.testing.assert_frame_equal(cut.table(name).drop(columns=drop), alone.table(name).drop(columns=drop), check_exact=True, obj=name)


# evenings with nothing to say ----------------------------------------------------------------------------------------------------------


def test_flat_evenings_go_on(sample):
    sold = book(as_of=["2020-01-02", "2022-12-15", "2022-12-22"], asset=["JPM", "JPM", "KO"], quantity=[100.0, 0.0, 10.0])
    whole = run_range("2022-12-13", DAY, sample, sold, CONFIG)
    flat = whole.drivers["as_of"].between("2022-12-15", "2022-12-21")
    assert not flat.any() and set(whole.drivers["as_of"].dt.strftime("%d")) >= {"14", "22", "28"}
    assert run_daily("2022-12-20", sample, sold, CONFIG).day("2022-12-20").drivers.empty


def test_evenings_before_anything_can_be_modelled_are_nan(sample):
    late = sample.prices.copy()
    late.loc[:"2021-12-15", "KO"] = np.nan
    done = run(sample, book(as_of=["2020-01-02"], asset=["KO"], quantity=[100.0]), prices=late)
    var = done.risk.query("measure == 'value_at_risk' and horizon == 1").groupby("as_of")["value"].first()
    assert var.isna().any() and np.isfinite(var.iloc[-1])


def test_a_stress_number_needs_data_for_half_of_the_book(sample):
    young = sample.prices.copy()
    young.loc[:"2021-06-30", "KO"] = np.nan
    old = sample.events[sample.events["end"] < "2021-01-01"]
    positions = book(as_of=["2021-07-01"] * 2, asset=["KO", "JPM"], quantity=[1e5, 10.0])
    done = run(sample, positions, prices=young, events=old)
    stress = done.limits[done.limits["limit"].str.contains("stress")].iloc[0]
    assert np.isnan(stress["value"]) and stress["status"] == "n/a" and "not checked" in done.verdict


def test_scenarios_of_ones_own(sample):
    "Against the arithmetic; a typing error stops the run before any work."
    positions = book(asset=["XOM", "KO"], quantity=[100.0, -50.0], sector=["Energy", "Staples"], desk=["A", "B"])
    rows = pd.DataFrame([{"limit": "oil falls", "measure": "scenario", "model": "oil", "limit_value": 1000.0, "unit": "USD"}, {"limit": "fall", "measure": "drawdown", "horizon": 20, "limit_value": 1.0}])
    limits = rows.reindex(columns=sample.limits.columns)
    done = run_daily(DAY, replace(sample, limits=limits), positions, CONFIG, scenarios=WHATIF)
    pnl = done.stress.set_index(["scenario", "state", "asset"])["pnl"]
    price = sample.prices.loc[DAY]
    assert pnl[("oil", "calm", "(book)")] == pytest.approx(-0.2 * 100 * price["XOM"], rel=1e-12)
    both = sample.prices.loc["2020-03-23", ["XOM", "KO"]] / sample.prices.loc[:"2020-02-19", ["XOM", "KO"]].iloc[-1] - 1
    assert pnl[("spring", "all", "KO")] == pytest.approx(-50 * price["KO"] * both["KO"], rel=1e-9)
    assert pnl[("loss", "stress", "(book)")] == pytest.approx(-500, rel=1e-9)
    split = done.stress_split.set_index(["scenario", "state", "kind", "name"])["pnl"]
    assert split[("oil", "calm", "sector", "Energy")] == pnl[("oil", "calm", "XOM")] and split[("oil", "calm", "desk", "B")] == 0
    told = done.limits.set_index("limit")
    assert told.loc["oil falls", "value"] == pytest.approx(20 * price["XOM"]) and told.loc["oil falls", "status"] == "breach" and pd.isna(told.loc["oil falls", "since"])
    track = np.r_[0.0, np.cumsum(done.earned.iloc[-20:])]
    assert told.loc["fall", "value"] == pytest.approx(track.max() - track[-1], rel=1e-9)
    with pytest.raises(BadArgument, match="SPQ is not a factor, did you mean SPX"):
        run_daily(DAY, sample, positions, CONFIG, scenarios=[Scenario("typo", "conditional", {"SPQ": -0.1})])
    with pytest.raises(RiskError, match="25"):
        run_daily(DAY, sample, positions, CONFIG, scenarios=[Scenario("percent", "conditional", {"SPX": -25})])


def test_actual_pnl_is_explained_judged_and_limited(sample):
    "What was booked beyond the model is unexplained, to the cent; what is booked later changes nothing before."
    positions = book(asset=["XOM", "KO"], quantity=[100.0, -50.0], sector=["Energy", "Staples"], desk=["A", "B"])
    plain = run(sample, positions)
    booked = plain.pnl[plain.pnl["kind"] == "hypothetical"].drop(columns="kind").assign(value=lambda f: f["value"] + np.where(f["desk"] == "A", 7.0, 0.0))
    limits = pd.DataFrame([{"limit": "rest", "measure": "unexplained", "model": "(book)", "horizon": 1, "limit_value": 5.0, "unit": "USD"}]).reindex(columns=sample.limits.columns)
    done = run_daily(DAY, replace(sample, limits=limits), positions, CONFIG, actual=booked)
    assert done.explain.groupby(["date", "desk"])["value"].sum().to_numpy() == pytest.approx(booked.sort_values(["date", "desk"])["value"].to_numpy(), rel=1e-9)
    rest = done.explain[done.explain["part"] == "unexplained"].groupby("desk")["value"].sum()
    assert rest["A"] == pytest.approx(7.0 * CONFIG.history, rel=1e-6) and abs(rest["B"]) < 1e-6
    told = done.limits.iloc[0]
    assert told["value"] == pytest.approx(7.0, rel=1e-6) and told["status"] == "breach" and pd.notna(told["since"])
    assert set(done.desks["desk"]) == {"A", "B", "(book)"} and set(plain.pnl["kind"]) == {"hypothetical", "risk-theoretical"}
    earned = plain.pnl[plain.pnl["kind"] == "hypothetical"].groupby("date")["value"].sum()
    pd.testing.assert_series_equal(earned, plain.earned.reindex(earned.index), check_names=False, rtol=1e-12)
    later = pd.concat([booked, booked.tail(1).assign(date=pd.Timestamp("2023-01-05"))])
    assert run_daily(DAY, sample, positions, CONFIG, actual=booked).run_id == run_daily(DAY, sample, positions, CONFIG, actual=later).run_id != plain.run_id
    with pytest.raises(BadArgument, match="wrong sign"):
        run_daily(DAY, sample, positions, CONFIG, actual=booked.assign(value=-booked["value"]))


def test_the_days_that_make_the_number(sample):
    done = run(sample, book(asset=["AAPL", "KO"], quantity=[10.0, 50.0]))
    assert done.tail["contribution"].sum() == pytest.approx(number(done, "expected_shortfall", 0.975), rel=1e-12)
    assert done.tail["date"].max() <= done.as_of and done.timelines["as_of"].nunique() == CONFIG.history + 1
    last = done.timelines[done.timelines["as_of"] == done.as_of].reset_index(drop=True)
    pd.testing.assert_frame_equal(last, done.drivers)


def test_a_loss_behind_a_hole_is_not_a_day_without_loss(sample):
    torn = sample.prices.copy()
    torn.loc["2022-12-05":"2022-12-12", "KO"] = np.nan
    torn.loc["2022-12-13":, "KO"] *= 0.5
    done = run_range("2022-12-01", DAY, replace(sample, prices=torn), book(asset=["KO", "JPM"], quantity=[100.0, 1.0]), CONFIG)
    pnl = done.earned
    assert pnl[["2022-12-08", "2022-12-13"]].isna().all() and pnl[["2022-12-05", "2022-12-14"]].notna().all()
    first = done.forecasts[done.forecasts["target"] == "2022-12-08"]
    assert first["realised"].isna().all() and first["note"].str.contains("KO: no return on the day").all()


def test_a_price_that_stands_still_keeps_a_volatility(sample):
    still = sample.prices.copy()
    still.loc["2022-03-01":, "AAPL"] = still.loc["2022-03-01", "AAPL"]
    done = run(sample, book(asset=["AAPL"], quantity=[100.0]), prices=still)
    assert number(done) > 0.002 * number(done, "gross", None, "", 0)
    assert done.forecasts["note"].iloc[-1].endswith("a constant volatility stands in")
