"""Models of covariances: nothing of the future in what is said, known parameters found again, matrices that stay matrices, and bad input."""

import json

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics import dcc_estimation
from risk_analytics_lib.econometrics.dcc import DCC, EWMACovariance, ShrunkCovariance, score_covariances
from risk_analytics_lib.econometrics.dcc_model import correlation_path
from risk_analytics_lib.econometrics.dcc_recursions import simulate_shocks
from risk_analytics_lib.econometrics.garch import GARCH
from risk_analytics_lib.utils.checks import BadArgument, BadScale, ConstantSeries, MissingValue, NotConverged, TooShort, decimal
from risk_analytics_lib.utils.distributions import LocationScale
from risk_analytics_lib.utils.joint import BookModel, JointModel
from risk_analytics_lib.utils.models import EWMA, RiskModel
from risk_analytics_lib.utils.walkforward import walk_forward

T, N, WINDOW, REFIT = 240, 3, 120, 20
SAID = ["mean", "vol", "value_at_risk", "expected_shortfall", "note"]
DAYS = pd.bdate_range("2019-01-01", periods=T)
MODELS = {
    "dcc": DCC(filter=EWMA(), n_scenarios=200),
    "adcc-t": DCC("t", "adcc", filter=EWMA(), n_scenarios=200),
    "cdcc-composite": DCC(variant="cdcc", estimator="composite", filter=EWMA(), n_scenarios=200),
    "dcc-garch": DCC(filter=GARCH(), n_scenarios=200),
    "ewma": EWMACovariance(n_scenarios=200),
    "ledoit-wolf": ShrunkCovariance(n_scenarios=200),
}


def simulated(rows, assets, a, b, seed, vol=0.01, corrected=False):
    "Returns with DCC correlations about 0.4 and GARCH volatilities."
    rng = np.random.default_rng(seed)
    S = 0.4 + 0.6 * np.eye(assets)
    z = simulate_shocks(S, (1 - a - b) * S, a, b, 0.0, rng.normal(size=(1, rows, assets)), corrected, True)[0]
    var, out = np.full(assets, vol**2), np.empty_like(z)
    for t, shock in enumerate(z):
        out[t] = np.sqrt(var) * shock
        var = 0.03 * vol**2 + 0.07 * out[t] ** 2 + 0.90 * var
    return out


PAST = pd.DataFrame(simulated(T, N, 0.08, 0.85, 1), DAYS, list("ABC"))
PAST.iloc[[70, 155, 200]] -= [0.08, 0.10, 0.02]
OTHER = pd.DataFrame(3 * simulated(T, N, 0.01, 0.97, 2) + 0.01, DAYS, list("ABC"))
EXPOSURES = pd.Series({"A": 100.0, "B": -40.0, "C": 70.0})


def said(model, returns, block=True, horizon=1):
    n_test = len(returns) - WINDOW - REFIT - 2
    settings = dict(n_test=n_test, window=WINDOW, refit=REFIT, levels=0.99, block=block, horizon=horizon, overlap=horizon > 1)
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


EVERY = range(WINDOW + REFIT + 2, T)


@pytest.mark.parametrize("name", MODELS)
def test_nothing_of_the_future_at_any_row(name):
    assert leak(MODELS[name], EVERY) is None


@pytest.mark.parametrize("name", MODELS)
def test_rows_added_later_and_rows_long_gone_change_nothing(name):
    "A history that ends on any day, and one whose rows before the first window were others."
    base = said(MODELS[name], PAST)
    for t in EVERY[1:]:
        short = said(MODELS[name], PAST.iloc[:t])
        assert len(short) == t - WINDOW - REFIT - 2 and base.loc[short.index].equals(short)
    older = PAST.set_axis(PAST.index - (PAST.index[-1] - PAST.index[0]) - pd.Timedelta("7D"))
    assert said(MODELS[name], pd.concat([older, PAST])).loc[base.index].equals(base)
    learnt = [MODELS[name].clone().fit(PAST.iloc[:WINDOW]).update(more.iloc[WINDOW:]).learnt_ for more in (PAST, OTHER)]
    assert all(np.array_equal(learnt[0][k], learnt[1][k]) for k in learnt[0] if k != "filters")


