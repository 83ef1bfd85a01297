"Where the pages get their run from, and how they show a panel. No page computes risk."

from contextlib import contextmanager

import pandas as pd
import streamlit as st

from risk_analytics_lib.pipeline_inputs import RiskConfig
from risk_analytics_lib.pipeline_stress import evening_scenarios
from risk_analytics_lib.pipelines import DailyRun, run_daily
from risk_analytics_lib.utils.datasets import MarketData, load_sample

CONFIG = RiskConfig()


@st.cache_resource
def load_source() -> MarketData:
    "The prices and positions shown: the sample, for now."
    return load_sample()


@st.cache_resource(max_entries=8, show_spinner="Reading prices and fitting the book, some ten seconds ...")
def load_run(as_of: str, config: RiskConfig) -> DailyRun:
    "The run of one evening; a page never asks for less or more."
    source = load_source()
    return run_daily(as_of, source, config=config, scenarios=evening_scenarios(source.limits, sample=True))


def chosen_day() -> pd.Timestamp:
    "The as-of of every page: what the address says, else the last evening; the control writes it back."
    days = load_source().prices.index
    asked = pd.to_datetime(st.query_params.get("asof"), errors="coerce")
    start = days[days.searchsorted(asked, side="right") - 1] if asked == asked and asked >= days[0] else days[-1]
    picked = st.date_input("As of", start, min_value=days[CONFIG.window + CONFIG.history], max_value=days[-1], key="asof", help="Nothing later than this evening is used.")
    evening = days[days.searchsorted(pd.Timestamp(picked), side="right") - 1]
    st.query_params["asof"] = f"{evening:%Y-%m-%d}"
    return evening


def current() -> DailyRun:
    "The run that the global bar asks for."
    return st.session_state["run"]


@contextmanager
def panel(what: str):
    "A panel fails alone: what, why, what to do, and which run it was."
    try:
        yield
    except Exception as error:
        st.error(f"{what} cannot be shown: {error}. The other panels are not touched; run `risk doctor`, and report run {current().run_id[:12]}.")


def chart(fig):
    "A figure of the library as it is everywhere else; its words go below for those who cannot see it."
    st.plotly_chart(fig, theme=None, width="stretch", config={"displaylogo": False, "displayModeBar": False})
    st.caption(fig.layout.meta["alt"])
