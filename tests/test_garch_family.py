"""The compiled GARCH family against its adversaries: arch's own optimum, bad input, a process without a compiler, its own simulations."""

import json
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from arch import arch_model
from arch.univariate import EGARCH as ArchEGARCH
from arch.univariate import GARCH as ArchGARCH
from arch.univariate import ConstantMean, GeneralizedError, Normal, SkewStudent, StudentsT

from risk_analytics_lib.econometrics.garch_models import APARCH, EGARCH, GARCH, GARCHX
from risk_analytics_lib.econometrics.garch_moments import egarch_variance
from risk_analytics_lib.risk.engines_fhs import FilteredHS
from risk_analytics_lib.utils.checks import BadArgument, BadScale, ConstantSeries, MissingValue, NotConverged, RiskError, TooShort, decimal
from risk_analytics_lib.utils.laws import Normal as Gaussian

ROOT = Path(__file__).resolve().parents[1]

# ---- arch, fit by fit ---------------------------------------------------------------------------------------------------------------

LAWS = {"normal": Normal, "t": StudentsT, "skewt": SkewStudent, "ged": GeneralizedError}
PEERS = {
    "GARCH-normal": GARCH(),
    "GARCH-t": GARCH(dist="t"),
    "GJR-t": GARCH(o=1, dist="t"),
    "GJR-skewt": GARCH(o=1, dist="skewt"),
    "GARCH-ged": GARCH(dist="ged"),
    "EGARCH-t": EGARCH(dist="t"),
}


def true_parameters(name, rng):
    "Interior points, faces of the parameter set and their neighbourhood, for returns of variance about one."
    model = PEERS[name]
    pick = lambda *ranges: rng.uniform(*ranges[rng.integers(len(ranges))])
    persistence = (pick((0.5, 0.95)), pick((0.95, 0.999)), 1 - 10 ** rng.uniform(-5, -3))[rng.integers(3)]
    if isinstance(model, EGARCH):
        variance = [rng.normal(0, 0.3) * (1 - persistence), pick((0.02, 0.35)), -pick((0, 0.2)), persistence]
    else:
        shock = min(pick((0.01, 0.05), (0.05, 0.15), (0.15, 0.35)), persistence)
        rises = rng.choice([rng.uniform(), 0.0, 1.0]) if model.o else 0.5  # share of the shock's weight that rises have
        gamma = [2 * shock * (1 - 2 * rises)] if model.o else []
        variance = [1 - persistence + 1e-6, 2 * shock * rises, *gamma, persistence - shock]
    shape = {"normal": [], "t": [pick((2.2, 4), (4, 12), (12, 60))], "skewt": [pick((2.5, 5), (5, 15)), rng.choice([pick((-0.6, 0.6)), 0.0])],
             "ged": [pick((1.01, 1.05), (1.05, 1.3), (1.3, 2.2))]}
    return np.array([rng.normal(0, 0.05), *variance, *shape[model.dist]])


def simulated(name, seed):
    "500 to 2,000 returns, standard deviation one; histories whose scale wanders beyond reason are drawn again."
    model = PEERS[name]
    rng = np.random.default_rng([seed, list(PEERS).index(name)])
    volatility, first = (ArchEGARCH(1, 1, 1), None) if isinstance(model, EGARCH) else (ArchGARCH(1, model.o, 1), 1.0)
    while True:
        length, draws = int(rng.integers(500, 2001)), LAWS[model.dist](seed=np.random.RandomState(int(rng.integers(2**31))))
        with np.errstate(all="ignore"):
            truth = true_parameters(name, rng)
            y = ConstantMean(volatility=volatility, distribution=draws).simulate(truth, length, initial_value_vol=first)["data"]
        if np.isfinite(y).all() and 0.1 < y.std() < 10 and y.abs().max() < 1e3 * y.abs().median():
            return (y / y.std(ddof=0)).to_numpy()


