"Bad input, one case a test: each gives a named error or a flag that says asset, date and remedy, and the other assets go on."

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.utils.calendar import sessions
from risk_analytics_lib.utils.checks import BadFile, BadHorizon, BadIndex, BadLevel, BadScale, RiskError
from risk_analytics_lib.utils.checks import check_horizon, check_level, check_scale
from risk_analytics_lib.utils.cleaning import asset_status, clean_prices
from risk_analytics_lib.utils.datasets import MarketData
from risk_analytics_lib.utils.ingest import read_limits, read_positions, read_prices
from risk_analytics_lib.utils.returns import NonPositivePrice, prices_to_returns

DAYS = sessions("2019-01-02", "2020-12-31")
OIL = {"2020-04-17": 18.31, "2020-04-20": -36.98, "2020-04-21": 8.91}  # US Energy Information Administration, daily spot at Cushing


def walk(seed: int) -> pd.Series:
    rng = np.random.default_rng(seed)
    return pd.Series(100 * np.exp(rng.normal(0, 0.01, len(DAYS)).cumsum()), DAYS, name="close").round(2)


@pytest.fixture
def folder(tmp_path):
    "Two good files, KO and PEP; `folder(name, frame or text)` adds another."

    def add(name, content):
        text = content if isinstance(content, str) else content.rename("close").rename_axis("date").to_csv(date_format="%Y-%m-%d")
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        return tmp_path

    add("KO", walk(1))
    add("PEP", walk(2))
    return add


def left_out(path, asset) -> pd.Series:
    "The flag of an asset that was left out, after checking that the two good ones were not."
    market = read_prices(path)
    assert list(market.prices.columns) == ["KO", "PEP"]
    assert market.prices.notna().all().all()
    (flag,) = [row for _, row in market.flags[market.flags["asset"] == asset].iterrows()]
    assert flag["rule"] == "left out" and f"{asset}.csv" in flag["action"]
    return flag


# ---- one file of a folder ---------------------------------------------------------------------------------------------------------

def test_a_missing_column_is_named(folder):
    flag = left_out(folder("BAD", "date,open\n2020-01-02,5\n"), "BAD")
    assert "column close" in flag["action"] and "add it; found: date, open" in flag["action"]


def test_text_in_a_price_is_named_with_row_and_date(folder):
    text = walk(3).astype(str)
    text.iloc[99] = "halted"
    flag = left_out(folder("BAD", text), "BAD")
    assert flag["date"] == DAYS[99] and flag["value"] == 101
    assert f"row 101, column close, date {DAYS[99]:%Y-%m-%d}: 'halted' is not a number; correct the cell" in flag["action"]


@pytest.mark.parametrize("text", ["1,234.5", "12,5"])
def test_a_comma_in_a_number_has_its_own_remedy(folder, text):
    flag = left_out(folder("BAD", f'date,close\n2020-01-02,"{text}"\n'), "BAD")
    assert "no thousands separator" in flag["action"]


def test_two_date_formats_are_shown_side_by_side(folder):
    flag = left_out(folder("BAD", "date,close\n2020-01-02,5\n2020-01-03,5\n06/01/2020,5\n"), "BAD")
    assert "row 4" in flag["action"] and "'06/01/2020'" in flag["action"] and "row 2 ('2020-01-02')" in flag["action"]
    assert "write every date as 2020-12-31" in flag["action"]


def test_day_and_month_are_never_guessed(folder):
    path = folder("BAD", "date,close\n06/01/2020,5\n07/01/2020,5\n")
    flag = left_out(path, "BAD")
    assert "may be 01 June 2020 or 06 January 2020" in flag["action"] and 'or "%d/%m/%Y"' in flag["action"]
    settled = read_prices(path / "BAD.csv", date_format="%d/%m/%Y")
    assert list(settled.prices.index) == [pd.Timestamp("2020-01-06"), pd.Timestamp("2020-01-07")]


def test_one_day_beyond_the_twelfth_settles_the_order(folder):
    path = folder("US", "date,close\n01/06/2020,5\n01/31/2020,6\n")
    assert read_prices(path / "US.csv").prices.index[0] == pd.Timestamp("2020-01-06")


