"What could hurt tomorrow, how far-fetched it is, and whose loss it would be."

import pandas as pd
import streamlit as st
from risk_dashboard.loaders import chart, current, load_source, panel
from risk_reports import facts

from risk_analytics_lib.risk.stress import book_losses
from risk_analytics_lib.utils.figures import fig_scenario_split, fig_stress
from risk_analytics_lib.utils.numbers import money, pvalue

run = current()


def shown(rows: pd.DataFrame) -> pd.DataFrame:
    "Scenarios as texts."
    far = ["n/a" if pd.isna(d) else f"{d:.1f} sd" for d in rows["distance"]]
    cells = {"Scenario": rows["scenario"], "Kind": rows["kind"], "State": rows["state"], "Loss": [money(-p) for p in rows["pnl"]], "Distance": far, "Chance": rows["probability"].map(pvalue)}
    return pd.DataFrame(cells | {"Note": rows["note"]})


past, own = st.columns(2)
with past, panel("What happened"):
    chart(fig_stress(facts.books(run, past=True), facts.stress_limit(load_source().limits), title="If it came again"))
with own, panel("What if"):
    chart(fig_stress(facts.books(run, past=False), title="What if"))
kind = st.segmented_control("Losses by", ["sector", "desk"], default="sector", key="losses") or "sector"
with panel("Whose loss"):
    chart(fig_scenario_split(facts.split(run, kind)))
with panel("The nearest breach"):
    st.subheader("What it would take")
    st.dataframe(shown(facts.nearest(run)), hide_index=True, width="stretch")
with panel("All scenarios"):
    st.subheader("All scenarios, in the state where they cost most")
    st.dataframe(shown(book_losses(facts.latest(run.stress))), hide_index=True, width="stretch")
    st.caption("Distance: the loss in standard deviations of today's book over the scenario's days. Chance: of such a loss or a larger one, by a Student t with the book's degrees of freedom.")
