"P&L of the daily run: one definition with the ledger, nothing from the future, a range is its days, and what users give is checked or named."

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib import pipeline_pnl
from risk_analytics_lib.pipeline_inputs import RiskConfig, gather
from risk_analytics_lib.pipeline_laws import book_days
from risk_analytics_lib.pipeline_pnl import modelled_rows, pnl_on, pnl_tables
from risk_analytics_lib.pipeline_tables import event_moves, ledger, risk_rows
from risk_analytics_lib.risk.desks import desk_value_at_risk
from risk_analytics_lib.risk.limits import check_limits
from risk_analytics_lib.risk.pnl import PARTS, PnLExplain, explain_pnl
from risk_analytics_lib.risk.portfolio import Portfolio
from risk_analytics_lib.utils.checks import BadArgument, BadFile, BadScale, MissingValue
from risk_analytics_lib.utils.datasets import load_sample

CONFIG = RiskConfig(window=250, history=40, horizons=(1,))
EVENINGS = pd.to_datetime(["2022-03-31", "2022-05-02", "2022-06-01", "2022-06-30"])
STYLES = ["SPX", "MTUM", "VLUE"]


@pytest.fixture(scope="module")
def sample():
    "Prices with a hole in KO and a young AMD."
    whole = load_sample()
    prices = whole.prices.loc["2020":"2022-09-30"].copy()
    prices.loc["2022-04-11":"2022-04-20", "KO"] = np.nan
    prices.loc[:"2021-03-31", "AMD"] = np.nan
    return replace(whole, prices=prices)


def lines(as_of, **more):
    "Two desks, a share in euros, cash abroad, a long and a short in one name."
    held = [("JPM", 1000.0, "USD", "core"), ("KO", 2000.0, "USD", "core"), ("XOM", 600.0, "USD", "core"), ("BBY", -800.0, "EUR", "abroad"), ("GBP", 9e4, "USD", "abroad"), ("JPM", -300.0, "USD", "abroad")]
    return [(as_of, *line) for line in [*held, *more.get("more", [])]]


@pytest.fixture(scope="module")
def positions():
    "AMD joins in March; a desk of one name in May; JPM is sold in June."
    joined, oil = [("AMD", 300.0, "USD", "core")], [("CVX", 500.0, "USD", "oil")]
    frame = lines("2021-02-01") + lines("2022-03-14", more=joined) + lines("2022-05-16", more=joined + oil) + lines("2022-06-13", more=joined + oil)[1:]
    return pd.DataFrame(frame, columns=["as_of", "asset", "quantity", "currency", "desk"])


def given(sample, positions, how):
    "What the user gives in each way of asking, files that reach to the end of the data included."
    if how == "nothing":
        return {}
    if how == "factors":
        return {"factors": sample.prices[STYLES].pct_change().iloc[1:]}
    trades = pd.DataFrame([("2022-03-14", "AMD", 300.0, 105.0, 12.0), ("2022-05-16", "CVX", 500.0, 160.0, 5.0), ("2022-06-13", "AMD", 10.0, 90.0, 1.0), ("2022-07-05", "CVX", 20.0, 140.0, 0.0)],
                          columns=["date", "asset", "quantity", "price", "fee"])
    if how == "trades":
        days = gather(sample, positions).dates[500:]
        return {"trades": trades, "carry": pd.DataFrame({"date": days[:-1], "desk": "abroad", "value": np.arange(len(days) - 1.0)})}
    inputs = gather(sample, positions)
    known = pnl_tables(inputs, [len(inputs.moves)], replace(CONFIG, history=300))["pnl"].query("kind == 'hypothetical' and value == value")
    noise = np.random.default_rng(4).normal(0, 300.0, len(known))
    late = known.assign(value=known["value"] + noise)[["date", "desk", "value"]].query("date >= '2022-02-14' and not (desk == 'abroad' and date < '2022-04-01')")
    whole = late[~(late["desk"] == "core") | (late["date"] > "2022-04-29")]  # a span without holes in KO
    return {"actual": whole, "trades": trades.iloc[1:]}


WAYS = ("nothing", "actual", "trades", "factors")