def duel(name, seed):
    "Both optima in one likelihood, that of the kernel at our start value; lead is ours minus arch's."
    from risk_analytics_lib.econometrics.variance_recursions import loglik
    model, y = PEERS[name], simulated(name, seed)
    peer = arch_model(y, vol="EGARCH" if isinstance(model, EGARCH) else "GARCH", p=1, o=model.o, q=1, dist=model.dist, rescale=False)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        theirs = peer.fit(disp="off", show_warning=False)
    ours, spec, none = model._learn_windows(y, None, [(0, len(y))])[0], model._kernel_spec(0), np.empty((len(y), 0))
    start, before = (None, None) if isinstance(ours, NotConverged) else (ours["start"], ours["before"])

    def at(theta):
        return loglik(np.asarray(theta, float), spec, 2.0, y, none, none[0], before, start, np.empty((9, len(y))), np.zeros(len(theta)))

    found = {"model": name, "seed": seed, "T": len(y), "arch_flag": theirs.convergence_flag, "arch_at": theirs.params.round(4).tolist()}
    if start is None:
        return found | {"lead": np.nan, "slip": np.nan, "ours_at": str(ours)}
    mine, their = at(ours["params"]), at(theirs.params)
    slip, best = abs(mine - ours["loglik"]), their
    if not isinstance(model, EGARCH):  # there arch cuts log variances, and its number is not that of its parameters
        slip, best = max(slip, abs(their - theirs.loglikelihood)), at(inside(theirs.params))
    return found | {"lead": mine - best, "slip": slip, "ours_at": ours["params"].round(4).tolist()}


def inside(theta):
    "arch oversteps alpha, alpha + gamma >= 0 and persistence <= 1 by up to 1e-6, worth up to 1e-3 of likelihood: the nearest point that does not."
    theta = theta.copy()
    rises, falls = max(theta["alpha[1]"], 0.0), max(theta["alpha[1]"] + theta.get("gamma[1]", 0.0), 0.0)
    theta["alpha[1]"], theta["beta[1]"] = rises, min(theta["beta[1]"], 1 - (rises + falls) / 2)
    if "gamma[1]" in theta:
        theta["gamma[1]"] = falls - rises
    return theta


def lost(table):
    "Fits in which arch is ahead by more than 1e-4, or we have none; where arch itself reports failure there is nothing to lose to."
    return table[~(table["lead"] >= -1e-4) & (table["arch_flag"] == 0)]


def check(table):
    behind = lost(table)
    assert behind.empty, "\n" + behind[["model", "seed", "T", "lead", "ours_at", "arch_at"]].to_string()
    assert table.loc[table["arch_flag"] == 0, "slip"].max() < 1e-6  # each side's own number: the one likelihood is both libraries'


@pytest.mark.parametrize("name", PEERS)
def test_never_below_arch(name):
    check(pd.DataFrame([duel(name, seed) for seed in range(10)]))


# What a search may trip over: a top of low persistence that no start sees; weights of zero, where shares and tilt have no slope; omega on its
# way to zero, in ever smaller steps; an EGARCH whose beta nears one while omega does not vanish, or whose alpha is a little negative.
HARD = [("GARCH-normal", 81), ("GJR-t", 18), ("GJR-t", 72), *[("GARCH-ged", seed) for seed in (34, 35, 62, 95)],
        *[("EGARCH-t", seed) for seed in (27, 28, 30, 41, 81, 86)]]


@pytest.mark.parametrize("name, seed", HARD)
def test_never_below_arch_on_hard_histories(name, seed):
    check(pd.DataFrame([duel(name, seed)]))


@pytest.mark.slow
def test_never_below_arch_in_600_fits():
    "The tally (pytest -s shows it) says how often arch is behind; leads of infinity are arch's own failures."
    table = pd.DataFrame([duel(name, seed) for name in PEERS for seed in range(100)])
    tally = table.groupby("model")["lead"].agg(least="min", median="median", better=lambda x: (x > 1e-4).sum(), by_a_lot=lambda x: (x > 0.01).sum())
    print(tally.assign(arch_failed=(table["arch_flag"] != 0).groupby(table["model"]).sum()).to_string())
    check(table)


