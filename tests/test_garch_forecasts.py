"Forecasts of the variance, news impact and bands: every model of the family, units, edges of the data, and what must not be promised."

import numpy as np
import pandas as pd
import pytest
from arch.data import sp500

from risk_analytics_lib.econometrics.garch import (
    APARCH, EGARCH, FIGARCH, GARCH, GARCHX, RealizedGARCH, forecast_bands, news_impact, variance_forecast,
)
from risk_analytics_lib.utils.checks import BadArgument, NotConverged, RiskError, decimal, mark_unit

T = 1200
RETURNS = sp500.load()["Adj Close"].pct_change().dropna().rename("SPX").iloc[-T:]
DRIVER = (RETURNS**2 + 1e-6).rolling(5, min_periods=1).mean().to_frame("week")
FAMILY = {
    "garch": GARCH(p=2, q=2, dist="t"),
    "gjr": GARCH(o=1, dist="skewt", mean="ar"),
    "arma": GARCH(o=1, mean="arma", init="mean_square"),
    "tarch": GARCH(o=1, power=1.0, dist="ged"),
    "egarch": EGARCH(p=2, q=2),
    "aparch": APARCH(dist="t", mean="zero"),
    "garchx": GARCHX(o=1),
    "logx": GARCHX(o=1, form="log"),
    "figarch": FIGARCH(dist="t", truncation=300),
    "realized": RealizedGARCH(),
}
DRIVEN = ("garchx", "logx", "realized")


def fitted(name, returns=RETURNS, X=DRIVER):
    return FAMILY[name].clone().fit(returns, X if name in DRIVEN else None)


@pytest.fixture(scope="module")
def family():
    return {name: fitted(name) for name in FAMILY}


@pytest.mark.parametrize("name", FAMILY)
def test_day_one_is_the_forecast_of_the_model(family, name):
    model = family[name]
    for method in ("analytic", "simulation", "bootstrap"):
        assert variance_forecast(model, 1, method).table["volatility"].item() == pytest.approx(model.forecast().vol[0], rel=1e-14)
    many = variance_forecast(model, 5, "simulation", n=200).table
    assert many["volatility"].iloc[0] == pytest.approx(model.forecast().vol[0], rel=1e-14)
    assert np.isfinite(many.to_numpy()).all() and (many["cumulative_variance"].diff().dropna() > 0).all()
    pd.testing.assert_frame_equal(variance_forecast(model, 5, "simulation", n=200).table, many, check_exact=True)


@pytest.mark.parametrize("name", ["garch", "gjr", "arma", "garchx", "figarch"])
def test_simulation_agrees_with_the_closed_form(family, name):
    exact, drawn = (variance_forecast(family[name], 8, method, n=20_000).table for method in ("analytic", "simulation"))
    assert (np.abs(drawn["variance"] - exact["variance"]) <= 4.5 * drawn["std_error"] + 1e-12 * exact["variance"]).all()
    assert np.allclose(drawn["cumulative_variance"], exact["cumulative_variance"], rtol=0.03)


def test_gjr_returns_to_its_level_geometrically():
    model = GARCH(o=1, dist="t").fit(RETURNS)
    ahead, level, P = variance_forecast(model, 250).table["variance"], model.unconditional_variance, model.persistence
    assert np.allclose(ahead, level + P ** np.arange(250) * (ahead.iloc[0] - level), rtol=1e-10)


def test_integrated_variance_grows_in_a_straight_line():
    model = GARCH().fit(RETURNS)
    model.learnt_ = {**model.learnt_, "params": np.array([0.0, 1e-6, 0.1, 0.9])}
    assert np.allclose(np.diff(variance_forecast(model, 500).table["variance"]), 1e-6, rtol=1e-6)


def test_a_later_origin_knows_only_what_came_before():
    model = GARCH(o=1, dist="t").fit(RETURNS.iloc[:1000])
    before = variance_forecast(model, 10).table
    wild = RETURNS.copy()
    wild.iloc[1000:] = -0.09
    pd.testing.assert_frame_equal(variance_forecast(GARCH(o=1, dist="t").fit(wild.iloc[:1000]), 10).table, before, check_exact=True)
    after = variance_forecast(model.update(RETURNS.iloc[1000:]), 10)
    assert after.origin == RETURNS.index[-1] and after.table["volatility"].iloc[0] == model.forecast().vol[0]