def poisoned(sample, positions, gave, after):
    "Another world after a date: prices, positions, factors and what the user gives."
    rng, late = np.random.default_rng(0), sample.prices.index > after
    prices = sample.prices.mask(np.broadcast_to(late[:, None], sample.prices.shape), sample.prices * rng.uniform(0.5, 2, sample.prices.shape))
    positions = positions.assign(quantity=positions["quantity"].where(pd.to_datetime(positions["as_of"]) <= after, -1e3))
    other = {}
    for k, v in gave.items():
        when = v.index if k == "factors" else pd.to_datetime(v["date"])
        other[k] = v.assign(**v.select_dtypes("number").mul(np.where(when <= after, 1.0, 1.7), axis=0))
    return replace(sample, prices=prices), positions, other


def run(sample, positions, gave, start, end, config=CONFIG):
    inputs = gather(sample, positions, end)
    rows = np.arange(inputs.dates.searchsorted(start) + 1, len(inputs.moves) + 1)
    return pnl_tables(inputs, rows, config, **gave)


def first_leak(sample, positions, gave, evenings=EVENINGS):
    "(evening, table, world) where a range says something else than the evening's own run; None where there is none."
    last = sample.prices.index[-1]
    for evening in evenings:
        alone = run(sample, positions, gave, evening, evening)
        for world in ((sample, positions, gave), poisoned(sample, positions, gave, evening)):
            cut = pnl_on(run(*world, EVENINGS[0], last), evening, CONFIG.history)
            for name, table in alone.items():
                try:
                    pd.testing.assert_frame_equal(cut[name], table, check_exact=True)
                except AssertionError as e:
                    return evening, name, str(e)
    return None


# time --------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", WAYS)
def test_a_range_is_its_days_and_the_future_changes_nothing(sample, positions, how):
    "Bit for bit, with assets and desks that join, one with a hole, and another world after the evening."
    assert first_leak(sample, positions, given(sample, positions, how)) is None


MUTANTS = {
    "VaR that knows the next day": ("_desk_var", lambda f: lambda inputs, *more: f(replace(inputs, moves=np.nan_to_num(np.roll(inputs.moves, -1, axis=0))), *more), "nothing", "desks"),
    "loadings of the month itself": ("_loadings", lambda f: lambda inputs, moves, starts, local: f(inputs, moves, np.minimum(starts + 20, len(moves)), local), "factors", "explain"),
    "modelled in hindsight": ("_alive", lambda f: lambda moves, first, rows, used: np.broadcast_to(used & np.isfinite(moves[first:]).all(0), (len(rows), len(used))), "nothing", "pnl"),
    "a desk that begins with the data": ("_begins", lambda f: lambda inputs, *more: f(inputs, *more).where(lambda s: s.index != "core", inputs.dates[-90]), "nothing", "desks"),
}


@pytest.mark.parametrize("leak", MUTANTS)
def test_a_planted_leak_is_caught(sample, positions, leak, monkeypatch):
    name, mutate, how, where = MUTANTS[leak]
    gave = given(sample, positions, how)
    monkeypatch.setattr(pipeline_pnl, name, mutate(getattr(pipeline_pnl, name)))
    found = first_leak(sample, positions, gave)
    assert found is not None and found[1] == where


# one definition ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def evening(sample, positions):
    inputs = gather(sample, positions, EVENINGS[-1])
    return inputs, len(inputs.moves)


def test_pnl_is_that_of_the_risk_rows_and_of_the_ledger(evening):
    inputs, T = evening
    days = book_days(inputs, np.arange(T - CONFIG.history, T + 1), CONFIG)
    assert (modelled_rows(inputs, [d.row for d in days], CONFIG) == np.stack([d.alive for d in days])).all()
    pnl = pnl_tables(inputs, [T], CONFIG)["pnl"].groupby(["kind", "date"])["value"].sum(skipna=False)
    risk = risk_rows(inputs, days, CONFIG, event_moves(inputs)).query("measure == 'pnl'").set_index("as_of")["value"].iloc[1:]
    assert len(risk) == CONFIG.history and pnl["hypothetical"].to_numpy() == pytest.approx(risk.to_numpy(), rel=1e-9, nan_ok=True)
    realised = ledger(inputs, days, CONFIG).drop_duplicates("target").set_index("target")["realised"].iloc[:-1]
    assert pnl["risk-theoretical"].to_numpy() == pytest.approx(realised.to_numpy(), rel=1e-9, nan_ok=True)
    assert (pnl["risk-theoretical"] - pnl["hypothetical"]).abs().max() > 1  # AMD is held and in no model