# ---- bad input ----------------------------------------------------------------------------------------------------------------------

FAMILY = {
    "GARCH": GARCH(),
    "GJR-skewt": GARCH(o=1, dist="skewt"),
    "TARCH-ged": GARCH(o=1, power=1.0, dist="ged"),
    "ARMA-GARCH-2-2": GARCH(p=2, q=2, mean="arma", dist="t"),
    "EGARCH": EGARCH(),
    "EGARCH-t": EGARCH(dist="t"),
    "APARCH": APARCH(),
    "APARCH-t": APARCH(dist="t"),
    "GARCHX": GARCHX(dist="t"),
    "GARCHX-log": GARCHX(o=1, form="log", dist="t"),
}
DAYS = pd.bdate_range("2016-01-04", periods=1000, name="date")
DRIVER = pd.DataFrame({"driver": np.random.default_rng(9).exponential(1e-4, 1000)}, DAYS)
SECONDS = 10  # a fit, its summary and ten days of paths take a tenth of one; a hang is what is looked for


def history(alpha=0.08, beta=0.9, omega=2e-6, nu=7.0, seed=0):
    "A GARCH-t of 1,000 days, around one percent a day."
    rng, r, var = np.random.default_rng(seed), np.empty(1000), 1e-4
    for t, z in enumerate(rng.standard_t(nu, 1000) * np.sqrt((nu - 2) / nu)):
        r[t] = np.sqrt(var) * z
        var = omega + alpha * r[t] ** 2 + beta * var
    return pd.Series(r + 3e-4, DAYS, name="planted")


def with_a_crash(row):
    r = history()
    r.iloc[row] = -0.37
    return r


TROUBLES = {
    "nu near 2": history(0.0, 0.0, 1e-4, 2.1),
    "nu below 2": pd.Series(0.002 * np.random.default_rng(3).standard_t(1.5, 1000), DAYS, name="planted"),
    "alpha + beta = 1": history(0.1, 0.9, 1e-7, 30.0),
    "independent draws": history(0.0, 0.0, 1e-4, 60.0),
    "-37 % on the first day": with_a_crash(0),
    "-37 % in the middle": with_a_crash(700),
    "-37 % on the last day": with_a_crash(-1),
    "in millionths": decimal(1e-6 * history()),
    "in thousands": decimal(1e3 * history()),
    "percent, vouched for": decimal(100 * history()),
    "zero on four days of ten": history().where(np.arange(1000) % 10 > 3, 0.0),
    "the barest minimum": history().iloc[:100],
}


def fitted(model, returns):
    return model.clone().fit(returns, DRIVER.loc[returns.index] if isinstance(model, GARCHX) else None)


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_ends_in_a_finite_forecast(name, trouble):
    returns = TROUBLES[trouble]
    fitted(FAMILY[name], history())  # compiles, where nothing is compiled yet
    began = time.perf_counter()
    model = fitted(FAMILY[name], returns)
    law = model.forecast()
    assert np.isfinite([law.mean[0], law.value_at_risk(0.99)[0], law.expected_shortfall(0.975)[0]]).all()
    assert 1e-3 < law.vol[0] / returns.std() < 1e3  # not a collapse that happens to be a number
    if model.active_ is not model:
        assert "fell back to EWMA: " in law.note
    else:
        assert np.isfinite(model.params).all() and np.isfinite(model.loglik) and np.isfinite(model.conditional_volatility).all()
        assert len(model.summary().text) > 100
    ten = model.forecast(10, n=500)
    assert np.isfinite(ten.value_at_risk(0.99)).all()
    assert time.perf_counter() - began < SECONDS


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("returns, error, words", [
    (0 * history() + 0.001, ConstantSeries, "stale price"),
    (history().iloc[:20], TooShort, "20 returns given, at least 100"),
    (history().where(DAYS != DAYS[400]), MissingValue, f"{DAYS[400]:%Y-%m-%d}"),
    (100 * history(), BadScale, "divide by 100"),
], ids=["constant", "20 rows", "a hole", "percent"])
def test_refusals_by_name(name, returns, error, words):
    with pytest.raises(error, match=words):
        fitted(FAMILY[name], returns)


