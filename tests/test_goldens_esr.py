"The ES regression on the data of its authors: fit, covariance and tests against scipy, and planted faults that must be found."

import numpy as np
import pandas as pd
import pytest
from lessons import ROOT
from scipy.optimize import linprog, minimize
from scipy.stats import chi2, gaussian_kde, norm

from risk_analytics_lib.risk import backtests_regression as room
from risk_analytics_lib.risk.esr_covariance_recursions import joint_covariance, joint_fits, mean_scale, sj_width
from risk_analytics_lib.risk.esr_recursions import joint_lines

GOLDEN, A = ROOT.parent / "shared" / "golden" / "data" / "esback_risk_forecasts.csv", 0.025


@pytest.fixture(scope="module")
def data():
    "Returns, VaR and ES of esback's `risk_forecasts`, as its columns r, q and e."
    if not GOLDEN.exists():
        pytest.skip("the published data set esback_risk_forecasts.csv is not on this machine")
    return pd.read_csv(GOLDEN)


def version(data, name):
    "Outcome, regressor of the quantile, of ES, and whether ES moves."
    r, q, e = (data[k].to_numpy() for k in "rqe")
    return {"strict": (r, e, e, True), "auxiliary": (r, q, e, True), "intercept": (r - e, e, e, False)}[name]


def loss(b, y, x, z):
    "The joint loss as it is written in the paper: G1 = 0, G2(e) = -1/e, after the shift."
    top = y.max()
    q, e, u = b[0] + b[1] * x - top, b[2] + b[3] * z - top, y - top
    if (e >= 0).any():
        return np.inf
    return (-1 / e * (e - q + (q - u) * (u <= q) / A) + np.log(-e)).mean() + 1


def least(y, x, z, moving, seed=0):
    "The lowest loss of Nelder-Mead from perturbed starts."
    rng, free = np.random.default_rng(seed), np.array([True, True, True, moving])
    full = lambda p: np.place(b := np.zeros(4), free, p) or b
    best = np.where(free, [0, 1, -0.3, 1] if moving else [0, 0, -0.2, 0], 0)[free]
    lowest = np.inf
    for _ in range(6):
        found = minimize(lambda p: loss(full(p), y, x, z), best + 0.1 * rng.standard_normal(free.sum()), method="Nelder-Mead",
                         options={"maxiter": 4000, "xatol": 1e-9, "fatol": 1e-13})
        if found.fun < lowest:
            best, lowest = found.x, found.fun
    return full(best), lowest


@pytest.mark.parametrize("name", ["strict", "auxiliary", "intercept"])
def test_no_search_finds_a_lower_loss(data, name):
    y, x, z, moving = version(data, name)
    b, value = joint_lines(y, x, z, A, moving)
    assert value == pytest.approx(loss(b, y, x, z), abs=1e-12)
    other, lowest = least(y, x, z, moving)
    assert value <= lowest + 1e-10
    assert other == pytest.approx(b, abs=2e-3)
    assert loss(b + [0, 0.01, 0, 0], y, x, z) > value + 1e-7 and loss(b + [0, 0, 0.02, 0], y, x, z) > value + 1e-7  # planted


def quantiles(y, x, a):
    n, X = len(y), np.c_[np.ones(len(y)), x]
    found = linprog(np.r_[0, 0, np.full(n, a), np.full(n, 1 - a)], A_eq=np.c_[X, np.eye(n), -np.eye(n)], b_eq=y,
                    bounds=[(None, None)] * 2 + [(0, None)] * (2 * n), method="highs").x
    return found[:2]