def test_the_order_of_assets_changes_no_risk():
    "Columns swapped, exposures with them: the same parameters and covariances but for rounding; assets are never mixed up."
    one, two = (DCC("t").fit(PAST[list(names)]) for names in ("ABC", "CAB"))
    assert np.allclose(one.params, two.params, rtol=1e-3)
    back = [list("CAB").index(name) for name in "ABC"]
    assert np.allclose(one.forecast(3).covariance, two.forecast(3).covariance[:, back][:, :, back], rtol=1e-3)


@pytest.mark.parametrize("name", MODELS)
def test_block_equals_step(name):
    assert said(MODELS[name], PAST).equals(said(MODELS[name], PAST, block=False))


class PeeksToday(DCC):
    "The correlation of day t knows day t."

    def _path(self, z, start):
        ahead = np.concatenate([z[1:], z[-1:]])
        return super()._path(ahead, start)


class FiltersToday(RiskModel):
    "The volatility of day t knows day t."

    def _learn(self, y, X=None, warm=None):
        return {"start": float(np.var(y))}

    def _condition(self, y, X, start, stop):
        model = EWMA()
        model.learnt_ = self.learnt_
        law = model._condition(np.append(y, y[-1]), X, start + 1, stop + 1)
        return LocationScale(law.mean, law.vol)


class RetargetsDaily(DCC):
    "The correlation everything reverts to is that of all rows it was handed."

    def _path(self, z, start):
        kept = self.learnt_
        self.learnt_ = kept | {"target": dcc_estimation.correlation_targets(z)[0]}
        try:
            return super()._path(z, start)
        finally:
            self.learnt_ = kept


class KnowsTheBlock(DCC):
    "Correlations begin at those of all rows it was handed."

    def _moments(self, Y, start, stop):
        mean, covariance = super()._moments(Y, start, stop)
        return mean, covariance * (1 + np.abs(Y[start:]).mean() if len(Y) > start else 1.0)


@pytest.mark.parametrize("mutant", [PeeksToday(filter=EWMA()), KnowsTheBlock(filter=EWMA()), RetargetsDaily(filter=EWMA()), DCC(filter=FiltersToday())])
def test_a_planted_leak_is_caught(mutant):
    assert leak(mutant.set_params(n_scenarios=200), EVERY) is not None


def test_block_against_step_catches_a_block_that_looks_ahead():
    model = KnowsTheBlock(filter=EWMA(), n_scenarios=200)
    assert not said(model, PAST).equals(said(model, PAST, block=False))


@pytest.mark.parametrize("name", MODELS)
def test_covariances_do_not_know_their_own_day(name):
    "Row t of the path, whatever comes on day t and after."
    model = MODELS[name]
    base = model.clone().fit(PAST.iloc[:WINDOW]).update(PAST.iloc[WINDOW:]).covariances
    for t in range(WINDOW, T):
        ahead = pd.concat([PAST.iloc[:t], OTHER.iloc[t:]])
        now = model.clone().fit(ahead.iloc[:WINDOW]).update(ahead.iloc[WINDOW:]).covariances
        assert np.array_equal(base[: t + 1], now[: t + 1])


def test_scores_do_not_know_the_future():
    models = {"dcc": MODELS["dcc"], "ewma": MODELS["ewma"]}
    settings = dict(n_test=80, window=WINDOW, refit=REFIT)
    base = score_covariances(models, PAST, **settings)
    for t in (170, 200, 230):
        now = score_covariances(models, pd.concat([PAST.iloc[:t], OTHER.iloc[t:]]), **settings)
        assert base[base.index < DAYS[t]].equals(now[now.index < DAYS[t]])


# --- known parameters ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant, estimator", [("dcc", "full"), ("dcc", "composite"), ("cdcc", "full")])
def test_recovery_through_estimated_volatilities(variant, estimator):
    "Four samples of 3,000 days: estimates within three of their own standard errors of the truth."
    for seed in range(4):
        returns = pd.DataFrame(simulated(3000, 4, 0.04, 0.93, seed, corrected=variant == "cdcc"), columns=list("ABCD"))
        model = DCC(variant=variant, estimator=estimator).fit(returns)
        assert (np.abs(model.params - [0.04, 0.93]) < 3.2 * model.robust_std_errors + 0.002).all()


