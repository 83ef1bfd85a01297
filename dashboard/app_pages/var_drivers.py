"What tomorrow may cost, and which positions make it."

import streamlit as st
from risk_dashboard.loaders import chart, current, panel
from risk_reports import facts

from risk_analytics_lib.utils.figures import fig_drivers, fig_risk_timeline, fig_tail_scenarios, fig_var_trend, fig_volatility

run = current()
engine = st.segmented_control("Model", run.config.engines, default=run.config.engine, key="engine") or run.config.engine
with panel("The trend of VaR"):
    chart(fig_var_trend(run.forecasts, engine))
kind = st.segmented_control("Drivers by", ["asset", "sector", "desk"], default="asset", key="kind") or "asset"
with panel("Drivers"):
    chart(fig_drivers(run.drivers, kind))
with panel("Drivers over time"):
    chart(fig_risk_timeline(run.timelines, kind))
with panel("The days behind the number"):
    chart(fig_tail_scenarios(facts.tail(run), facts.tail_measure(run), as_of=run.as_of))
with panel("Volatility"):
    chart(fig_volatility(run.vols))