@pytest.fixture(scope="module")
def whole():
    "The sample book, fully priced and modelled, and its local returns."
    data = load_sample()
    inputs = gather(data)
    book = Portfolio.from_positions(data.positions, data.prices)
    return inputs, len(inputs.moves), book, data.returns().loc["2020-09-30":].dropna(axis=1, how="all"), data


def test_a_fully_priced_book_has_what_the_rooms_beneath_say(whole):
    inputs, T, book, returns, data = whole
    made = pnl_tables(inputs, [T], RiskConfig(history=120))
    money = data.sources.index[data.sources["kind"] == "currency"].tolist()
    room = explain_pnl(book, returns.iloc[-121:], currencies=money)
    ours, theirs = (f.query("part != 'unexplained' and value != 0").groupby(["date", "desk", "part"])["value"].sum() for f in (made["explain"], room.parts))
    assert ours.index.equals(theirs.index) and ours.to_numpy() == pytest.approx(theirs.to_numpy(), rel=1e-9, abs=1e-6)
    for kind in ("hypothetical", "risk-theoretical"):
        a, b = (f[f["kind"] == kind].set_index(["date", "desk"])["value"].sort_index() for f in (made["pnl"], room.pnl))
        assert a.to_numpy() == pytest.approx(b.to_numpy(), rel=1e-9, abs=1e-6)
    var = desk_value_at_risk(book, returns, returns.index[-120])
    hits = made["exceptions"].set_index(["date", "desk", "level"])["value_at_risk"]
    assert len(hits) > 10 and hits.to_numpy() == pytest.approx(var.set_index(["date", "desk", "level"])["value_at_risk"].reindex(hits.index).to_numpy(), rel=1e-9)


def test_factors_are_the_room_with_loadings_of_the_past(whole):
    inputs, T, book, returns, data = whole
    styles, money = ["SPX", "MTUM"], data.sources.index[data.sources["kind"] == "currency"].tolist()
    made = pnl_tables(inputs, [T], RiskConfig(history=60), factors=returns[styles])
    from risk_analytics_lib.risk.pnl import factor_sensitivities

    shares, betas = [a for a in inputs.assets if a not in money], {}
    for month in pd.period_range("2022-09", "2022-12", freq="M"):
        past = returns[returns.index < month.start_time].iloc[-250:]
        x = np.column_stack([np.ones(250), past[styles]])
        betas[past.index[-1]] = pd.DataFrame(np.linalg.lstsq(x, past[shares].to_numpy(), rcond=None)[0][1:].T, shares, styles)
    span = returns.iloc[-61:]
    deltas = factor_sensitivities(book, pd.concat(betas), span.index, money)
    room = explain_pnl(book, span, deltas, span[styles], currencies=money)
    a, b = (f[f["part"] == "factors"].set_index(["date", "desk", "name"])["value"].sort_index() for f in (made["explain"], room.parts))
    a, b = a[a != 0], b[b != 0]
    assert a.index.equals(b.index) and a.to_numpy() == pytest.approx(b.to_numpy(), rel=1e-8)
    total = made["explain"].groupby(["date", "desk"])["value"].sum()
    assert total.to_numpy() == pytest.approx(made["pnl"].query("kind == 'hypothetical'").set_index(["date", "desk"])["value"].sort_index().to_numpy(), rel=1e-9, abs=1e-6)
    assert made["unexplained"]["value"].max() > 1e4 and "actual" not in set(made["pnl"]["kind"])