def test_no_start_finds_a_higher_likelihood():
    "From nine other starts the search climbs no higher than from its own."
    for seed in range(3):
        z = simulated(700, 5, 0.03, 0.9, seed, vol=1.0)
        z /= z.std(0)
        for composite in (False, True):
            sample = dcc_estimation.CorrelationSample(z, composite=composite)
            top = dcc_estimation.maximise_correlation(z, composite=composite)[1]
            for a, b in [(a, (1 - a) * s) for a in (0.003, 0.03, 0.15) for s in (0.3, 0.8, 0.97)]:
                try:
                    other = dcc_estimation._climb(sample, np.array([a, b]), 0.0)[1]
                except NotConverged:
                    continue
                assert other <= top + 1e-3


def test_same_input_same_bits():
    model = DCC("t", "adcc")
    one, two = model.clone().fit(PAST), model.clone().fit(PAST)
    assert one.params.equals(two.params) and np.array_equal(one.scenarios(), two.scenarios())
    assert np.array_equal(one.scenarios(5, n=300, random_state=3), two.scenarios(5, n=300, random_state=3))
    assert not np.array_equal(one.scenarios(5, n=300, random_state=3), two.scenarios(5, n=300, random_state=4))


# --- matrices -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["dcc", "adcc", "cdcc"])
def test_every_matrix_is_a_correlation(variant):
    "Also on the edge of the parameters, after moves of fifteen standard deviations."
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 6)) @ np.linalg.cholesky(0.5 + 0.5 * np.eye(6)).T
    z[200], z[201] = 15.0, -15.0 * np.sign(rng.normal(size=6))
    for a, b in ((0.3, 0.699), (0.001, 0.998), (0.9, 0.05)):
        S, down = dcc_estimation.correlation_targets(z, variant, a, b)
        g = 0.999 * (1 - a - b) / dcc_estimation.asymmetry_limit(S, down) if variant == "adcc" else 0.0
        R, Q = correlation_path(z, S, down, [a, b, g], variant)
        assert np.array_equal(R, R.transpose(0, 2, 1)) and (np.einsum("tii->ti", R) == 1).all()
        assert np.linalg.eigvalsh(R).min() > -1e-12 and np.abs(R).max() <= 1 + 1e-12 and np.linalg.eigvalsh(Q).min() > -1e-12


@pytest.mark.parametrize("variant", ["dcc", "adcc", "cdcc"])
def test_thirty_assets_two_of_them_the_same(variant):
    "No density, by full or composite likelihood: constant correlations and the two columns by number; matrices stay finite and semi-definite."
    r = simulated(400, 30, 0.02, 0.95, 5)
    r[:, 17] = r[:, 3]
    wide = pd.DataFrame(r, pd.bdate_range("2019-01-01", periods=400), [f"S{i}" for i in range(30)])
    model = DCC(variant=variant, estimator="composite", filter=EWMA(), n_scenarios=200).fit(wide)
    assert "columns 3 and 17" in model.note and "columns 3 and 17" in model.forecast(5).note
    for C in (model.covariances, model.forecast(5).covariance):
        assert np.isfinite(C).all() and np.linalg.eigvalsh(C / C[:, :1, :1]).min() > -1e-9
    draws = model.scenarios(5, n=100)
    assert np.isfinite(draws).all() and np.allclose(draws[:, :, 3], draws[:, :, 17], rtol=0, atol=1e-12)
    with pytest.raises(NotConverged, match="columns 3 and 17"):
        _ = model.params


@pytest.mark.parametrize("noise", [1e-3, 1e-6, 1e-9])
def test_thirty_assets_two_of_them_nearly_the_same(noise):
    r = simulated(400, 30, 0.02, 0.95, 5)
    r[:, 4] = r[:, 3] + noise * r[:, 4]
    r[:, 9] = (r[:, 7] + r[:, 8]) / 2
    wide = pd.DataFrame(r, pd.bdate_range("2019-01-01", periods=400), [f"S{i}" for i in range(30)])
    for model in (DCC(estimator="composite", filter=EWMA(), n_scenarios=200), DCC(filter=EWMA(), n_scenarios=200)):
        model.fit(wide)
        C = model.covariances
        assert np.isfinite(C).all() and np.linalg.eigvalsh(C / C[:, :1, :1]).min() > -1e-9 and np.isfinite(model.scenarios(3, n=100)).all()


def test_forecasts_are_covariances_and_go_home():
    model = DCC(variant="adcc").fit(PAST)
    ahead = model.forecast(250)
    assert np.linalg.eigvalsh(ahead.covariance).min() > 0
    gap = np.abs(ahead.correlation - model.learnt_["target"]).max((1, 2))
    assert gap[-1] < 0.25 * gap[0] + 0.02