@pytest.mark.parametrize("name", ["GARCHX", "GARCHX-log"])
def test_drivers_are_looked_at(name):
    model, r = FAMILY[name], history()
    with pytest.raises(BadArgument, match="needs X"):
        model.clone().fit(r)
    for hole in (np.nan, np.inf):
        with pytest.raises(MissingValue, match=f"X\\['driver'\\] is {hole} on 2016-01-13"):
            model.clone().fit(r, DRIVER.where(np.arange(1000)[:, None] != 7, hole))
    with pytest.raises(ConstantSeries, match=r"X\['driver'\] is 1 on all days from 2016-01-04"):  # a second omega
        model.clone().fit(r, 0 * DRIVER + 1.0)
    with pytest.raises(BadArgument, match=r"X\['double'\] is a linear combination of 'driver' on all days from 2016-01-04"):
        model.clone().fit(r, DRIVER.assign(double=1 + 2 * DRIVER["driver"]))
    with pytest.raises(MissingValue, match=r"X\['driver'\] is nan on 2019-11-01"):
        late = model.clone().fit(r.iloc[:-1], DRIVER.iloc[:-1])
        late.update(r.iloc[-1:], DRIVER.iloc[-1:] * np.nan)
    wild = DRIVER.copy()
    wild.iloc[500] = 1e6
    assert np.isfinite(model.clone().fit(r, wild).forecast().vol[0])
    if name == "GARCHX":
        with pytest.raises(BadArgument, match=r"X\['driver'\] is -1 on 2016-01-07"):
            model.clone().fit(r, DRIVER.where(np.arange(1000)[:, None] != 3, -1.0))


def test_a_driver_that_stands_still_for_a_window_is_said():
    "A walk keeps going: what was learnt before stays in force, or EWMA where nothing was."
    flat = DRIVER.where(np.arange(1000)[:, None] < 700, 1e-4)
    found = FAMILY["GARCHX"].clone()._learn_windows(history().to_numpy(), flat.to_numpy(), [(300, 600), (700, 1000)])
    assert isinstance(found[0], dict) and "x[1] does not move" in str(found[1])


def test_a_move_of_a_thousand_deviations_is_no_silent_nan():
    "Nothing for 999 days, 30 % on the last: whatever each model makes of it has to be a number on every one of ten days, or be said."
    returns = pd.Series(1e-4 * np.random.default_rng(5).standard_normal(1000), DAYS, name="planted")
    returns.iloc[-1] = 0.3
    for name, model in FAMILY.items():
        try:
            model = fitted(model, returns)
            answers = np.r_[model.forecast().vol, model.forecast(10, n=500).value_at_risk(0.99)]
        except RiskError:
            continue
        assert np.isfinite(answers).all() and answers[0] > 1e-8, f"{name}: {answers}"


def test_long_run_variance_of_a_slow_egarch_takes_no_longer():
    "A half-life of three years, with the closed form of Nelson (1991) for gamma alone."
    omega, gamma, beta = -2.6e-4, -0.028, 0.999
    began = time.perf_counter()
    found = egarch_variance(Gaussian(), omega, np.array([0.0]), np.array([gamma]), np.array([beta]))
    assert abs(np.log(found) - omega / (1 - beta) - gamma**2 / (2 * (1 - beta**2))) < 1e-6
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("name", FAMILY)
def test_the_unit_does_not_matter(name):
    here = fitted(FAMILY[name], history())
    power = here.params.get("delta", getattr(here, "power", 2.0))
    for scale in (1e-6, 1e3):
        there, expected = fitted(FAMILY[name], decimal(scale * history())), here.params.copy()
        expected.loc[expected.index == "mu"] *= scale
        if here._form == 2:
            expected["omega"] += (1 - here.persistence) * 2 * np.log(scale)
        else:
            expected[[k for k in expected.index if k == "omega" or k[0] == "x"]] *= scale**power
        assert np.allclose(there.params, expected, rtol=1e-4, atol=0)  # roundings of the data move the end of the search, along flat directions
        assert abs(there.loglik + 1000 * np.log(scale) - here.loglik) < 1e-7
        assert abs(there.forecast().vol[0] / (scale * here.forecast().vol[0]) - 1) < 1e-6


