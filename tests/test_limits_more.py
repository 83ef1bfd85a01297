"Limits of every kind from one table: units that cannot be mistaken, and values that know only the past."

import io

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.risk.limits import check_limits, concentration_values, stress_values, track_values
from risk_analytics_lib.risk.portfolio import Portfolio, _grid_values
from risk_analytics_lib.risk.stress import scenario_table
from risk_analytics_lib.utils.checks import BadArgument
from risk_analytics_lib.utils.datasets import load_sample

FILE = """limit,measure,level,horizon,model,limit_value,unit,near
VaR,value_at_risk,0.99,1,fhs,1500000,USD,0.9
"VaR, share",value_at_risk,0.99,1,fhs,0.02,share of market value,0.9
"ES, share of gross",expected_shortfall,0.975,1,fhs,0.02,share of gross,
Gross exposure,gross,,,,110000000,USD,0.95
Largest name,single_name,,,,0.1,share of gross,0.9
Largest sector,sector,,,,0.3,share of gross,0.9
Largest desk,desk,,,,0.7,share of gross,0.9
Evenness,hhi_sector,,,,0.2,share of gross,
Worst historical stress,stress,,,,15000000,USD,0.9
The pandemic again,scenario,,,Pandemic,12000000,USD,0.9
Drawdown of a quarter,drawdown,,60,,4000000,USD,
Volatility of a quarter,realised_volatility,,60,,700000,USD,
"""


@pytest.fixture(scope="module")
def evening():
    "The sample's last forty evenings as the values of one table."
    sample = load_sample()
    book = Portfolio.from_positions(sample.positions, sample.prices)
    returns = sample.returns(assets=pd.unique(sample.positions["asset"])).loc["2022-07-01":].dropna(how="all")
    dates = returns.index[-40:]
    places, worth = _grid_values(book, dates)
    held = pd.DataFrame(worth, dates, pd.MultiIndex.from_frame(places))
    past = sample.returns(assets=pd.unique(sample.positions["asset"])).dropna(how="all")
    events = sample.events[sample.events["start"] >= "2020-01-01"].assign(name=lambda f: ["Pandemic", *f["name"].iloc[1:]])
    tables = [scenario_table(book.exposures_at(d), past.loc[:d], events).assign(as_of=d) for d in dates[-2:]]
    pnl = book.pnl_history(returns).sum(axis=1)
    risk = pd.DataFrame([(d, m, p, 1, "fhs", v) for d in dates for m, p, v in (("value_at_risk", 0.99, 1.4e6), ("expected_shortfall", 0.975, 1.6e6))],
                        columns=["as_of", "measure", "level", "horizon", "model", "value"])
    return book, held, pd.concat([risk, concentration_values(held), stress_values(pd.concat(tables)), track_values(pnl, 60)], ignore_index=True)


def test_one_file_judges_six_kinds(evening):
    book, held, values = evening
    judged = check_limits(pd.read_csv(io.StringIO(FILE)), values)
    last = judged[judged["as_of"] == held.index[-1]].set_index("limit")
    assert (last["status"] != "n/a").all() and len(last) == 12
    worth = book.exposures_at(held.index[-1])
    assert last["value"]["Gross exposure"] == pytest.approx(worth.abs().sum(), rel=1e-12)
    assert last["value"]["VaR, share"] == pytest.approx(1.4e6 / worth.sum(), rel=1e-12)
    assert last["value"]["ES, share of gross"] == pytest.approx(1.6e6 / worth.abs().sum(), rel=1e-12)
    assert last["value"]["Largest name"] == pytest.approx(worth.abs().max() / worth.abs().sum(), rel=1e-12)
    for kind, limit in (("sector", "Largest sector"), ("desk", "Largest desk")):
        assert last["value"][limit] == pytest.approx(book.breakdown(kind, held.index[-1])["share"].max(), rel=1e-12)
    assert last["value"]["Evenness"] == pytest.approx((book.breakdown("sector", held.index[-1])["share"] ** 2).sum(), rel=1e-12)
    assert last["value"]["Worst historical stress"] >= last["value"]["The pandemic again"] > 0
    first = judged[judged["as_of"] == held.index[0]].set_index("limit")
    assert first["status"]["Worst historical stress"] == "n/a"  # no stress was run that evening