class Still(RiskModel):
    "One per cent a day, known."

    def _learn(self, y, X=None, warm=None):
        return {}

    def _condition(self, y, X, start, stop):
        return LocationScale(np.zeros(stop - start), np.full(stop - start, 0.01))


@pytest.mark.parametrize("variant, params", [("dcc", [0.08, 0.88]), ("adcc", [0.03, 0.86, 0.05]), ("cdcc", [0.08, 0.88])])
def test_forecast_of_correlations_against_simulation(variant, params):
    "The recursion fed with expectations, after two falls of everything, against forty thousand paths of the same model."
    model = DCC(variant=variant, filter=Still(), n_scenarios=40_000).fit(PAST.iloc[:200])
    model.learnt_["params"] = np.array(params)
    model.update(pd.DataFrame(-0.03, DAYS[200:202], PAST.columns))
    ahead, draws = model.forecast(15).correlation, model.scenarios(15, n=40_000)
    pairs = np.tril_indices(N, -1)
    assert ahead[0][pairs].mean() > model.learnt_["target"][pairs].mean() + 0.15
    for k, room in ((0, 0.02), (4, 0.025), (14, 0.035)):
        assert np.abs((draws[:, k, pairs[0]] * draws[:, k, pairs[1]]).mean(0) * 1e4 - ahead[k][pairs]).max() < room


# --- bad input ----------------------------------------------------------------------------------------------------------------


def test_a_crash_and_other_units():
    "A day of -37 % and returns in odd units: finite answers, and correlation parameters that do not depend on the unit."
    crash = PAST.copy()
    crash.iloc[100] = -0.37
    base = DCC().fit(crash)
    assert np.isfinite(base.scenarios()).all() and np.isfinite(base.loglik) and np.isfinite(base.forecast(5).covariance).all()
    for c in (1e-6, 1e3):
        model = DCC().fit(decimal(c * crash))
        assert np.allclose(model.params, base.params, rtol=0, atol=2e-4)
        assert np.allclose(model.loglik, base.loglik - crash.size * np.log(c), rtol=0, atol=1e-2)
        assert np.allclose(model.forecast().covariance, c**2 * base.forecast().covariance, rtol=1e-2)


def test_what_cannot_be_used_is_named():
    for model in (DCC(), EWMACovariance(), ShrunkCovariance()):
        with pytest.raises(TooShort, match="20 returns given"):
            model.clone().fit(PAST.iloc[:20])
        with pytest.raises(ConstantSeries, match="B: all"):
            model.clone().fit(PAST.assign(B=0.001))
        with pytest.raises(BadScale, match="percent"):
            model.clone().fit(100 * PAST)
        with pytest.raises(MissingValue, match="B has 1 gap.*would keep 239 of 240"):
            model.clone().fit(PAST.assign(B=PAST["B"].where(PAST.index != DAYS[50])))
        with pytest.raises(MissingValue, match="D has no return at all; E starts on 2019-04-09"):
            model.clone().fit(PAST.assign(D=np.nan, E=PAST["A"].iloc[70:]))
        with pytest.raises(MissingValue, match="F ends on"):
            model.clone().fit(PAST.assign(F=PAST["A"].iloc[:200]))
        with pytest.raises(MissingValue, match="B: no return on"):
            model.clone().fit(PAST.iloc[:200]).update(PAST.assign(B=np.nan).iloc[200:])
        with pytest.raises(BadArgument, match="n_scenarios=11"):
            model.clone().set_params(n_scenarios=11).fit(PAST).scenarios()
        with pytest.raises(BadArgument, match="pass a DataFrame"):
            model.clone().fit(PAST["A"])


def test_more_assets_than_days_hold_correlations_constant():
    wide = pd.DataFrame(simulated(110, 120, 0.02, 0.95, 0))
    model = DCC(filter=EWMA(), n_scenarios=480).fit(wide)
    assert "120 assets are singular" in model.notes[0]
    with pytest.raises(NotConverged, match="held constant"):
        _ = model.loglik
    assert np.isfinite(model.scenarios()).all()
    pairs = DCC(estimator="composite", filter=EWMA(), n_scenarios=480).fit(wide)
    assert pairs.notes == [] and np.isfinite(pairs.scenarios()).all()


