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