def reference_covariance(y, x, z, b):
    "Sandwich with parts from scipy: linear programme, likelihood search, kernel density on a grid."
    n, top, X, Z = len(y), y.max(), np.c_[np.ones(len(y)), x], np.c_[np.ones(len(y)), z]
    h = n ** (-1 / 3) * norm.ppf(0.975) ** (2 / 3) * (1.5 * norm.pdf(norm.ppf(A)) ** 2 / (2 * norm.ppf(A) ** 2 + 1)) ** (1 / 3)
    f = np.maximum(2 * h / (X @ (quantiles(y, x, A + h) - quantiles(y, x, A - h))), 0)
    scale = lambda p: np.where((s := X @ p[2:]) > 0, s, np.nan)
    start = np.r_[0, 0, np.linalg.lstsq(X, np.abs(y), rcond=None)[0]]
    minus = lambda p: np.nan_to_num(-norm.logpdf(y, X @ p[:2], scale(p)).mean(), nan=1e9)
    p = minimize(minus, start, method="Nelder-Mead", options={"maxiter": 9000, "xatol": 1e-9, "fatol": 1e-13}).x
    noise, limit, sigma = (y - X @ p[:2]) / (X @ p[2:]), (X @ b[:2] - X @ p[:2]) / (X @ p[2:]), X @ p[2:]
    assert mean_scale(y, x, True) == pytest.approx(p, abs=1e-4)
    F = (noise[None] <= limit[:, None] + 1e-12).mean(axis=1)
    grid = np.linspace(noise.min() - 3, limit.max() + 1e-9, 6000)
    mass = gaussian_kde(noise, sj_width(np.sort(noise)) / noise.std(ddof=1))(grid)
    moments = [np.cumsum(grid**k * mass) for k in range(3)]
    v = np.interp(limit, grid, moments[2] / moments[0] - (moments[1] / moments[0]) ** 2) * sigma**2
    q, s = X @ b[:2] - top, top - Z @ b[2:]
    d, k = q + s, (F - A) / A
    m = lambda P, Q, w: (P.T * w) @ Q / n
    cross, tail = m(X, Z, k / s**2), m(X, Z, ((1 - A) / A * (d + q * k) - k * d) / s**3)
    L = np.block([[m(X, X, f / A / s), cross], [cross.T, m(Z, Z, 1 / s**2 + 2 * q * k / s**3)]])
    S = np.block([[m(X, X, ((1 - A) / A + (1 - 2 * A) / A * k) / s**2), tail],
                  [tail.T, m(Z, Z, (v / A + (1 - A) / A * d * d - 2 * d * q * k) / s**4)]])
    return np.linalg.inv(L) @ S @ np.linalg.inv(L) / n


def test_covariance_is_that_of_its_formula(data):
    y, x, z, _ = version(data.iloc[:1500], "auxiliary")
    b, _ = joint_lines(y, x, z, A, True)
    ours, theirs = joint_covariance(y, x, z, A, True, b), reference_covariance(y, x, z, b)
    assert ours == pytest.approx(theirs, rel=0.01)
    assert reference_covariance(y, x, z, b + [0, 0, 0.3, 0]) != pytest.approx(ours, rel=0.01)  # planted


@pytest.mark.parametrize("name, statistic", [("strict", 16.7836), ("auxiliary", 13.8724), ("intercept", -2.64657)])
def test_verdict_on_the_authors_data(data, name, statistic, monkeypatch):
    monkeypatch.setattr(room, "judged", lambda **k: k)  # the statistic and its limit law; no table of 4,527 days
    monkeypatch.setattr(room, "null_table", lambda *a, **k: np.linspace(-3, 3, 100))
    found = room.bayer_dimitriadis_esr(data["r"], -data["q"], -data["e"], 1 - A, name)
    value = float(found["statistic"](found["day"])[0])
    assert value == pytest.approx(statistic, abs=5e-4)
    limit = 2 * norm.cdf(-abs(value)) if name == "intercept" else chi2.sf(value, 2)
    assert float(found["pvalue"](np.array([value]))[0]) == pytest.approx(limit, rel=1e-9)


def test_more_of_the_same_sample_is_no_new_fit(data):
    "Doubling every day leaves the lines and halves the covariance, up to bandwidths."
    y, x, z, moving = version(data.iloc[:1000], "strict")
    once, twice = (joint_fits(np.tile(y, k)[None], np.tile(x, k)[None], np.tile(z, k)[None], A, moving)[0] for k in (1, 2))
    assert twice[7] == pytest.approx(once[7], abs=1e-9)
    assert 0.3 < twice[4] / once[4] < 0.8


@pytest.mark.parametrize("y, x", [
    (np.zeros(200), np.ones(200)),
    (np.zeros(200), np.linspace(1, 2, 200)),
    (np.r_[np.zeros(199), -1.0], np.linspace(1, 2, 200)),
    (np.arange(200.0), np.arange(200.0)),
    (np.tile([-1.0, 1.0], 100), np.tile([1.0, 1.0, 2.0, 2.0], 50)),
    (np.full(200, 1e-300), np.full(200, 1e-300)),
    (np.random.default_rng(0).standard_normal(200) * 1e8, np.r_[np.ones(199), 1e8]),
], ids=["nothing", "no return", "one crash", "a line", "two values", "tiny", "huge"])
def test_degenerate_samples_come_back(y, x):
    for moving in (True, False):
        assert joint_fits(y[None], x[None], x[None], A, moving).shape == (1, 8)
