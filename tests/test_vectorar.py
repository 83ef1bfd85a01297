"""Vector autoregressions and spillovers: nothing of the future in what is said, known systems found again, and bad input."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.api import VAR

from risk_analytics_lib.econometrics import spillover_rolling
from risk_analytics_lib.econometrics.spillover import rolling_spillover, spillover
from risk_analytics_lib.econometrics.vectorar import VectorAR, granger_pairs, select_lags
from risk_analytics_lib.utils.checks import BadArgument, BadIndex, ConstantSeries, MissingValue, NotConverged, TooShort
from risk_analytics_lib.utils.joint import BookModel
from risk_analytics_lib.utils.walkforward import walk_forward

T, N, WINDOW, REFIT = 220, 3, 110, 20
SAID = ["mean", "vol", "value_at_risk", "expected_shortfall", "note"]
DAYS = pd.bdate_range("2019-01-01", periods=T)
A = np.array([[[0.4, 0.1, 0.0], [0.0, 0.3, 0.2], [0.1, 0.0, 0.2]], [[0.1, 0.0, 0.0], [0.1, 0.1, 0.0], [0.0, 0.0, -0.2]]])
SIGMA = np.array([[1.0, 0.5, 0.2], [0.5, 2.0, 0.3], [0.2, 0.3, 0.5]])
MODELS = {
    "one-lag": VectorAR(1, n_scenarios=200),
    "no-constant": VectorAR(2, "n", n_scenarios=200),
    "line-residuals": VectorAR(2, "ct", dist="residuals"),
    "chosen-lags": VectorAR("aic", max_lags=4, n_scenarios=200),
}


def simulated(rows, seed, coefs=A, sigma=SIGMA, scale=0.01):
    rng = np.random.default_rng(seed)
    shocks, path = scale * rng.normal(size=(rows + 50, len(sigma))) @ np.linalg.cholesky(sigma).T, [np.zeros(len(sigma))] * len(coefs)
    for u in shocks:
        path.append(sum(a @ path[-1 - lag] for lag, a in enumerate(coefs)) + u)
    return np.array(path[-rows:])


PAST = pd.DataFrame(simulated(T, 1), DAYS, list("ABC"))
PAST.iloc[[60, 140, 141, 190]] -= [0.08, 0.10, 0.02]
OTHER = pd.DataFrame(3 * simulated(T, 2) + 0.01, DAYS, list("ABC"))
EXPOSURES = pd.Series({"A": 100.0, "B": -40.0, "C": 70.0})
FIRST = WINDOW + REFIT + 2
EVERY = range(FIRST, T)


def said(model, returns, block=True, horizon=1):
    settings = dict(n_test=len(returns) - FIRST, window=WINDOW, refit=REFIT, levels=0.99, block=block, horizon=horizon, overlap=horizon > 1)
    return walk_forward(BookModel(model, EXPOSURES), returns, **settings).forecasts.set_index("target")[SAID]


def leak(model, rows):
    "First row whose future changes what was said by then; None where there is none."
    base = said(model, PAST)
    for t in rows:
        now = said(model, pd.concat([PAST.iloc[:t], OTHER.iloc[t:]]))
        known = base.index <= PAST.index[t]  # the law of row t uses rows before t
        if not base[known].equals(now[known]):
            return t
    return None


@pytest.mark.parametrize("name", MODELS)
def test_nothing_of_the_future_at_any_row(name):
    assert leak(MODELS[name], EVERY) is None


@pytest.mark.parametrize("name", MODELS)
def test_block_equals_step(name):
    assert said(MODELS[name], PAST).equals(said(MODELS[name], PAST, block=False))
    assert said(MODELS[name], PAST, horizon=5).equals(said(MODELS[name], PAST, block=False, horizon=5))


@pytest.mark.parametrize("name", MODELS)
def test_rows_added_later_and_rows_long_gone_change_nothing(name):
    base = said(MODELS[name], PAST)
    for t in EVERY[1::7]:
        short = said(MODELS[name], PAST.iloc[:t])
        assert base.loc[short.index].equals(short)
    older = PAST.set_axis(PAST.index - (PAST.index[-1] - PAST.index[0]) - pd.Timedelta("7D"))
    assert said(MODELS[name], pd.concat([older, PAST])).loc[base.index].equals(base)
    learnt = [MODELS[name].clone().fit(PAST.iloc[:WINDOW]).update(more.iloc[WINDOW:]).learnt_ for more in (PAST, OTHER)]
    assert all(np.array_equal(learnt[0][k], learnt[1][k]) for k in learnt[0])


class KnowsToday(VectorAR):
    "The mean of day t knows day t."

    def _moments(self, Y, start, stop):
        mean, sigma = super()._moments(Y, start, stop)
        known = Y[start:stop]
        mean[: len(known)] += 0.1 * known
        return mean, sigma


class RefitsDaily(VectorAR):
    "The covariance is that of all rows it was handed."

    def _moments(self, Y, start, stop):
        mean, sigma = super()._moments(Y, start, stop)
        return mean, sigma * (1 + np.abs(Y).mean())


@pytest.mark.parametrize("mutant", [KnowsToday(1, n_scenarios=200), RefitsDaily(1, n_scenarios=200)])
def test_a_planted_leak_is_caught(mutant):
    assert leak(mutant, EVERY) is not None


def test_forecasts_do_not_know_the_future():
    "Forecasts, decompositions and conditional paths of row t from fit on the window and update to t, at every t."
    for name, model in MODELS.items():
        for t in range(WINDOW + 1, T, 9):
            both = [model.clone().fit(rows.iloc[:WINDOW]).update(rows.iloc[WINDOW:t]) for rows in (PAST, pd.concat([PAST.iloc[:t], OTHER.iloc[t:]]))]
            ahead = [m.forecast(4) for m in both]
            assert np.array_equal(ahead[0].mean, ahead[1].mean) and np.array_equal(ahead[0].covariance, ahead[1].covariance), name
            assert np.array_equal(*(m.conditional_scenarios({"B": [-0.02, 0.0]}).mean for m in both))
            longer = model.clone().fit(PAST.iloc[:WINDOW]).update(OTHER.iloc[WINDOW:])
            p = longer.learnt_["lags"]
            assert np.array_equal(longer.historical_decomposition().contributions[: WINDOW - p], both[0].historical_decomposition().contributions[: WINDOW - p])


@pytest.mark.parametrize("lags, window, method", [(1, 40, "generalised"), (2, 90, "cholesky")])
def test_rolling_spillovers_do_not_know_the_future(lags, window, method):
    "Every row of a short series with outliers; bits of all windows that had ended by then."
    roll = lambda frame: rolling_spillover(frame, lags, 5, window, method)
    base = roll(PAST)
    for t in range(window, T):
        for rows in (PAST.iloc[:t], pd.concat([PAST.iloc[:t], 1e4 * OTHER.iloc[t:]])):
            now = roll(rows)
            assert np.array_equal(now.tables[: t - window + 1], base.tables[: t - window + 1])
            assert now.explosive.iloc[: t - window + 1].equals(base.explosive.iloc[: t - window + 1])


def test_a_leak_in_the_rolling_pass_is_caught(monkeypatch):
    "Data scaled by all rows that a block was handed."
    exact = spillover_rolling.window_moments
    monkeypatch.setattr(spillover_rolling, "window_moments", lambda Y, *args: exact(Y * (1 + np.abs(Y).mean()) + Y.mean(0), *args))
    base = rolling_spillover(PAST, 1, 5, 60)
    now = rolling_spillover(pd.concat([PAST.iloc[:100], OTHER.iloc[100:]]), 1, 5, 60)
    assert not np.array_equal(now.tables[:41], base.tables[:41])


# --- known systems ------------------------------------------------------------------------------------------------------------


def test_known_coefficients_are_found():
    "Forty samples: estimates are unbiased and spread as their standard errors say."
    fits = [VectorAR(2).fit(pd.DataFrame(simulated(600, seed), columns=list("ABC"))) for seed in range(40)]
    truth = np.vstack([np.zeros((1, 3)), *(a.T for a in A)])
    z = np.array([(m.params.to_numpy() - truth) / m.std_errors.to_numpy() for m in fits])
    assert np.abs(z.mean(0)).max() < 4 / np.sqrt(40) and abs(z.std() - 1) < 0.1


def test_granger_tests_have_their_size_and_find_the_cause():
    rng = np.random.default_rng(0)
    p = np.concatenate([granger_pairs(pd.DataFrame(rng.normal(size=(250, 5))), 2).table["pvalue"] for _ in range(60)])
    assert abs((p < 0.05).mean() - 0.05) < 0.02 and abs((p < 0.5).mean() - 0.5) < 0.05
    chain = np.array([[[0.3, 0.0, 0.0], [0.4, 0.3, 0.0], [0.0, 0.4, 0.3]]])  # A -> B -> C
    frame = pd.DataFrame(simulated(1500, 3, chain, np.eye(3)), columns=list("ABC"))
    every = VectorAR(1).fit(frame).granger_all().matrix("holm")
    assert every.loc["B", "A"] < 0.001 and every.loc["C", "B"] < 0.001 and every.loc["C", "A"] > 0.01 and every.loc["A", "C"] > 0.01


def test_order_and_unit_of_columns():
    "Columns swapped and scaled: the same system."
    unit = np.array([1e-4, 1.0, 1e5])
    one, two = VectorAR(2).fit(PAST), VectorAR(2).fit(PAST * unit)
    assert np.allclose(two.forecast(5).mean / unit, one.forecast(5).mean, rtol=1e-8, atol=1e-12)
    assert np.allclose(two.loglik, one.loglik - (T - 2) * np.log(unit).sum(), rtol=1e-9)
    assert np.allclose(two.generalised_fevd(10).values, one.generalised_fevd(10).values, rtol=1e-8)
    assert np.allclose(spillover(PAST * unit, 2).table, spillover(PAST, 2).table, rtol=1e-8)
    assert np.allclose(rolling_spillover(PAST * unit, 2, window=80).tables, rolling_spillover(PAST, 2, window=80).tables, rtol=1e-8)
    turned = VectorAR(2).fit(PAST[list("CAB")])
    back = ["CAB".index(c) for c in "ABC"]
    assert np.allclose(turned.forecast(5).covariance[:, back][:, :, back], one.forecast(5).covariance, rtol=1e-9)
    given = {"B": [-0.03, -0.01]}
    assert np.allclose(turned.conditional_scenarios(given, 4).mean[:, back], one.conditional_scenarios(given, 4).mean, rtol=1e-8)


@pytest.mark.parametrize("seed", range(6))
def test_conditional_paths_against_the_joint_normal(seed):
    "Any set of points of any series, three at least left open."
    rng = np.random.default_rng(seed)
    model, h = VectorAR(1 + seed % 3, ["c", "ct"][seed % 2]).fit(PAST), 4
    wanted = np.where(rng.random((h, N)) < 0.4, 0.02 * rng.normal(size=(h, N)), np.nan)
    wanted[0, 0], wanted[-1] = 0.01, np.nan
    found, free = model.conditional_scenarios(pd.DataFrame(wanted, columns=list("ABC"))), model.forecast(h)
    Phi, L = np.eye(N * h), np.linalg.cholesky(model.sigma.to_numpy())
    steps = model.irf(h, "plain").values
    B = np.block([[steps[i - j] @ L if i >= j else np.zeros((N, N)) for j in range(h)] for i in range(h)])
    omega, on = B @ B.T, np.flatnonzero(~np.isnan(wanted.ravel()))
    gain = omega[:, on] @ np.linalg.inv(omega[np.ix_(on, on)])
    assert np.allclose(found.mean.ravel(), free.mean.ravel() + gain @ (wanted.ravel() - free.mean.ravel())[on], rtol=0, atol=1e-12)
    assert np.allclose(found.joint, omega - gain @ omega[on], rtol=0, atol=1e-14) and Phi.shape == found.joint.shape
    assert np.array_equal(found.mean.ravel()[on], wanted.ravel()[on]) and np.array_equal(found.paths(5)[0].ravel()[on], wanted.ravel()[on])


def test_rolling_equals_a_loop_of_statsmodels_on_hard_data():
    "Levels with unit roots, ten series, short windows, columns of very different size: 1e-10 of a per cent in shares."
    rng = np.random.default_rng(0)
    walks = rng.normal(size=(260, 6)).cumsum(0) * 10.0 ** np.arange(-3, 3) + 50
    noise = 0.8 * rng.normal(size=(260, 6)) + 0.6 * rng.normal(size=(260, 1))
    for data, p, window in ((walks, 1, 60), (noise, 3, 80), (noise.cumsum(0), 2, 120)):
        found = rolling_spillover(pd.DataFrame(data), p, 10, window)
        for w in range(0, len(found.index), 7):
            peer = VAR(data[w : w + window]).fit(p)
            own = spillover(pd.DataFrame(data[w : w + window]), p, 10)
            Phi, S = peer.ma_rep(9), peer.sigma_u
            share = ((Phi @ S) ** 2).sum(0) / np.diag(S)
            assert np.abs(found.tables[w] - own.table.to_numpy()).max() < 1e-9
            assert np.abs(found.tables[w] - 100 * share / share.sum(1, keepdims=True)).max() < 2e-8  # their own rounding on levels
            assert found.explosive.iloc[w] == (not peer.is_stable())


@pytest.mark.parametrize("lags, window, horizon, step", [(1, 8, 1, 1), (4, 25, 2, 3), (2, 64, 10, 50), (1, 200, 10, 7)])
def test_windows_of_any_size(lags, window, horizon, step):
    frame = PAST[["A", "B"]]
    found = rolling_spillover(frame, lags, horizon, window, step=step)
    assert found.index.equals(frame.index[window - 1 :: step])
    for w in range(len(found.index)):
        own = spillover(frame.iloc[step * w : step * w + window], lags, horizon)
        assert np.allclose(found.tables[w], own.table, rtol=0, atol=1e-9) and found.explosive.iloc[w] == own.explosive


def test_bootstrap_is_seeded():
    model = VectorAR(1).fit(PAST)
    bands = [model.irf(5, bands="bootstrap", n=50, random_state=seed).low for seed in (1, 1, 2)]
    assert np.array_equal(bands[0], bands[1]) and not np.array_equal(bands[0], bands[2])


def test_one_series_is_an_autoregression():
    model = VectorAR(2).fit(PAST[["A"]])
    y = PAST["A"].to_numpy()
    X = np.column_stack([np.ones(T - 2), y[1:-1], y[:-2]])
    assert np.allclose(model.params["A"], np.linalg.lstsq(X, y[2:], rcond=None)[0]) and model.forecast(3).mean.shape == (3, 1)


# --- bad input ----------------------------------------------------------------------------------------------------------------

COMMON = [VectorAR(2).fit, lambda frame: spillover(frame, 2), lambda frame: rolling_spillover(frame, 2, window=100), select_lags, granger_pairs]


@pytest.mark.parametrize("work", COMMON)
def test_what_cannot_be_used_is_named(work):
    with pytest.raises(MissingValue, match=r"B.*2019-03-12"):
        work(PAST.assign(B=PAST["B"].where(PAST.index != DAYS[50])))
    with pytest.raises(ConstantSeries, match="B: all 220"):
        work(PAST.assign(B=0.001))
    with pytest.raises(BadArgument, match="twice|differently named"):
        work(PAST[["A", "B", "A"]])
    with pytest.raises(BadArgument, match="DataFrame"):
        work(PAST["A"])
    with pytest.raises(BadIndex, match="not in order"):
        work(PAST.iloc[::-1])
    with pytest.raises(TooShort):
        work(PAST.iloc[:8])
    with pytest.raises(MissingValue, match="C"):
        work(PAST.assign(C=PAST["C"].replace(PAST["C"].iloc[9], np.inf)))


@pytest.mark.parametrize("work", [*COMMON[:2], select_lags])
def test_collinear_columns_are_named(work):
    with pytest.raises(NotConverged, match="A, C|column 0, column 2"):
        work(PAST.assign(D=PAST["A"] - 2 * PAST["C"]))


def test_lags_count_rows_so_an_index_needs_no_frequency():
    for index in (PAST.index, pd.DatetimeIndex(PAST.index, freq=None), pd.RangeIndex(T), DAYS + pd.to_timedelta(np.arange(T) // 5, "D")):
        assert np.array_equal(VectorAR(2).fit(PAST.set_axis(index)).params, VectorAR(2).fit(PAST).params)


def test_a_window_that_cannot_be_learnt_falls_back_with_a_note():
    "A column that repeats another for months: the walk goes on with the last good parameters, and says why."
    stuck = PAST.assign(C=np.where(np.arange(T) < 60, PAST["C"], PAST["B"]))
    joint = VectorAR(1, n_scenarios=200)
    notes = said(joint, stuck)["note"]
    assert notes.iloc[0] == "" and "kept" in notes.iloc[-1] and "linear combination" in notes.iloc[-1]


def test_an_explosive_model_is_told_in_the_ledger():
    rng = np.random.default_rng(0)
    boom = PAST.assign(A=0.001 * 1.02 ** np.arange(T) * (1 + 0.001 * rng.normal(size=T)))
    model = VectorAR(1, n_scenarios=200)
    assert not model.clone().fit(boom).stable and "explosive" in model.clone().fit(boom).note
    assert said(model, boom)["note"].str.contains("explosive").any() and "explosive" in model.clone().fit(boom).forecast().note