@pytest.mark.parametrize("how", WAYS)
def test_the_parts_sum_to_the_pnl(sample, positions, how):
    "To the actual P&L where there is one, else to the hypothetical; a day that is not known is in no sum."
    gave = given(sample, positions, how)
    made = run(sample, positions, gave, EVENINGS[0], EVENINGS[-1])
    pnl = made["pnl"].pivot(index=["date", "desk"], columns="kind", values="value")
    target = pnl["hypothetical"] if "actual" not in pnl else pnl["actual"].where(pnl.index.isin(pnl["actual"].dropna().index), pnl["hypothetical"])
    total = made["explain"].groupby(["date", "desk"])["value"].sum(skipna=False).reindex(target.index, fill_value=0.0)
    assert total.to_numpy() == pytest.approx(target.to_numpy(), rel=1e-9, abs=1e-6, nan_ok=True)
    lost = made["explain"][made["explain"]["value"].isna()]
    assert set(lost[lost["part"] == "factors"]["name"]) <= {"KO"} and pnl["hypothetical"].isna().sum() == lost[["date", "desk"]].drop_duplicates().shape[0] > 0
    frame = PnLExplain(made["explain"], made["pnl"]).to_frame("(book)")
    assert frame["hypothetical"].isna().sum() == pnl["hypothetical"].isna().sum() and ("actual" in pnl) == frame["actual"].notna().any()
    assert made["unexplained"].empty == (how == "nothing") and set(made["explain"]["part"]) <= set(PARTS)


def test_actual_pnl_is_given_or_made_never_invented(sample, positions):
    assert set(run(sample, positions, {}, EVENINGS[1], EVENINGS[1])["pnl"]["kind"]) == {"hypothetical", "risk-theoretical"}
    gave = given(sample, positions, "trades")
    pnl = run(sample, positions, gave, EVENINGS[-1], EVENINGS[-1])["pnl"].pivot(index=["date", "desk"], columns="kind", values="value")
    more = (pnl["actual"] - pnl["hypothetical"]).unstack("desk")
    assert more.loc["2022-05-17", "oil"] == 0 and more.loc["2022-06-13", "core"] == pytest.approx(10 * (sample.prices.loc["2022-06-13", "AMD"] - 90) - 1)
    assert more["abroad"].diff().iloc[1:].to_numpy() == pytest.approx(1.0, abs=1e-6)
    nobody = run(sample, positions, {"trades": gave["trades"].iloc[:0]}, EVENINGS[-1], EVENINGS[-1])["pnl"].pivot(index=["date", "desk"], columns="kind", values="value")
    assert more.loc["2022-05-16", "oil"] == pytest.approx(500 * (sample.prices.loc["2022-05-16", "CVX"] - 160) - 5)  # the first trade of a new desk
    assert nobody["actual"].equals(nobody["hypothetical"].rename("actual"))
    part = run(sample, positions, given(sample, positions, "actual"), EVENINGS[1], EVENINGS[1])
    assert part["pnl"].query("kind == 'actual'").groupby("desk")["date"].min().to_dict() == {"abroad": pd.Timestamp("2022-04-01"), "core": pd.Timestamp("2022-05-02")}


# desks -------------------------------------------------------------------------------------------------------------------------------


def test_desks_count_what_the_exceptions_list(sample, positions):
    made = run(sample, positions, given(sample, positions, "actual"), EVENINGS[2], EVENINGS[2])
    desks, hits = made["desks"].set_index("desk"), made["exceptions"]
    for level, tag in ((0.975, "975"), (0.99, "99")):
        for kind in ("hypothetical", "actual"):
            mine = hits[(hits["level"] == level) & (hits["kind"] == kind)].groupby("desk").size()
            if kind == "hypothetical":
                assert mine.reindex(desks.index).fillna(0).tolist() == desks[f"hypothetical_{tag}"].tolist()
            else:  # the table counts the hypothetical P&L on days without an actual one
                assert (mine.reindex(desks.index).fillna(0) <= desks[f"actual_{tag}"].fillna(np.inf)).all()
    assert "actual P&L on" in desks.loc["core", "reasons"] and (desks["label"] == "FRTB-style, not regulatory capital").all()


def test_an_asset_in_no_model_shows_in_the_attribution(sample):
    "The model sees half of a desk: the P&L is not attributed, and the reasons name what is left out."
    half = pd.DataFrame([("2021-08-02", "JPM", 100.0, "USD", "core"), ("2021-08-02", "AMD", 1e4, "USD", "core"), ("2021-08-02", "XOM", 100.0, "USD", "clean")], columns=["as_of", "asset", "quantity", "currency", "desk"])
    desks = run(sample, half, {}, "2022-02-15", "2022-02-15")["desks"].set_index("desk")
    assert desks.loc["core", "pla_zone"] == "red" and not desks.loc["core", "eligible"] and "not in VaR: AMD" in desks.loc["core", "reasons"]
    assert desks.loc["core", "hypothetical_99"] > desks.loc["core", "allowed_99"] and desks.loc["clean", "spearman"] == pytest.approx(1.0)
    assert "not in VaR" not in desks.loc["clean", "reasons"] and "AMD" in desks.loc["(book)", "reasons"]