# ---- the mean ------------------------------------------------------------------------------------------------------------------------

def autoregression(*phi, n=1000):
    "Shocks of one percent, t with 6 degrees of freedom, run through an autoregression."
    y, shocks = np.zeros(n + len(phi)), 0.01 * np.random.default_rng(4).standard_t(6, n)
    for t in range(len(phi), len(y)):
        y[t] = np.dot(phi, y[t - len(phi) : t][::-1]) + shocks[t - len(phi)]
    return decimal(pd.Series(y[len(phi) :], DAYS, name="planted"))


@pytest.mark.parametrize("lags", [1, 2, 3])
@pytest.mark.parametrize("phi", [(0.5, 0.3), (1.2, -0.201), (1.0,), (1.898, -0.8985), (1.3, -0.2995)],
                         ids=["stationary", "near the unit root", "random walk", "two roots near one", "a hair explosive"])
def test_an_autoregressive_mean_is_stationary(phi, lags):
    model = GARCH(mean="ar", lags=lags, dist="t").fit(autoregression(*phi))
    assert model.active_ is model, model.note_
    found = model.params[[f"phi[{i + 1}]" for i in range(lags)]]
    assert np.abs(np.roots(np.r_[1, -found])).max() < 1
    assert np.isfinite(model.forecast(50, n=200).vol).all()
    if phi == (0.5, 0.3) and lags > 1:
        assert abs(found.iloc[:2] - phi).max() < 3 * model.std_errors["phi[1]"]


def test_an_autoregression_at_the_edge_has_no_standard_error():
    "As one coefficient on its bound has none: the explosive history ends on the border of stationarity, and says so."
    for lags in (1, 2):
        model = GARCH(mean="ar", lags=lags, dist="t").fit(autoregression(1.002))
        names = [f"phi[{i + 1}]" for i in range(lags)]
        assert model.std_errors[names].isna().all() and model.std_errors[["mu", "nu"]].notna().all()
        assert "phi[1] (on its bound)" in model.summary().note


# ---- standard errors ----------------------------------------------------------------------------------------------------------------

def test_omega_on_its_floor_has_no_standard_error():
    "A price that stood still lets the variance die out: omega ends on the floor of the search, 1e-8 of the variance of the window."
    model = GARCH(dist="t").fit(broken("all"))
    assert model.params["omega"] < 1.01e-8 * model.y_.var()
    assert np.isnan(model.std_errors["omega"]) and "omega (on its bound)" in model.summary().note


def test_standard_error_of_a_kinked_mean():
    "Over 60 simulated histories the error of mu scatters little, and is right; with a step inside of the kinks it fell to a third."
    def laplace(seed):
        rng, r, var = np.random.default_rng(seed), np.empty(1000), 1e-4
        for t, z in enumerate(rng.laplace(0, np.sqrt(0.5), 1000)):
            r[t] = np.sqrt(var) * z
            var = 2e-6 + 0.05 * r[t] ** 2 + 0.93 * var
        return pd.Series(r, DAYS, name="planted")
    fits = [GARCH(dist="ged").fit(laplace(seed)) for seed in range(60)]
    found, spread = np.array([m.robust_std_errors["mu"] for m in fits]), np.std([m.params["mu"] for m in fits])
    assert 0.8 < np.median(found) / spread < 1.25 and found.min() > 0.6 * spread and found.max() < 1.8 * spread


