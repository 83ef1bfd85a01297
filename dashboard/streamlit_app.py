"The router: one bar for all pages, one run, five pages."

import streamlit as st
from risk_dashboard import loaders

from risk_analytics_lib.utils.numbers import day

st.set_page_config("Market risk", layout="wide")
page = st.navigation(
    [
        st.Page("app_pages/overview.py", title="Overview", default=True),
        st.Page("app_pages/var_drivers.py", title="VaR & drivers"),
        st.Page("app_pages/stress.py", title="Stress"),
        st.Page("app_pages/backtest.py", title="Backtest"),
        st.Page("app_pages/data_run.py", title="Data & run"),
    ],
    position="top",
)
left, right = st.columns([1, 3], vertical_alignment="bottom")
with left:
    evening = loaders.chosen_day()
run = st.session_state["run"] = loaders.load_run(f"{evening:%Y-%m-%d}", loaders.CONFIG)
with right:
    st.markdown(f":blue-badge[DEMO] :gray-badge[{run.portfolio_name}] :gray-badge[as of {day(run.as_of)}] :gray-badge[sample of real prices] :gray-badge[run {run.run_id[:12]}]")
page.run()