def test_a_file_that_is_no_table_is_named(folder):
    folder("EMPTY", "")
    folder("HEADER", "date,close\n")
    path = folder("TORN", "date,close\n2020-01-02,5\n2020-01-03,5,6\n")
    flags = read_prices(path).flags.set_index("asset")["action"]
    assert "the file is empty" in flags["EMPTY"]
    assert "no row below the header" in flags["HEADER"]
    assert "as many cells as the header" in flags["TORN"]


def test_nothing_readable_at_all_is_an_error(tmp_path):
    with pytest.raises(BadFile, match="no CSV file in the folder"):
        read_prices(tmp_path)
    (tmp_path / "BAD.csv").write_text("date,open\n2020-01-02,5\n")
    with pytest.raises(BadFile, match="BAD.csv, row 1, column close") as caught:
        read_prices(tmp_path)
    assert caught.value.row == 1 and caught.value.column == "close" and caught.value.remedy.startswith("add it")
    with pytest.raises(BadFile, match="there is no such file"):
        read_prices(tmp_path / "nowhere.csv")


# ---- troubles a flag can describe: the asset goes on, too -------------------------------------------------------------------------

def cleaned(path):
    market = read_prices(path)
    return market, clean_prices(market.prices, market.ohlc, kinds=market.sources["kind"])


def test_duplicate_dates_keep_the_last_and_say_so(folder):
    prices = walk(3)
    market = read_prices(folder("TWICE", pd.concat([prices, pd.Series([55.5], [DAYS[10]])])))
    assert market.prices.loc[DAYS[10], "TWICE"] == 55.5
    (flag,) = [row for _, row in market.flags.iterrows()]
    assert (flag["asset"], flag["rule"], flag["date"], flag["value"]) == ("TWICE", "duplicate", DAYS[10], prices.iloc[10])
    assert "the last row's 55.5 kept" in flag["action"]


def test_unsorted_dates_are_sorted(folder):
    market = read_prices(folder("BACK", walk(3)[::-1]))
    assert market.prices["BACK"].equals(walk(3).rename("BACK")) and market.flags.empty


def test_thirty_observations_are_flagged_and_kept(folder):
    market, report = cleaned(folder("YOUNG", walk(3).iloc[-30:]))
    flag = report.flags[(report.flags["asset"] == "YOUNG") & (report.flags["rule"] == "short")].iloc[0]
    assert flag["date"] == DAYS[-30] and "waits for them" in flag["action"]
    status = asset_status(report.prices).set_index("asset")
    assert status["status"].to_dict() == {"KO": "ok", "PEP": "ok", "YOUNG": "short"}
    assert "30 prices where 250 are wanted" in status.loc["YOUNG", "note"]
    assert prices_to_returns(report.prices)[["KO", "PEP"]].notna().all().all()


def test_an_all_constant_asset_is_flagged_and_kept(folder):
    market, report = cleaned(folder("FLAT", pd.Series(7.0, DAYS)))
    flags = report.flags[report.flags["asset"] == "FLAT"].set_index("rule")
    assert flags.loc["stale", "date"] == DAYS[2] and flags.loc["constant", "date"] == DAYS[20]
    assert "no volatility can be estimated" in flags.loc["constant", "action"]
    status = asset_status(report.prices).set_index("asset")
    assert status.loc["FLAT", "status"] == "constant" and (status.drop("FLAT")["status"] == "ok").all()


def test_negative_oil_is_kept_and_its_remedy_works(folder):
    prices = walk(3) / 4
    for day, price in OIL.items():
        prices[day] = price
    market, report = cleaned(folder("WTI", prices))
    (flag,) = [row for _, row in report.flags[report.flags["rule"] == "negative"].iterrows()]
    assert (flag["asset"], flag["date"], flag["value"]) == ("WTI", pd.Timestamp("2020-04-20"), -36.98)
    assert 'use kind={"WTI": "difference"}' in flag["action"]
    assert report.prices.loc["2020-04-20", "WTI"] == -36.98
    for kind in ("simple", "log"):
        with pytest.raises(NonPositivePrice, match=f"WTI: price -36.98 on 2020-04-20 has no {kind} return"):
            prices_to_returns(report.prices, kind)
    returns = prices_to_returns(report.prices, report.return_kinds)
    assert returns.loc["2020-04-20", "WTI"] == pytest.approx(-36.98 - 18.31)
    assert returns["KO"].equals(prices_to_returns(report.prices["KO"]))