# ---- one version of each kernel -----------------------------------------------------------------------------------------------------

COUNTED = """
import numpy as np, pandas as pd
from risk_analytics_lib.econometrics.garch_models import GARCH, GARCHX
from risk_analytics_lib.econometrics import box_recursions, descent_recursions, escape_recursions, search_recursions
days, rng = pd.bdate_range("2016-01-04", periods=300), np.random.default_rng(0)
y, X = 0.01 * rng.standard_normal(300), rng.exponential(size=(300, 2))
closed = y.copy()
closed.setflags(write=False)
for values in (y, closed, np.c_[y, y][:, 1]):
    r = pd.Series(values, days, name="planted", copy=False)
    m = GARCH(o=1, dist="t").fit(r)
    m.forecast(5), m.update(pd.Series([0.01], [days[-1] + pd.Timedelta(days=1)])).forecast()
    learnt = m._learn_windows(values, None, [(0, 250), (1, 251)], True)
    m._next_laws(learnt, values, None, [(0, 250), (1, 251)])
    for drivers in (X, np.asfortranarray(X), np.c_[X, X][:, 1:3]):
        frame = pd.DataFrame(drivers, days, ["a", "b"], copy=False)
        GARCHX().fit(r, frame).forecast(5)
        drivers.setflags(write=False)
        GARCHX().fit(r, frame).std_errors
rooms = (box_recursions, descent_recursions, escape_recursions, search_recursions)
print({k: len(f.signatures) for room in rooms for k, f in vars(room).items() if len(getattr(f, "signatures", ())) > 1})
"""


