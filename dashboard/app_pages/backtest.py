"Have the forecasts held?"

import streamlit as st
from risk_dashboard.loaders import chart, current, panel
from risk_reports import facts

from risk_analytics_lib.utils.figures import fig_desk_zones, fig_exceedances, fig_pnl_explain
from risk_analytics_lib.utils.numbers import confidence, pvalue

run = current()
with panel("Exceedances"):
    chart(fig_exceedances(run.backtests))
with panel("The tests in words"):
    rows = run.backtests
    shown = rows.assign(level=rows["level"].map(confidence), test=rows["test"].str.replace("_", " "), pvalue=rows["pvalue_exact"].fillna(rows["pvalue"]).map(pvalue))
    st.dataframe(shown[["model", "level", "test", "pvalue", "decision"]], hide_index=True, width="stretch")
with panel("The P&L"):
    chart(fig_pnl_explain(facts.explained(run), run.portfolio_name, run.currency))
with panel("Desks"):
    chart(fig_desk_zones(run.desks))
    st.dataframe(run.desks[["desk", "days", "count_99", "allowed_99", "count_975", "allowed_975", "pla_zone", "eligible", "reasons"]], hide_index=True, width="stretch")
with panel("Days beyond VaR"):
    st.dataframe(facts.beyond(run)[["date", "desk", "kind", "reason"]], hide_index=True, width="stretch")