BOOKS = {
    "just begun": ([("2022-05-31", "JPM", 10.0, "core")], "2022-05-31"),
    "one day old": ([("2022-05-27", "JPM", 10.0, "core")], "2022-05-31"),
    "flat since": ([("2021-05-03", "JPM", 10.0, "core"), ("2022-05-20", "JPM", 0.0, "core")], "2022-05-31"),
    "not modelled": ([("2021-05-03", "AMD", 10.0, "core")], "2021-12-31"),
    "cash too": ([("2021-05-03", "USD", 1e4, "cash"), ("2021-05-03", "JPM", 10.0, "core")], "2022-05-31"),
    "before its book": ([("2022-05-27", "JPM", 10.0, "core")], "2022-05-20"),
}


@pytest.mark.parametrize("history", [1, 40])
@pytest.mark.parametrize("kind", BOOKS)
def test_odd_books_have_a_row_or_none_but_no_error(sample, kind, history):
    frame, start = BOOKS[kind]
    held = pd.DataFrame(frame, columns=["as_of", "asset", "quantity", "desk"])
    made = run(sample, held, {}, start, max(start, "2022-05-31" if kind == "before its book" else start), replace(CONFIG, history=history))
    desks = made["desks"].query("desk == 'core'")
    last = desks.iloc[-1]
    assert (last["days"] == 0) == (kind in ("just begun", "not modelled")) and (last["backtest"] == "n/a") == (last["days"] == 0)
    assert last["reasons"] and (desks["as_of"] >= pd.Timestamp(frame[0][0])).all()
    if kind == "flat since":
        assert (made["pnl"].query("date > '2022-05-20'")["value"] == 0).all() and last["hypothetical_99"] <= 1


# errors ------------------------------------------------------------------------------------------------------------------------------


def wrong(frame, row, **values):
    return frame.assign(**{c: [v if i == row else x for i, x in enumerate(frame[c])] for c, v in values.items()})


def test_what_is_given_wrong_is_named(sample, positions, evening, tmp_path):
    inputs, T = evening
    good = given(sample, positions, "actual")["actual"].query("date <= '2022-06-30' and date >= '2022-05-01'").reset_index(drop=True)
    trades = given(sample, positions, "trades")["trades"].iloc[1:3].reset_index(drop=True)
    moves = sample.prices[STYLES].pct_change().iloc[1:]
    tell = lambda **gave: pnl_tables(inputs, [T], CONFIG, **gave)
    cases = [
        (BadArgument, "names desk 'rates', which the book does not have", {"actual": wrong(good, 3, desk="rates")}),
        (BadArgument, "2022-06-04, where the book has no hypothetical P&L", {"actual": wrong(good, len(good) - 1, date=pd.Timestamp("2022-06-04"))}),
        (BadArgument, "wrong sign", {"actual": good.assign(value=-good["value"])}),
        (BadScale, "thousands or millions", {"actual": good.assign(value=good["value"] / 1e2)}),
        (MissingValue, "abroad is missing on", {"actual": good.drop(index=good.index[good["desk"] == "abroad"][3])}),
        (MissingValue, "row 8 .* date .* is no date", {"actual": wrong(good, 7, date=pd.NaT)}),
        (BadFile, "no column 'value'", {"actual": good.drop(columns="value")}),
        (BadFile, "no column 'desk' and the book has 3", {"actual": good.drop(columns="desk")}),
        (BadArgument, "is in CHF, the book in USD", {"actual": good.assign(currency="CHF")}),
        (BadFile, "trades have no column 'price'", {"trades": trades.drop(columns="price")}),
        (BadArgument, "trade in CVX on no date", {"trades": wrong(trades, 0, date="2022-13-01")}),
        (BadArgument, "trade in CVX on 2022-05-15: .* on a day with closes", {"trades": wrong(trades, 0, date="2022-05-15")}),
        (BadArgument, "names desk 'rates'", {"trades": trades.assign(desk="rates")}),
        (BadArgument, "without a desk, and none or several hold it", {"trades": wrong(trades, 0, asset="JPM")}),
        (BadArgument, "carry alone makes no actual P&L", {"carry": good}),
        (BadArgument, "carry on 2022-06-04, which is no day", {"carry": wrong(good, 0, date=pd.Timestamp("2022-06-04")), "trades": trades}),
        (BadArgument, "factor EUR is a currency of the book", {"factors": moves.assign(EUR=0.01)}),
        (MissingValue, "factor MTUM has no return on 2022-03-03", {"factors": moves.assign(MTUM=moves["MTUM"].where(moves.index != "2022-03-03"))}),
        (BadScale, "look like percent", {"factors": 100 * moves}),
        (BadArgument, "linearly dependent", {"factors": moves.assign(two=2 * moves["SPX"])}),
    ]
    for error, said, gave in cases:
        with pytest.raises(error, match=said):
            tell(**gave)
    for name, table in (("actual", good), ("trades", trades)):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    a, b = tell(actual=good, trades=trades), tell(actual=tmp_path / "actual.csv", trades=str(tmp_path / "trades.csv"))
    for name in a:
        pd.testing.assert_frame_equal(a[name], b[name], obj=name)  # a file has the last bits of a number rounded


