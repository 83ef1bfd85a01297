"What the numbers rest on."

import streamlit as st
from risk_dashboard.loaders import chart, current, load_source, panel
from risk_reports import facts

from risk_analytics_lib.utils.figures import fig_anomalies, fig_coverage

run = current()
for text in facts.troubles(run, load_source()):
    st.warning(text)
with panel("History by series"):
    chart(fig_coverage(run.data, run.flags))
with panel("Unusual moves"):
    chart(fig_anomalies(run.anomalies))
with panel("The series"):
    st.dataframe(run.data, hide_index=True, width="stretch")
with panel("The run"):
    st.dataframe(run.runs.T.astype(str), width="stretch")
