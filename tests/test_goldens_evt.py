"""Published numbers of extreme value theory, and the profile likelihood bands against a search by brute force."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics.evt import ParetoTail, fit_gpd, hill
from risk_analytics_lib.utils.checks import NotConverged, RiskError

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden" / "data"


@pytest.fixture(scope="module")
def danish():
    "2,167 Danish fire losses over a million kroner, 1980-1990 (McNeil 1997)."
    path = GOLDEN / "danish.csv"
    if not path.is_file():
        pytest.skip("the golden input danish.csv is not beside this checkout")
    return pd.read_csv(path)["loss"]


def test_danish_fire_losses(danish):
    "E03: published .497 and 6.98 with 109 excesses; the exact maximum likelihood estimate to its printed digits."
    tail = fit_gpd(danish, threshold=10)
    assert (tail.n, tail.n_exceed) == (2167, 109)
    assert abs(tail.xi - 0.497) < 1e-3 and abs(tail.beta - 6.98) < 5e-3
    assert abs(tail.xi - 0.4969858) < 5e-8 and abs(tail.beta - 6.9754681) < 1e-7
    assert tail.loglik > -374.893


@pytest.mark.parametrize("level, var, es, evir", [
    (0.99, 27.28999, 58.24010, (27.28488, 58.21091)), (0.995, 40.17299, 83.85171, (40.16161, 83.80091)), (0.999, 94.33935, 191.53527, (94.28956, 191.36972)),
])  # fmt: skip
def test_danish_risk_measures(danish, level, var, es, evir):
    "E04: to the digits of the exact estimate, and within 1e-3 of evir, whose optimiser stops early."
    tail = fit_gpd(danish, threshold=10)
    assert np.allclose([tail.value_at_risk(level), tail.expected_shortfall(level)], [var, es], rtol=0, atol=5e-6)
    assert np.allclose([tail.value_at_risk(level), tail.expected_shortfall(level)], evir, rtol=1e-3)


def test_danish_hill(danish):
    "E08: threshold X_(k+1)."
    expected = [0.536050832, 0.624639251, 0.734206029, 0.703836314]
    assert np.allclose([hill(danish, k) for k in (50, 100, 200, 500)], expected, rtol=0, atol=1e-8)
    assert np.allclose(hill(danish, [50, 100, 200, 500]).frame["xi"][::-1], expected, rtol=0, atol=1e-8)


def test_textbook_example():
    "E09 (Hull): in thousands of dollars."
    tail = ParetoTail(xi=0.436, beta=32.532, threshold=160, n=500, n_exceed=22)
    found = [tail.value_at_risk(0.99), tail.value_at_risk(0.999), tail.expected_shortfall(0.99)]
    assert np.allclose(found, [227.8, 474.0, 337.9], rtol=0, atol=0.2)
    assert np.allclose(found, [227.739, 473.866, 337.786], rtol=0, atol=6e-4)


def brute_deviance(tail, level, value, shortfall):
    "The likelihood lost at `value`, over a dense grid of shapes and shares: nothing shared with the library but the question."
    y, k, n, a = tail.excesses, tail.n_exceed, tail.n, 1 - level
    xi, share = np.meshgrid(np.linspace(-0.2, 0.995 if shortfall else 1.5, 700), np.linspace(0.6, 1.5, 300) * k / n, indexing="ij")
    growth = ((share / a) ** xi - 1) / xi
    beta = (value - tail.threshold) / ((growth + 1) / (1 - xi) if shortfall else growth)
    best = -np.inf
    for i in range(len(xi)):
        rest = 1 + xi[i, :, None] * y / beta[i, :, None]
        ok = (rest > 0).all(1) & (share[i] > a)
        gpd = -k * np.log(beta[i][ok]) - ((1 + 1 / xi[i][ok])[:, None] * np.log(rest[ok])).sum(1)
        best = max(best, (gpd + k * np.log(share[i][ok]) + (n - k) * np.log1p(-share[i][ok])).max(initial=-np.inf))
    top = tail.loglik + k * np.log(k / n) + (n - k) * np.log1p(-k / n)
    return 2 * (top - best)


@pytest.mark.parametrize("shortfall", [False, True], ids=["VaR", "ES"])
def test_bands_by_brute_force(danish, shortfall):
    "At both ends of a 95 % band the likelihood lost is the chi-squared quantile 3.841."
    tail = fit_gpd(danish, threshold=10)
    band = (tail.expected_shortfall_interval if shortfall else tail.value_at_risk_interval)(0.99, significance=0.05)
    for end in band:
        assert abs(brute_deviance(tail, 0.99, end, shortfall) - 3.841459) < 5e-3


LEVELS = (0.95, 0.99, 0.9999)


@pytest.mark.parametrize("seed", range(60))
def test_any_sample_gives_an_answer_or_a_named_error(seed):
    "Heavy, thin, bounded, rounded, scaled and tiny samples: finite measures in order inside their bands, or a named error."
    rng = np.random.default_rng(seed)
    n = int(rng.choice([20, 60, 250, 2000]))
    draws = [rng.standard_t(1.2, n), rng.standard_t(4, n), rng.normal(size=n), rng.uniform(size=n), rng.normal(size=n).round(1), np.append(0.01 * rng.normal(size=n - 1), 0.37)]
    losses = draws[seed % 6] * 10.0 ** rng.choice([-6, 0, 3])
    try:
        tail = fit_gpd(losses, n_exceed=int(rng.choice([10, max(n // 10, 11)])))
        levels = [p for p in LEVELS if p > 1 - tail.n_exceed / tail.n]
        table = tail.measures(levels, 0.05) if levels else pd.DataFrame()
    except RiskError as error:
        assert isinstance(error, NotConverged) or "needed" in str(error) or "threshold" in str(error)
        return
    for row in table.itertuples():
        assert row.var_low <= row.value_at_risk <= row.var_high
        assert row.es_low <= row.expected_shortfall <= row.es_high and row.value_at_risk <= row.expected_shortfall
        assert np.isfinite(row.expected_shortfall) or tail.xi >= 1