def test_a_file_of_one_desk_may_leave_the_desk_out_and_reach_far_back(sample):
    "Years before the days shown, times of day, and days after the evening change nothing."
    held = pd.DataFrame({"as_of": ["2021-02-01"], "asset": ["JPM"], "quantity": [100.0], "desk": ["core"]})
    moves = (100 * sample.prices["JPM"].diff().loc["2021-02-02":]).rename("value").rename_axis("date").reset_index()
    late = moves.assign(date=moves["date"] + pd.Timedelta(hours=17))
    made = [run(sample, held, {"actual": f}, EVENINGS[1], EVENINGS[1])["pnl"] for f in (moves.assign(desk="core"), moves, late)]
    assert all(m.equals(made[0]) for m in made[1:]) and (made[0]["kind"] == "actual").sum() == CONFIG.history
    wide = made[0].pivot(index="date", columns="kind", values="value")
    assert wide["actual"].to_numpy() == pytest.approx(wide["hypothetical"].to_numpy(), rel=1e-9)


def test_a_trade_belongs_to_the_desk_that_held_its_asset_by_then(sample, positions):
    "A second desk that buys the asset later does not make the trade of today ambiguous."
    later = pd.concat([positions, positions.tail(2).assign(as_of="2022-07-11", desk="core")])
    trade = pd.DataFrame({"date": ["2022-05-16"], "asset": ["CVX"], "quantity": [500.0], "price": [160.0]})
    made = run(sample, later, {"trades": trade}, EVENINGS[-1], "2022-07-29")["explain"]
    assert made[made["part"] == "trades"][["desk", "name"]].to_numpy().tolist() == [["oil", "CVX"]]
    assert made.loc[made["part"] == "trades", "value"].iloc[0] == pytest.approx(500 * (sample.prices.loc["2022-05-16", "CVX"] - 160))


def test_limits_of_the_unexplained(sample, positions):
    "A planted loss breaches the limit of its desk on its day; without actual P&L the limit is not checked."
    gave = given(sample, positions, "actual")
    gave = {"actual": gave["actual"].assign(value=gave["actual"]["value"] - 9e3 * ((gave["actual"]["date"] == "2022-06-30") & (gave["actual"]["desk"] == "abroad")))}
    rule = pd.DataFrame([["Unexplained, abroad", "unexplained", "abroad", 5e3, "USD"], ["Share", "unexplained_share", "abroad", 3.0, "share of P&L volatility"]], columns=["limit", "measure", "model", "limit_value", "unit"])
    made = run(sample, positions, gave, EVENINGS[-1], EVENINGS[-1])["unexplained"]
    judged = check_limits(rule, made)
    assert judged[judged["status"] == "breach"][["as_of", "limit"]].iloc[0].tolist() == [pd.Timestamp("2022-06-30"), "Unexplained, abroad"]
    assert judged[(judged["limit"] == "Share") & (judged["as_of"] == "2022-06-30")]["value"].iloc[0] > 1
    none = run(sample, positions, {}, EVENINGS[-1], EVENINGS[-1])["unexplained"]
    assert none.empty and list(none.columns) == list(made.columns)