def test_a_search_that_fails_is_told(monkeypatch):
    def fails(*args, **kwargs):
        raise NotConverged("the correlation likelihood has no maximum that could be found (planted)")

    monkeypatch.setattr(dcc_estimation, "maximise_correlation", fails)
    model = DCC("t").fit(PAST)
    R = model.correlations
    assert (R == R[0]).all() and "planted" in model.notes[0]
    assert (said(MODELS["dcc"], PAST)["note"].str.contains("held constant")).all()


# --- stand-ins are told, everywhere -------------------------------------------------------------------------------------------


STALE = PAST.assign(B=PAST["B"].where((np.arange(T) < 20) | (np.arange(T) > 95), 0.0))  # windows that hold most of it cannot be learnt
WHY = "B: GARCH fell back to EWMA: "


@pytest.mark.parametrize("horizon", [1, 5])
def test_a_filter_that_fails_is_in_every_note(horizon):
    joint = DCC(n_scenarios=200)
    model = joint.clone().fit(STALE.iloc[:WINDOW])
    assert model.note.startswith(WHY) and model.forecast(horizon).note.startswith(WHY) and np.isfinite(model.scenarios(horizon, n=50)).all()
    book = BookModel(joint, EXPOSURES).fit(STALE.iloc[:WINDOW])
    assert book.note.startswith(WHY) and book.forecast(horizon, aggregate=True).note == book.note and book.simulate(horizon, 20).shape == (20, horizon)
    block, step = (said(joint, STALE, how, horizon)["note"] for how in (True, False))
    assert block.equals(step)
    assert block.iloc[0].startswith(WHY) and block.iloc[-1] == ""
    assert said(joint, STALE, horizon=horizon).equals(said(joint, STALE, False, horizon))


@pytest.mark.parametrize("horizon", [1, 5])
def test_constant_correlations_are_told_of_no_asset_but_all(monkeypatch, horizon):
    def fails(*args, **kwargs):
        raise NotConverged("planted")

    monkeypatch.setattr(dcc_estimation, "maximise_correlation", fails)
    words = "correlations of all assets are held constant: planted"
    assert (said(MODELS["dcc"], PAST, horizon=horizon)["note"] == words).all()
    assert DCC().fit(PAST).forecast(horizon).note.startswith(words)


def test_a_day_that_a_filter_doubts_is_told():
    "What a filter says of single days reaches the ledger with the asset's name, that day only; `scenarios` have it in `note`."

    class Doubts(EWMA):
        def _condition(self, y, X, start, stop):
            law = super()._condition(y, X, start, stop)
            return law.labelled(note=np.where(y[start - 1 : stop - 1] < -0.06, "doubt", "") if start else "")

    joint = DCC(filter=Doubts(), n_scenarios=200)
    for horizon in (1, 5):
        block = said(joint, PAST, horizon=horizon)
        assert block.equals(said(joint, PAST, False, horizon))
        doubted = np.flatnonzero(block["note"] != "") + WINDOW + REFIT + 2
        assert doubted.tolist() == [156, 201] and set(block["note"]) == {"A: doubt; B: doubt", ""}  # the evenings of the falls of rows 155 and 200
    model = joint.clone().fit(PAST.iloc[:WINDOW]).update(PAST.iloc[WINDOW:156])
    assert model.note == "A: doubt; B: doubt" and model.forecast(2).note.startswith(model.note)
    assert model.update(PAST.iloc[156:157]).note == ""


def test_an_asset_that_is_not_there_is_named():
    with pytest.raises(BadArgument, match="no returns for C"):
        said(MODELS["dcc"], PAST[["A", "B"]])
    with pytest.raises(MissingValue, match=f"C: nan on {DAYS[130]:%Y-%m-%d}"):
        said(MODELS["dcc"], PAST.assign(C=PAST["C"].mask(PAST.index == DAYS[130])))


@pytest.mark.parametrize("name", MODELS)
def test_stored_and_read_back(name):
    "Through JSON text: the same bits for one day and several, notes included, and after rows that came later."
    for joint, returns in ((MODELS[name], PAST), (DCC(n_scenarios=200), STALE)):
        model = joint.clone().fit(returns.iloc[:WINDOW])
        again = JointModel._from_artifact(json.loads(json.dumps(model._to_artifact())))._resume(returns)
        model.update(returns.iloc[WINDOW:])
        assert np.array_equal(model.scenarios(), again.scenarios()) and np.array_equal(model.scenarios(4, n=60), again.scenarios(4, n=60))
        assert np.array_equal(model.forecast(4).covariance, again.forecast(4).covariance) and again.note == model.note
