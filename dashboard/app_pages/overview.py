"Are we within limits today, what changed, why, and what could hurt us tomorrow?"

import pandas as pd
import streamlit as st
from risk_dashboard.loaders import chart, current, load_source, panel
from risk_reports import facts

from risk_analytics_lib.utils.figures import fig_bridge, fig_regimes, fig_stress
from risk_analytics_lib.utils.figures_book import limit_amount, limit_units
from risk_analytics_lib.utils.numbers import MARKS, money, percent

run = current()
box = {"breach": st.error, "near": st.warning, "ok": st.success}.get(facts.state(run), st.info)
box(f"**{run.verdict}**\n\n" + "\n\n".join(f"{opening}: {', '.join(parts)}.".replace("$", "\\$") for opening, parts in facts.story(run)))

with panel("The headline numbers"):
    shown = list(facts.headline(run).items())[:5]
    for column, (label, series) in zip(st.columns(len(shown)), shown):
        now, before = facts.pair(series)
        signed = label.startswith("P&L")
        delta = None if signed or pd.isna(before) else money(now - before, signed=True).replace("−", "-")  # only an ASCII minus turns the arrow down
        column.metric(label, money(now, signed=signed).replace("$", "\\$"), delta.replace("$", "\\$") if delta else None, delta_color="inverse", border=True)

limits, changed = st.columns(2)
with limits, panel("Limits"):
    st.subheader("Limits")
    rows = facts.latest(run.limits).sort_values("utilisation", ascending=False)
    units = limit_units(rows)
    cells = {
        "Limit": rows["limit"],
        "Status": [f"{MARKS[s]} {s}" for s in rows["status"]],
        "Use": rows["utilisation"].map(percent),
        "Value": [limit_amount(v, u) for v, u in zip(rows["value"], units)],
        "Allowed": [limit_amount(v, u) for v, u in zip(rows["limit_value"], units)],
    }
    st.table(pd.DataFrame(cells).set_index("Limit"))
with changed, panel("What changed"):
    chart(fig_bridge(run.bridge, facts.bridged(run)))
stress, state = st.columns(2)
with stress, panel("Stress"):
    chart(fig_stress(facts.books(run, past=True), facts.stress_limit(load_source().limits), top=3))
with state, panel("The volatility state"):
    chart(fig_regimes(run.regimes, "volatility of today's book, share of gross exposure"))