@pytest.mark.parametrize("name", FAMILY)
def test_every_model_has_a_curve(family, name):
    curve = news_impact(family[name])
    frame = curve.to_frame()
    assert (frame["variance"] > 0).all() and frame["z"].iloc[[0, -1]].tolist() == pytest.approx([-4, 4])
    assert len(curve.plot().data) == 1 and name != "garch" or np.allclose(frame["variance"], frame["variance"][::-1])


@pytest.mark.parametrize("name", FAMILY)
def test_every_model_has_bands(family, name):
    bands = forecast_bands(family[name], 2, n_draws=30, n=50)
    assert (bands.table["low"] <= bands.table["high"]).all() and np.isfinite(bands.table[["estimate", "low", "high"]].to_numpy()).all()
    assert bands.filtered.index.equals(RETURNS.index) and (bands.filtered["low"] <= bands.filtered["high"]).all()
    assert 0 <= bands.redrawn < 1 and bands.draws.shape == (30, len(family[name].params))
    assert len(bands.plot().data) == 2


@pytest.mark.parametrize("scale", [1e-6, 1e3])
@pytest.mark.parametrize("name", ["gjr", "tarch", "egarch", "aparch"])
def test_the_unit_of_the_returns_does_not_matter(family, name, scale):
    model, other = family[name], fitted(name, decimal(scale * RETURNS))
    a, b = (variance_forecast(m, 5, "simulation", n=100).table["volatility"] for m in (model, other))
    assert np.allclose(b / a, scale, rtol=1e-3)
    z = np.linspace(-3, 3, 7)
    a, b = (news_impact(m, z * k * 0.01, (k * 0.01) ** 2).to_frame()["variance"] for m, k in ((model, 1), (other, scale)))
    assert np.allclose(b / a, scale**2, rtol=1e-3)
    a, b = (forecast_bands(m, n_draws=300).table[["low", "high"]] for m in (model, other))
    assert np.allclose(b / a, scale, rtol=0.1 if name in ("egarch", "aparch") else 0.02)  # omega mixes with the unit there, and so do the draws


@pytest.mark.parametrize("name", FAMILY)
def test_a_crash_at_the_end_gives_numbers_or_a_named_error(name):
    crash = RETURNS.copy()
    crash.iloc[-1] = -0.37
    try:
        model = fitted(name, crash, DRIVER.assign(week=(crash**2 + 1e-6).rolling(5, min_periods=1).mean()))
        numbers = [variance_forecast(model, 10, m, n=200).table for m in ("simulation", "bootstrap")]
        numbers += [forecast_bands(model, n_draws=20).table[["low", "high"]]]
        assert all(np.isfinite(t.to_numpy()).all() for t in numbers) and np.isfinite(news_impact(model).to_frame()["variance"]).all()
    except RiskError as trouble:
        assert len(str(trouble)) > 40


def test_days_without_a_move_do_not_divide_by_zero():
    calm = RETURNS.copy()
    calm.iloc[::3] = 0.0
    model = GARCH(mean="zero", dist="t").fit(calm)
    assert np.isfinite(variance_forecast(model, 20, "bootstrap", n=500).table.to_numpy()).all()


def test_an_explosive_recursion_is_named():
    model = EGARCH(dist="t").fit(RETURNS)
    model.learnt_ = {**model.learnt_, "params": model.params.where(model.params.index != "alpha[1]", 4.9).to_numpy()}
    with pytest.raises(NotConverged, match="filtered variance left the range of numbers"):
        variance_forecast(model, 60, "simulation", n=500)
    model = GARCH().fit(RETURNS)
    model.learnt_ = {**model.learnt_, "params": np.array([0.0, 1e-6, 1.2, 0.9])}
    with pytest.raises(NotConverged, match="50 of 50 simulated variances left the range of numbers, the first on day"):
        variance_forecast(model, 5000, "simulation", n=50)


def test_money_and_rates_are_taken_as_they_are():
    money = mark_unit(1e6 * RETURNS, "money")
    a, b = (variance_forecast(GARCH(o=1).fit(r), 3).table["volatility"] for r in (RETURNS, money))
    assert np.allclose(b / a, 1e6, rtol=1e-3)


def test_what_was_not_learnt_is_refused():
    stale = RETURNS.copy()
    stale.iloc[:700] = 0.0
    model = GARCH().fit(stale)
    for ask in (news_impact, variance_forecast, forecast_bands):
        with pytest.raises(NotConverged, match="fell back to EWMA"):
            ask(model)
        with pytest.raises(BadArgument, match="not fitted yet"):
            ask(GARCH())
        with pytest.raises(BadArgument, match="fitted volatility model"):
            ask(RETURNS)
