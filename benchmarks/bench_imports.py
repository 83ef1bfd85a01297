"What it costs to begin: imports, and the way from a cold process to a first VaR."

from timing import by_turns, cpu_of_fresh_process, print_table

FIRST_VAR = """
import numpy as np, pandas as pd
from risk_analytics_lib.risk.engines import {engine}
returns = pd.Series(np.random.default_rng(0).normal(0, 0.01, 1500), pd.bdate_range("2015-01-01", periods=1500), name="SPX")
assert {engine}({arguments}).fit(returns).forecast().value_at_risk(0.99).item() > 0
"""
BASE = "import pandas, skbase"
WORKS = {
    "import risk_analytics_lib": "import risk_analytics_lib",
    "import numpy": "import numpy",
    BASE: "import pandas, skbase.base",
    "first historical VaR": FIRST_VAR.format(engine="HistoricalSimulation", arguments=""),
    "first EWMA VaR": FIRST_VAR.format(engine="EWMA", arguments=""),
    "first GARCH-t VaR": FIRST_VAR.format(engine="GARCH", arguments="dist='t'"),
    "import arch": "import arch",
    "import statsmodels.tsa.api": "import statsmodels.tsa.api",
    "import sktime.forecasting.base": "import sktime.forecasting.base",
}

times = by_turns({name: lambda code=code: cpu_of_fresh_process(code) for name, code in WORKS.items()}, rounds=3)
assert times["first historical VaR"] <= 1.5 * times[BASE], "a first historical VaR should cost at most 1.5 times pandas and skbase"
print_table("From a cold process", times, BASE, "CPU beyond the start of the interpreter, least of three fresh processes, by turns.")
