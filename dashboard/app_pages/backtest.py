"Have the forecasts held?"

import streamlit as st
from risk_dashboard.loaders import chart, current, panel

from risk_analytics_lib.utils.figures import fig_exceedances
from risk_analytics_lib.utils.numbers import confidence, pvalue

run = current()
with panel("Exceedances"):
    chart(fig_exceedances(run.backtests))
with panel("The tests in words"):
    rows = run.backtests
    shown = rows.assign(level=rows["level"].map(confidence), test=rows["test"].str.replace("_", " "), pvalue=rows["pvalue_exact"].fillna(rows["pvalue"]).map(pvalue))
    st.dataframe(shown[["model", "level", "test", "pvalue", "decision"]], hide_index=True, width="stretch")