def test_a_long_short_book_has_no_share_of_market_value(evening):
    *_, values = evening
    limits = pd.read_csv(io.StringIO(FILE)).iloc[[1]]
    for worth in (0.0, -3e6):
        broken = values.assign(value=values["value"].where(values["measure"] != "net", worth))
        with pytest.raises(BadArgument, match="market value of the book is .* on 2022-.*, of which there is no share"):
            check_limits(limits, broken)
    unknown = values.assign(value=values["value"].where(values["measure"] != "net"))
    assert (check_limits(limits, unknown)["status"] == "n/a").all()


@pytest.mark.parametrize("row, unit", [(0, "EUR"), (0, "percent"), (0, "share"), (4, "USD"), (4, "share of market value"), (7, "USD")])
def test_units_that_do_not_fit_are_refused(row, unit, evening):
    *_, values = evening
    limits = pd.read_csv(io.StringIO(FILE)).iloc[[row]].assign(unit=unit)
    money = values.assign(unit=values["unit"].fillna("USD"))
    with pytest.raises(BadArgument, match="has unit"):
        check_limits(limits, money)


def test_no_unit_is_the_unit_of_the_value(evening):
    *_, values = evening
    limits = pd.read_csv(io.StringIO(FILE)).iloc[[0, 3, 4]]
    bare = check_limits(limits.drop(columns="unit"), values)
    pd.testing.assert_frame_equal(bare, check_limits(limits, values))


def test_values_know_only_the_past():
    rng = np.random.default_rng(1)
    days = pd.bdate_range("2022-01-03", periods=200)
    pnl, held = pd.Series(1e5 * rng.standard_normal(200), days), pd.DataFrame(1e6 * rng.standard_normal((200, 5)), days, list("abcde"))
    for make, data in ((lambda x: track_values(x, 30), pnl), (concentration_values, held)):
        whole, wild = make(data), data.copy()
        wild.iloc[120:] = 7e9
        seen = lambda f: f[f["as_of"] < days[120]].reset_index(drop=True)
        pd.testing.assert_frame_equal(seen(make(wild)), seen(whole), check_exact=True)
    late = track_values(pnl.iloc[50:], 30)  # where history starts changes no bit either
    pd.testing.assert_frame_equal(late.dropna(subset="value").reset_index(drop=True),
                                  track_values(pnl, 30)[lambda f: f["as_of"] >= days[79]].reset_index(drop=True), check_exact=True)


def test_a_drawdown_counts_from_the_start_of_its_window():
    days = pd.bdate_range("2022-01-03", periods=6)
    pnl = pd.Series([5.0, -1, -1, -1, 2, -4], days)
    depth = track_values(pnl, 3)[lambda f: f["measure"] == "drawdown"].set_index("as_of")["value"]
    assert depth.tolist()[2:] == [2.0, 3.0, 0.0, 4.0] and depth.iloc[:2].isna().all()


def test_what_is_not_there_is_neither_zero_nor_worst():
    table = pd.DataFrame([["a", "(book)", np.nan, 0.0], ["b", "(book)", -1.0, 0.9], ["c", "(book)", -9.0, 0.4], ["b", "x", -50.0, 1.0]], columns=["scenario", "asset", "pnl", "coverage"])
    found = stress_values(table)
    assert found.loc[found["measure"] == "stress", "value"].tolist() == [1.0]
    assert found.loc[found["measure"] == "scenario"].set_index("model")["value"].isna().to_dict() == {"a": True, "b": False, "c": True}
    limits = pd.DataFrame([["Worst", "stress", "", 2.0], ["C", "scenario", "c", 2.0]], columns=["limit", "measure", "model", "limit_value"])
    assert check_limits(limits, found)["status"].tolist() == ["ok", "n/a"]
    assert stress_values(table, covered=0.3).loc[0, "value"] == 9.0
