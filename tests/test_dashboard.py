"The dashboard, page by page, on a small run: it shows what the run says, follows the as-of, and one broken panel leaves the others."

import sys
from pathlib import Path

import pytest
import risk_dashboard
from risk_dashboard import loaders
from streamlit.testing.v1 import AppTest

from risk_analytics_lib.pipeline_inputs import RiskConfig

HOME = Path(risk_dashboard.__file__).parent
PAGES = sorted((HOME / "app_pages").glob("*.py"))


@pytest.fixture
def app(monkeypatch):
    "The router with a run of two months, quick to make."
    monkeypatch.setattr(loaders, "CONFIG", RiskConfig(history=40, window=500, n_paths=200, horizons=(1,)))
    return lambda: AppTest.from_file(str(HOME / "streamlit_app.py"), default_timeout=120)


def text(page) -> str:
    return " ".join(e.value for kind in ("markdown", "error", "warning", "success", "info", "caption") for e in getattr(page, kind))


def test_the_first_screen_answers(app):
    page = app().run()
    assert not page.exception
    assert "LIMIT" in text(page) or "within limits" in text(page)
    assert "Worst stress" in text(page) and "DEMO" in text(page) and "Wed 28 Dec 2022" in text(page)
    assert [m.label for m in page.metric][:2] == ["VaR 99 %, 1 day", "ES 97.5 %, 1 day"]
    assert all("−" not in m.delta for m in page.metric if m.delta), "a Unicode minus turns the arrow up"


@pytest.mark.parametrize("file", PAGES, ids=lambda p: p.stem)
def test_every_page_shows(app, file):
    page = app().run().switch_page(f"app_pages/{file.name}").run()
    assert not page.exception and not any("cannot be shown" in e.value for e in page.error)


def test_an_earlier_evening_is_asked_for_by_address(app):
    page = app()
    page.query_params["asof"] = "2022-06-19"  # a Sunday: the Friday before
    page.run()
    assert not page.exception and "Fri 17 Jun 2022" in text(page) and page.query_params["asof"] in ("2022-06-17", ["2022-06-17"])
    assert all(stamp not in text(page) for stamp in ("Dec 2022", "Jul 2022"))


def test_a_broken_panel_leaves_the_others(app, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("planted")

    page = app().run()
    figures = sys.modules["risk_analytics_lib.utils.figures"]
    monkeypatch.setattr(figures, "fig_stress", broken)
    page.run()
    assert not page.exception
    assert [e.value for e in page.error if "Stress cannot be shown: planted" in e.value] and len(page.metric) >= 4
