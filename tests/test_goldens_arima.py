"""Published ARIMA fits: R's arima and auto.arima on their textbook series, and the forecasts they print."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics.arima import ARIMA, AutoARIMA

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden" / "data"
LAKE_HURON = """580.38 581.86 580.97 580.80 579.79 580.39 580.42 580.82 581.40 581.32 581.44 581.68 581.17 580.53 580.01 579.91 579.14 579.16 579.55 579.67
578.44 578.24 579.10 579.09 579.35 578.82 579.32 579.01 579.00 579.80 579.83 579.72 579.89 580.01 579.37 578.69 578.19 578.67 579.55 578.92
578.09 579.37 580.13 580.14 579.51 579.24 578.66 578.86 578.05 577.79 576.75 576.75 577.82 578.64 580.58 579.48 577.38 576.90 576.94 576.24
576.84 576.85 576.90 577.79 578.18 577.51 577.23 578.42 579.61 579.05 579.26 579.22 579.38 579.10 577.95 578.12 579.75 580.85 580.41 579.96
579.61 578.76 578.18 577.21 577.13 579.10 578.25 577.91 576.89 575.96 576.80 577.68 578.38 578.52 579.74 579.31 579.89 579.96"""  # feet, 1875-1972


def golden(name):
    path = GOLDEN / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"the golden input {name}.csv is not beside this checkout")
    return pd.read_csv(path)["v"].astype(float).rename(name)


def close(found, expected, tolerance):
    assert np.allclose(found, expected, rtol=0, atol=tolerance), (np.asarray(found), expected)


def test_www_usage():
    "F01 (Hyndman and Khandakar 2008)."
    model = ARIMA((1, 1, 1)).fit(golden("WWWusage"))
    close(model.params[["ar[1]", "ma[1]"]], [0.6503760, 0.5255959], 1e-3)
    close([model.loglik, model.aicc], [-254.15, 514.55], 5e-3)  # to the printed digits
    close([model.loglik, model.aicc], [-254.1497, 514.5520], 1e-4)
    close(model.predict(3)["mean"], [218.8804967, 218.1523987, 217.6788612], 1e-3)
    close(model.std_errors, [0.0842, 0.0896], 2e-4)  # as R prints them


def test_airline():
    "F02 (Box and Jenkins): coefficients to tolerance; R prints 244.70 and -483.40 from its approximately diffuse start, the exact ones are 244.6965 and -483.393."
    model = ARIMA((0, 1, 1), (0, 1, 1, 12)).fit(np.log(golden("AirPassengers")))
    close(model.params[["ma[1]", "sma[1]"]], [-0.4018, -0.5569], 5e-4)
    close([model.loglik], [244.6965], 5e-4)
    close([model.loglik, model.aic], [244.70, -483.40], 1e-2)
    close(model.std_errors, [0.0896, 0.0731], 1e-4)  # as R prints them


def test_air_passengers_in_levels():
    "F03."
    model = ARIMA((2, 1, 1), (0, 1, 0, 12)).fit(golden("AirPassengers"))
    close(model.params[["ar[1]", "ar[2]", "ma[1]"]], [0.5959807, 0.2142746, -0.9818772], 5e-4)
    close([model.loglik], [-504.92], 5e-3)


def test_lynx():
    "F05: R's maximum, -932.08, where statsmodels stops 0.1 below."
    model = ARIMA((2, 0, 2)).fit(golden("lynx"))
    close([model.loglik], [-932.08], 5e-3)
    close(model.params[["ar[1]", "ar[2]", "ma[1]", "ma[2]"]], [1.3420760, -0.6738084, -0.2027426, -0.2563968], 5e-4)
    close([model.params["const"]], [1544.404], 0.05)


def test_lake_huron():
    "F05: a random walk is R's choice; the log-likelihood of one is a closed form."
    y = pd.Series(np.array(LAKE_HURON.split(), float), name="Huron")
    walk, steps = ARIMA((0, 1, 0)).fit(y), np.diff(y)
    close([walk.loglik], [-len(steps) / 2 * (np.log(2 * np.pi * np.mean(steps**2)) + 1)], 1e-9)
    chosen = AutoARIMA().fit(y)
    assert chosen.orders.d == 1 and chosen.aicc <= walk.aicc


@pytest.mark.parametrize("order, arma, mean, variance, loglik", [
    ((1, 0, 0), [0.5739296], 2.4132880, 0.1974895, -29.38), ((3, 0, 0), [0.6447965, -0.0633735, -0.2198062], 2.3931275, None, -27.09),
])  # fmt: skip
def test_lh(order, arma, mean, variance, loglik):
    "F06 (MASS)."
    model = ARIMA(order).fit(golden("lh"))
    close(model.params[: len(arma)], arma, 1e-4)
    close([model.params["const"]], [mean], 1e-4)
    close([model.loglik], [loglik], 5e-3)
    if variance:
        close([model.params["sigma2"]], [variance], 1e-4)


@pytest.mark.parametrize("name, season, orders", [
    ("WWWusage", 1, "ARIMA(1,1,1)"), ("AirPassengers", 12, "ARIMA(2,1,1)(0,1,0)[12]"), ("lynx", 1, "ARIMA(2,0,2) with constant"),
])  # fmt: skip
def test_choice_of_orders(name, season, orders):
    "F01, F03, F05: the choice itself is that of auto.arima."
    assert str(AutoARIMA(season).fit(golden(name)).orders) == orders
