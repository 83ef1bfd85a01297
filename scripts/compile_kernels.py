"Compile what is compiled at first use, so that nobody waits for it later: run by `make setup` and when images are built."

import os

import numpy as np
import pandas as pd

from risk_analytics_lib.econometrics.arima import ARIMA
from risk_analytics_lib.econometrics.dcc import DCC
from risk_analytics_lib.econometrics.garch import GARCH, GARCHX
from risk_analytics_lib.risk.backtests_pit import hong_li_q
from risk_analytics_lib.risk.backtests_regression import bayer_dimitriadis_esr
from risk_analytics_lib.risk.engines import ESCAViaR
from risk_analytics_lib.utils.checks import decimal
from risk_analytics_lib.utils.walkforward import walk_forward

if __name__ == "__main__":
    rng, days = np.random.default_rng(0), pd.bdate_range("2020-01-01", periods=300)
    returns = decimal(pd.DataFrame(0.01 * rng.standard_normal((300, 3)), days, list("ABC")))
    GARCH(o=1, dist="t").fit(returns["A"]).forecast(5)
    GARCH(o=1, dist="t").fit(returns["A"]).forecast(5, aggregate=True)
    GARCHX().fit(returns["A"], returns[["B"]].abs()).conditional_volatility
    walk_forward(GARCH(), returns["A"], n_test=5, window=250, refit=1)
    ARIMA((1, 0, 1)).fit(returns["A"]).forecast(5)
    DCC().fit(returns).scenarios(2, n=10)
    ESCAViaR().fit(returns["A"])
    hong_li_q(rng.random((2, 100)))
    os.environ["RISK_CACHE"] = ""  # no table of these few histories is to be kept
    es = 0.02 * np.exp(0.3 * np.sin(np.arange(300) / 20))
    for version in ("strict", "auxiliary", "intercept"):
        bayer_dimitriadis_esr(returns["A"].to_numpy(), 0.8 * es, es, 0.975, version, simulations=100)