def test_no_kernel_is_compiled_twice():
    "Whatever the arrays that pandas hands out: read-only, strided, in the order of columns."
    done = subprocess.run([sys.executable, "-c", COUNTED], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "{}"


# ---- histories that break -----------------------------------------------------------------------------------------------------------

def broken(kind):
    "Two regimes, a price that stands still, a crash, or all of them."
    rng, r = np.random.default_rng(1), history().to_numpy().copy()
    if kind in ("regimes", "all"):
        r = np.r_[0.001 * rng.standard_normal(500), 0.05 * rng.standard_normal(500)]
    if kind in ("still", "all"):
        r[200:250] = r[600:650] = 0.0
    if kind in ("crash", "all"):
        r[700] = -0.37
    return decimal(pd.Series(r, DAYS, name=kind))


@pytest.mark.parametrize("mean", ["constant", "ar", "ma"])
@pytest.mark.parametrize("kind", ["regimes", "still", "crash", "all"])
@pytest.mark.parametrize("name", ["GJR", "TARCH", "APARCH", "EGARCH"])
def test_broken_histories_end_in_a_fit(name, kind, mean):
    "All four laws, a mean with kinks; only an EGARCH, whose likelihood may have no top, may fall back and say so."
    make = {"GJR": lambda **k: GARCH(o=1, **k), "TARCH": lambda **k: GARCH(o=1, power=1.0, **k), "APARCH": APARCH, "EGARCH": EGARCH}[name]
    returns = broken(kind)
    for dist in LAWS:
        model = make(mean=mean, dist=dist).fit(returns)
        law = model.forecast(5, n=300)
        assert np.isfinite(law.vol).all() and np.isfinite(law.value_at_risk(0.99)).all()
        assert 0.1 < law.vol[0] / returns.std() < 10
        assert model.active_ is model or name == "EGARCH" and "fell back to EWMA: " in law.note[0], f"{dist}: {model.note_}"


@pytest.mark.parametrize("dist", ["normal", "t"])
def test_a_standing_price_does_not_hide_the_top(dist):
    "Weeks of no return pull mu onto zero and omega to its floor; arch finds that top, and so do we."
    r = broken("all")
    model, sd = GARCH(dist=dist).fit(r), r.std()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = arch_model(r / sd, dist=dist, rescale=False).fit(disp="off", show_warning=False)
    assert model.loglik > peer.loglikelihood - len(r) * np.log(sd) - 1e-4


# ---- without a compiler -------------------------------------------------------------------------------------------------------------

STORED = {**FAMILY, "AR-GJR-t": GARCH(o=1, mean="ar", lags=2, dist="t"), "MA-mean-square": GARCH(mean="ma", init="mean_square"),
          "GED-zero": GARCH(mean="zero", dist="ged"), "FilteredHS": FilteredHS(), "FilteredHS-EGARCH": FilteredHS(EGARCH(dist="t"))}
ANSWER = """
def answers(model, y, X):
    law, path = model.law_after(y, X, 1, False, 1, 0), model.paths_after(y, X, 5, 20, 0)
    block = model.active_._condition(y, X, len(y) - 50, len(y) + 1)
    said = [law.vol[0], law.value_at_risk(0.99)[0], law.expected_shortfall(0.975)[0], *path.ravel(), *block.vol, *block.value_at_risk(0.95)]
    return [float(v).hex() for v in said]
"""
ELSEWHERE = """
import json, sys
import numpy as np
import risk_analytics_lib.econometrics.garch_models, risk_analytics_lib.risk.engines_fhs
from risk_analytics_lib.utils.models import RiskModel
told = json.load(sys.stdin)
y, X = np.array(told["y"]), np.array(told["X"])
found = {name: answers(RiskModel._from_artifact(kept), y, X if "GARCHX" in name else None) for name, kept in told["artifacts"].items()}
json.dump({"answers": found, "compiled": [m for m in sys.modules if m == "numba" or m.endswith("_recursions")]}, sys.stdout)
"""


def test_stored_models_answer_alike_without_numba():
    "Conditioning, simulation and both tails, to the bit, in a process that never loads a compiler; the last 100 rows were not learnt from."
    models = {name: fitted(model, history().iloc[:900]) for name, model in STORED.items()}
    assert "risk_analytics_lib.econometrics.search_recursions" in sys.modules  # so this process answers from compiled code
    y, X = with_a_crash(950).to_numpy(), DRIVER.to_numpy()
    told = {"artifacts": {name: model._to_artifact() for name, model in models.items()}, "y": y.tolist(), "X": X.tolist()}
    done = subprocess.run([sys.executable, "-c", ANSWER + ELSEWHERE], input=json.dumps(told), capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    there = json.loads(done.stdout)
    assert there["compiled"] == []
    room = {}
    exec(ANSWER, room)
    for name, model in models.items():
        assert model.active_ is model, f"{name}: {model.note_}"
        assert there["answers"][name] == room["answers"](model, y, X if isinstance(model, GARCHX) else None), name


# ---- several days -------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", [*STORED])
def test_the_first_of_ten_days_is_tomorrow(name):
    model = fitted(STORED[name], history())
    ten, one = model.forecast(10, n=300), model.forecast()
    assert len(ten) == 10 and ten.vol[0] == one.vol[0] and ten.mean[0] == one.mean[0]
    assert ten.value_at_risk(0.99)[0] == one.value_at_risk(0.99)[0] and ten.expected_shortfall(0.975)[0] == one.expected_shortfall(0.975)[0]


@pytest.mark.parametrize("model", [GARCH(), GARCH(dist="t"), GARCH(o=1, dist="ged"), GARCH(o=1, dist="skewt")], ids=repr)
def test_simulated_variance_is_the_analytic_one(model):
    "E[var of day k] = V + P^(k-1) (var of day 1 - V); under a skewed law P is not alpha + gamma/2 + beta."
    model = fitted(model, history())
    first, long_run, kept = model.forecast().vol[0] ** 2, model.unconditional_variance, model.persistence
    assert kept < 1
    squares = (model.simulate(20, 200_000) - model.params["mu"]) ** 2
    expected = long_run + kept ** np.arange(20) * (first - long_run)
    error = squares.std(axis=0) / np.sqrt(len(squares))
    assert (abs(squares.mean(axis=0) - expected) < 4 * error).all() and (error < 0.01 * expected).all()
