"AutoARIMA against pmdarima: CPU time of the choice and the fit, and both choices under one exact likelihood or, where differences differ, one rolling forecast."

from timing import by_turns, cpu  # isort: skip  (sets the threads before numpy starts)

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from arch.data import core_cpi, vix
from pmdarima import auto_arima
from statsmodels.datasets import co2

from risk_analytics_lib.econometrics.arima import ARIMA, AutoARIMA
from risk_analytics_lib.econometrics.arima_likelihood import Orders
from risk_analytics_lib.utils.datasets import load_sample

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden" / "data"
HORIZON, ORIGINS = 12, 24
warnings.simplefilter("ignore")


def series() -> dict[str, tuple[pd.Series, int]]:
    "Five series and their seasons."
    monthly = co2.load().data["co2"].resample("MS").mean().interpolate()  # five months of 1958-64 have no reading
    cpi, fear = core_cpi.load().iloc[:, 0].dropna(), vix.load()["vix"].dropna()
    found = {"core CPI": (cpi, 12), "CO2, monthly": (monthly, 12), "S&P 500 returns, 2,500 days": (load_sample().returns()["SPX"].dropna().iloc[-2500:], 1), "VIX, daily": (fear, 1)}
    if (path := GOLDEN / "AirPassengers.csv").is_file():
        passengers = pd.read_csv(path)["v"].astype(float).set_axis(pd.date_range("1949-01-01", periods=144, freq="MS"))
        return {"AirPassengers": (passengers, 12)} | found
    return found


def refit(y: pd.Series, orders) -> ARIMA:
    "One exact likelihood for both."
    model = ARIMA((orders.p, orders.d, orders.q), (orders.P, orders.D, orders.Q, orders.s), orders.trend).fit(y)
    assert model.active_ is model and model.orders == orders, model.note
    return model


def rolling_error(y: pd.Series, orders) -> float:
    "Root mean squared error of forecasts 1 ... 12 rows ahead from 24 origins in the last third, parameters learnt once, before it."
    first = len(y) - len(y) // 3
    model, gaps = refit(y.iloc[:first], orders), []
    for origin in np.linspace(first, len(y) - HORIZON, ORIGINS).astype(int):
        if origin > len(model.y_):
            model.update(y.iloc[len(model.y_) : origin])
        gaps.append(model.predict(HORIZON)["mean"].to_numpy() - y.iloc[origin : origin + HORIZON].to_numpy())
    return float(np.sqrt(np.mean(np.square(gaps))))


def verdict(y, ours, theirs) -> str:
    "In words, and asserted."
    if (ours.d, ours.D) == (theirs.d, theirs.D):
        gap = refit(y, ours).aicc - refit(y, theirs).aicc
        assert gap <= 0.5, f"AICc is {gap:.2f} worse"
        return f"AICc {gap:+.2f}"
    ratio = rolling_error(y, ours) / rolling_error(y, theirs)
    assert ratio <= 1.0, f"rolling error is {ratio:.3f} of theirs"
    return f"rolling RMSE {ratio:.3f} of theirs"


def pmdarima(y, season) -> Orders:
    "What pmdarima chooses, as orders."
    found = auto_arima(y.to_numpy(), m=season, seasonal=season > 1, information_criterion="aicc", suppress_warnings=True, error_action="ignore")
    trend = {0: "c", 1: "t"}.get(found.order[1] + found.seasonal_order[1], "n") if found.with_intercept else "n"
    return Orders.of(found.order, found.seasonal_order if season > 1 else (0, 0, 0, 0), trend)


print("\n### AutoARIMA against pmdarima, choice of orders and fit\n")
print("| series | rows | ours | CPU s | pmdarima | CPU s | ratio | ours less theirs |\n|---|---:|---|---:|---|---:|---:|---|")
AutoARIMA(4).fit(pd.Series(np.random.default_rng(0).normal(size=100), name="noise"))  # compiles and imports what has to be
for name, (y, season) in series().items():
    chosen = {}
    works = {"ours": lambda: AutoARIMA(season).fit(y).orders, "pmdarima": lambda: pmdarima(y, season)}
    times = by_turns({who: lambda who=who, work=work: cpu(lambda: chosen.update({who: work()})) for who, work in works.items()}, 1)
    ratio = times["pmdarima"] / times["ours"]
    row = [name, len(y), chosen["ours"], f"{times['ours']:.2f}", chosen["pmdarima"], f"{times['pmdarima']:.2f}", f"{ratio:.1f}", verdict(y, chosen["ours"], chosen["pmdarima"])]
    print("| " + " | ".join(map(str, row)) + " |", flush=True)
    assert ratio > 1, f"{name}: pmdarima is faster"