def test_text_in_a_frame_is_set_to_missing_and_flagged():
    frame = pd.DataFrame({"KO": walk(1), "PEP": walk(2).astype(object)})
    frame.loc[DAYS[5], "PEP"] = "n.q."
    report = clean_prices(frame)
    (flag,) = [row for _, row in report.flags.iterrows() if row["rule"] == "not a number"]
    assert (flag["asset"], flag["date"]) == ("PEP", DAYS[5]) and "'n.q.'" in flag["action"]
    assert np.isnan(report.prices.loc[DAYS[5], "PEP"]) and report.prices["KO"].equals(frame["KO"])


def test_a_row_on_a_holiday_leaves_with_its_reason():
    frame = pd.concat([walk(1), pd.Series([99.0], [pd.Timestamp("2019-07-04")])]).to_frame("KO")
    report = clean_prices(frame)
    (flag,) = [row for _, row in report.flags.iterrows() if row["rule"] == "no session"]
    assert flag["date"] == pd.Timestamp("2019-07-04") and "Independence Day" in flag["action"]
    assert report.prices.index.equals(DAYS)


# ---- books and limits: refused whole ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("text, message", [
    ("asset,shares\nKO,100\n", "row 1, column quantity: there is neither"),
    ("name,quantity\nKO,100\n", "row 1, column asset: there is no column asset; add it; found: name, quantity"),
    ("asset,quantity\nKO,100\nPEP,many\n", "row 3, column quantity: 'many' is not a number; correct the cell"),
    ("asset,quantity\nKO,100\n,5\n", "row 3, column asset: the position names no asset"),
    ("asset,quantity,market_value\nKO,,\n", "row 2, column quantity: KO has neither"),
    ("asset,quantity\nKO,100\nKO,5\n", "row 3, column asset: KO is there twice"),
    ("as_of,asset,quantity\n01/02/2020,KO,100\n", "may be 02 January 2020 or 01 February 2020"),
    ("as_of,asset,quantity\n2020-01-02,KO,100\n,PEP,5\n", "row 3, column as_of: there is no date"),
])
def test_a_broken_book_is_refused_with_row_and_column(tmp_path, text, message):
    (tmp_path / "book.csv").write_text(text)
    with pytest.raises(BadFile) as caught:
        read_positions(tmp_path / "book.csv")
    assert str(caught.value).startswith("book.csv, row ") and message in str(caught.value)


@pytest.mark.parametrize("row, message", [
    ("VaR,value_at_risk,99,1,2e6", "column level: level=99 is outside (0.5, 1); did you mean 0.99?"),
    ("VaR,value_at_risk,0.99,0,2e6", "column horizon: horizon=0"),
    ("VaR,value_at_risk,0.99,1,-5", "must be a number above 0"),
    ("VaR,value_at_risk,0.99,1,two", "column limit_value: 'two' is not a number"),
])
def test_a_broken_limit_is_refused_with_row_and_column(tmp_path, row, message):
    (tmp_path / "limits.csv").write_text(f"limit,measure,level,horizon,limit_value\n{row}\n")
    with pytest.raises(BadFile) as caught:
        read_limits(tmp_path / "limits.csv")
    assert "limits.csv, row 2" in str(caught.value) and message in str(caught.value)


# ---- arguments --------------------------------------------------------------------------------------------------------------------

def test_slips_of_the_hand_are_refused_with_the_hint():
    with pytest.raises(BadLevel, match="did you mean 0.99"):
        check_level(99)
    with pytest.raises(BadHorizon, match="next session"):
        check_horizon(0)
    returns = prices_to_returns(walk(1))
    returns.attrs.clear()
    with pytest.raises(BadScale, match="look like percent"):
        check_scale(100 * returns + 0)


def test_frames_in_disorder_are_refused_by_name():
    frame = walk(1).to_frame("KO")
    with pytest.raises(BadIndex, match="not in order of date"):
        MarketData(frame[::-1])
    with pytest.raises(BadIndex, match="need dates as their index"):
        clean_prices(frame.reset_index(drop=True))
    with pytest.raises(BadIndex, match="time zone"):
        clean_prices(frame.tz_localize("UTC"))
    with pytest.raises(RiskError, match="column twice"):
        prices_to_returns(frame[["KO", "KO"]])
