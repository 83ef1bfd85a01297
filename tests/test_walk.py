"""The rules of the walk on the S&P 500: blocks, steps, histories, starts and processes give the same bits; what stands in for a filter is told."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from risk_analytics_lib.econometrics.garch import EGARCH, GARCHX
from risk_analytics_lib.econometrics.realized import HAR
from risk_analytics_lib.risk.engines import EWMA, GARCH, BookModel, FilteredHS, HistoricalSimulation, JointFilteredHS, JointHistorical
from risk_analytics_lib.utils.checks import BadArgument, MissingValue, NotConverged
from risk_analytics_lib.utils.datasets import load_sample
from risk_analytics_lib.utils.models import RiskModel
from risk_analytics_lib.utils.returns import prices_to_returns
from risk_analytics_lib.utils.learning import first_rows, link_days, refit_periods
from risk_analytics_lib.utils.walkforward import walk_forward

MODELS = {"HS": HistoricalSimulation(), "EWMA-t": EWMA(dist="t"), "FHS": FilteredHS(), "GARCH-t": GARCH(dist="t"), "GJR-t": GARCH(o=1, dist="t")}
NUMBERS = ["mean", "vol", "value_at_risk", "expected_shortfall", "realised", "pit", "note"]


@pytest.fixture(scope="module")
def spx():
    return prices_to_returns(load_sample().prices["SPX"]).dropna()


def numbers(walk):
    return walk.forecasts.set_index(["model", "series", "level", "as_of"])[NUMBERS]


def scores(walk):
    return walk.law_scores.set_index(["model", "series", "as_of"])[["horizon", "crps", "log_score"]]


def agree(a, b):
    "Ledgers and scores of laws are equal to the bit on the rows both have."
    for one, two in ((numbers(a), numbers(b)), (scores(a), scores(b))):
        shared = one.index.intersection(two.index)
        assert len(shared) == min(len(one), len(two))
        pd.testing.assert_frame_equal(one.loc[shared], two.loc[shared], check_exact=True)


def by_hand(models, returns, n_test, level, window=1000, refit=20):
    "fit, update and forecast, with the windows that the calendar prescribes."
    first = first_rows(refit_periods(returns.index, refit))
    rows = []
    for name, model in models.items():
        fitted = None
        for t in range(len(returns) - n_test, len(returns)):
            if fitted is None or first[t] != begun:
                begun = first[t]
                fitted = model.clone().fit(returns.iloc[begun - window : begun])
                seen = begun
            if t > seen:
                fitted.update(returns.iloc[seen:t])
                seen = t
            law = fitted.forecast()
            rows.append((name, returns.index[t], law.value_at_risk(level)[0], law.expected_shortfall(level)[0]))
    return pd.DataFrame(rows, columns=["model", "target", "value_at_risk", "expected_shortfall"])


def test_chains_seldom_lose_a_top():
    "Warm windows against cold ones on stocks of the sample; those that stand lower are counted, not hidden."
    prices, low, rng = load_sample().prices, [], np.random.default_rng(0)
    for name in prices.columns[:12]:
        y = prices[name].pct_change(fill_method=None).dropna().to_numpy()
        for window in (250, 500, 1000):
            days = link_days(window)
            a = int(rng.integers(0, len(y) - window - days))
            warm, cold = (GARCH(o=1, dist="t")._learn_windows(y[a : a + window + days], None, [(k, k + window) for k in range(days)], chain) for chain in (True, False))
            low += [w["loglik"] < c["loglik"] - 1e-4 for w, c in zip(warm, cold) if isinstance(w, dict) and isinstance(c, dict)]
    assert len(low) > 150 and np.mean(low) < 0.03


def test_update_keeps_drivers_in_step(spx):
    r = spx.iloc[-400:]
    X = pd.DataFrame({"size": r.abs(), "lag": r.shift(1).fillna(0).abs()})
    model = GARCHX().fit(r.iloc[:300], X.iloc[:300])
    for bad in (None, X[["size"]].iloc[300:], X[["lag", "size"]].iloc[300:]):
        with pytest.raises(BadArgument):
            model.update(r.iloc[300:], bad)
        assert len(model.y_) == len(model.X_) == 300
    assert np.isfinite(model.update(r.iloc[300:], X.iloc[300:]).forecast().vol[0])


DAILY = {"FHS": FilteredHS(), "GJR-t": GARCH(o=1, dist="t"), "EGARCH": EGARCH()}


def test_daily_refits_to_the_bit(spx):
    "Chains of warm starts: steps, later starts, shorter histories and processes give the same bits, and cold fits the same risk."
    settings = dict(levels=0.99, refit=1)
    walk = walk_forward(DAILY, spx, n_test=45, **settings)
    agree(walk, walk_forward(DAILY, spx, n_test=9, block=False, **settings))
    agree(walk, walk_forward(DAILY, spx.iloc[-1066:], n_test=45, **settings))
    agree(walk, walk_forward(DAILY, spx, n_test=23, **settings))
    agree(walk, walk_forward(DAILY, spx, n_test=45, n_jobs=2, **settings))
    for name in ("GJR-t", "EGARCH"):
        said = walk.forecasts.loc[walk.forecasts["model"] == name, "value_at_risk"]
        cold = [DAILY[name].clone().fit(spx.iloc[t - 1000 : t]).forecast().value_at_risk(0.99)[0] for t in range(len(spx) - 45, len(spx))]
        assert np.abs(said / cold - 1).max() < 1e-4


def check_all(returns, n_test):
    walk = walk_forward(MODELS, returns, n_test=n_test, levels=0.99)
    agree(walk, walk_forward(MODELS, returns, n_test=n_test, levels=0.99, block=False))
    agree(walk, walk_forward(MODELS, returns.iloc[-(n_test + 1060) :], n_test=n_test, levels=0.99))
    agree(walk, walk_forward(MODELS, returns, n_test=n_test // 3 + 7, levels=0.99))
    agree(walk, walk_forward(MODELS, returns, n_test=n_test, levels=0.99, n_jobs=2))
    hand = by_hand(MODELS, returns, n_test, 0.99)
    both = hand.merge(walk.forecasts, on=["model", "target"], suffixes=("_hand", ""))
    assert len(both) == 5 * n_test
    for column in ("value_at_risk", "expected_shortfall"):
        assert (both[f"{column}_hand"] == both[column]).all()
    return walk


def test_a_year_to_the_bit(spx):
    check_all(spx, 250)


@pytest.mark.slow
def test_ten_years_to_the_bit(spx):
    walk = check_all(spx, 2500)
    hits = walk.forecasts.assign(hit=lambda f: -f["realised"] > f["value_at_risk"]).groupby("model")["hit"].sum()
    assert hits["FHS"] < hits["HS"] < 80


@pytest.mark.parametrize("joint", [JointHistorical(), JointFilteredHS(EWMA()), JointFilteredHS()], ids=["hs", "fhs-ewma", "fhs"])
def test_books_block_equals_step(joint):
    returns = prices_to_returns(load_sample().prices[["AAPL", "JPM", "EUR", "XOM"]].loc["2018":]).dropna()
    rng = np.random.default_rng(0)
    dated = pd.DataFrame(1e6 * rng.normal(1, 1, (40, 4)), returns.index[::25][:40], returns.columns)
    book = BookModel(joint, dated, fx={"XOM": "EUR"})
    settings = dict(n_test=90, window=400, levels=(0.975, 0.99))
    agree(walk_forward(book, returns, **settings), walk_forward(book, returns, block=False, **settings))
    ahead = dated.copy()
    ahead.iloc[-1] *= 5
    late = returns.index > dated.index[-1]
    changed = walk_forward(BookModel(joint, ahead, fx={"XOM": "EUR"}), returns, **settings)
    before = numbers(changed).index.get_level_values("as_of") < dated.index[-1]
    assert late.any() and numbers(changed)[before][NUMBERS[:4]].equals(numbers(walk_forward(book, returns, **settings))[before][NUMBERS[:4]])


def test_ten_days_block_equals_step(spx):
    settings = dict(n_test=60, horizon=10, levels=0.975, window=500)
    models = {"EWMA": EWMA(), "GJR-t": GARCH(o=1, dist="t"), "FHS": FilteredHS(), "HS": HistoricalSimulation()}
    agree(walk_forward(models, spx, **settings), walk_forward(models, spx, block=False, **settings))


# --- what stands in for a filter is told ----------------------------------------------------------------------------------------

DAYS = pd.bdate_range("2019-01-01", periods=260)
CALM = pd.DataFrame(0.01 * np.random.default_rng(4).standard_normal((260, 3)), DAYS, list("ABC"))
STALE = CALM.assign(B=CALM["B"].where((np.arange(260) < 20) | (np.arange(260) > 95), 0.0))
EXPOSURES = pd.Series({"A": 100.0, "B": -40.0, "C": 70.0})
SMALL = dict(n_test=115, window=120, levels=0.99)


class Moody(GARCH):
    "Cannot be learnt where the window ends in a loss of more than half a per cent."

    def _learn(self, y, X=None, warm=None):
        if y[-1] < -0.005:
            raise NotConverged("a mood")
        return super()._learn(y, X)


class Fragile(JointHistorical):
    "Nothing can be learnt where the first asset ends in a loss; else the second asset has something to say."

    def _learn(self, Y):
        if Y[-1, 0] < 0:
            raise NotConverged("planted")
        return super()._learn(Y)

    def _notes(self, learnt):
        return [(1, "said of B")]


@pytest.mark.parametrize("horizon", [1, 5])
def test_an_asset_without_a_filter_is_named_in_every_row(horizon):
    why = "B: GARCH fell back to EWMA: "
    book = BookModel(JointFilteredHS(), EXPOSURES)
    settings = dict(SMALL, horizon=horizon, overlap=True)
    block, step = (walk_forward(book, STALE, block=how, **settings) for how in (True, False))
    agree(block, step)
    note = block.forecasts["note"]
    assert note.iloc[0].startswith(why) and note.iloc[-1] == "" and set(note.str[:3]) == {"B: ", ""}
    fitted = BookModel(JointFilteredHS(), EXPOSURES).fit(STALE.iloc[:140])
    assert fitted.note.startswith(why) and fitted.forecast(horizon, aggregate=True).note == fitted.note
    joint = JointFilteredHS().fit(STALE.iloc[:140])
    assert joint.note == fitted.note and list(joint.notes) == ["B"]
    assert np.isfinite(joint.scenarios(horizon, n=500)).all() and np.isfinite(fitted.simulate(horizon, 500)).all()


@pytest.mark.parametrize("horizon", [1, 5])
def test_moods_are_told_by_asset_and_day(horizon):
    settings = dict(SMALL, horizon=horizon, overlap=True)
    block, step = (walk_forward(BookModel(JointFilteredHS(Moody()), EXPOSURES), CALM, block=how, **settings) for how in (True, False))
    agree(block, step)
    first = first_rows(refit_periods(DAYS, 20))
    for day, note in zip(block.forecasts["as_of"], block.forecasts["note"]):
        window_end = CALM.iloc[first[DAYS.get_loc(day) + 1] - 1]
        assert note == "; ".join(f"{a}: Moody fell back to EWMA: a mood" for a in CALM if window_end[a] < -0.005)


@pytest.mark.parametrize("horizon", [1, 5])
def test_parameters_kept_do_not_hide_what_they_said(horizon):
    settings = dict(SMALL, horizon=horizon, overlap=True)
    block, step = (walk_forward(BookModel(Fragile(), EXPOSURES), CALM, block=how, **settings) for how in (True, False))
    agree(block, step)
    notes = set(block.forecasts["note"])
    assert any(note.startswith("parameters of ") and note.endswith(" kept: planted; B: said of B") for note in notes)
    assert any("BookModel fell back to EWMA: planted" in note for note in notes) or "B: said of B" in notes


class Talks(GARCH):
    "Has something to say of every fit."

    def _note_of(self, learnt):
        return f"alpha {learnt['params'][2]:.3f}"


@pytest.mark.parametrize("refit", [1, 20])
def test_what_a_fit_says_is_in_the_ledger(refit):
    for model in (Talks(), FilteredHS(Talks())):
        block, step = (walk_forward(model, CALM["A"], block=how, refit=refit, **SMALL | {"n_test": 30}) for how in (True, False))
        agree(block, step)
        assert block.forecasts["note"].str.startswith("alpha 0.").all()


def test_ledger_and_forecast_say_the_same_of_five_days():
    ledger = walk_forward(HistoricalSimulation(), CALM["A"], horizon=5, **SMALL).forecasts
    assert set(ledger["note"]) == {HistoricalSimulation().fit(CALM["A"]).forecast(5, aggregate=True).note} == {"tomorrow's law repeated each day"}


@pytest.mark.parametrize("joint", [JointFilteredHS(), JointFilteredHS(EWMA())], ids=["gjr", "ewma"])
def test_the_first_move_after_a_standstill_is_not_dealt_out_again(joint):
    "Exponential weights forget within a standstill; the scenarios of an asset that moves by one per cent must not lose its worth a thousand times over."
    for days in (160, 180, 230):
        still = CALM.assign(B=CALM["B"].where(np.arange(260) >= days, 0.0))
        model = joint.clone().fit(still)
        assert "B: " in model.note and "a constant volatility stands in" in model.note
        assert np.abs(model.scenarios()).max() < 0.1 and np.abs(model.scenarios(5, n=1000)).max() < 0.2


def test_a_filter_that_converged_on_a_standstill_is_not_believed():
    "Fifty days still, too few to refuse the fit: residuals of thousands of deviations would be the tail of every day."
    still = CALM["B"].where((np.arange(260) < 20) | (np.arange(260) > 75), 0.0)
    for settings in (SMALL, SMALL | {"refit": 1, "n_test": 30}, SMALL | {"horizon": 5}):
        block, step = (walk_forward(FilteredHS(), still, block=how, **settings).forecasts for how in (True, False))
        pd.testing.assert_frame_equal(block, step, check_exact=True)
        assert (block["expected_shortfall"] < 0.2).all()
    assert block["note"].str.contains("after days without movement").any()


# --- doors ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_bad_driver_is_named_by_column_and_day(value):
    y, X = CALM["A"], pd.DataFrame({"size": CALM["A"].abs(), "other": CALM["B"].abs()})
    bad = X.copy()
    bad.iloc[150, 1] = value
    place = f"{value} on {DAYS[150]:%Y-%m-%d}"
    words = f"^other: {place}, no number in row .* choose a window without gaps or clean first, nothing is filled in silence"
    for model, said in ((EWMA(), words), (GARCHX(), f"other.* {place}"), (HAR(), words)):  # HAR looks at its first column only, and the door at all
        for run in (lambda: walk_forward(model, y, X=bad, **SMALL), lambda: walk_forward(model, y, X=bad, block=False, **SMALL), lambda: model.clone().fit(y, bad)):
            with pytest.raises(MissingValue, match=said):
                run()
    model = GARCHX().fit(y.iloc[:140], X.iloc[:140])
    with pytest.raises(MissingValue, match=f"other.* {place}"):
        model.update(y.iloc[140:], bad.iloc[140:])
    assert len(model.y_) == len(model.X_) == 140
    late = X.copy()
    late.iloc[-1, 1] = value  # the driver of the last target's own day, which nobody knows on the evening before
    agree(walk_forward(GARCHX(), y, X=late, **SMALL), walk_forward(GARCHX(), y, X=X, **SMALL))


def test_drivers_that_are_no_table_of_numbers():
    y, X = CALM["A"], CALM[["B"]].abs()
    for bad, words in ((X["B"], "one column a driver, got Series"), (X.to_numpy(), "got ndarray"), (pd.concat([X, X], axis=1), "the column B twice"),
                       (X.assign(text="x"), "text: a driver of type")):
        for run in (lambda: EWMA().fit(y, bad), lambda: walk_forward(GARCHX(), y, X=bad, **SMALL)):
            with pytest.raises(BadArgument, match=words):
                run()


def test_a_series_without_a_name_is_called_returns():
    y = CALM["A"].rename(None)
    assert set(walk_forward(EWMA(), y, **SMALL).forecasts["series"]) == {"returns"}
    assert set(walk_forward(EWMA(), CALM["A"], **SMALL).forecasts["series"]) == {"A"}
    assert EWMA().fit(y).name_ == "returns" and y.name is None
    holed = y.mask(y.index == DAYS[200])
    for run in (lambda: walk_forward(EWMA(), holed, **SMALL), lambda: EWMA().fit(holed), lambda: EWMA().fit(y.iloc[:100]).update(holed.iloc[100:])):
        with pytest.raises(MissingValue, match="^returns: n"):
            run()


# --- storage and machine code -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("joint", [JointHistorical(), JointFilteredHS(), JointFilteredHS(EWMA(dist="t"))], ids=["hs", "fhs", "fhs-ewma"])
def test_a_stored_book_forecasts_the_same_bits(joint):
    dated = pd.DataFrame({"A": [100.0, 50.0, 7.0], "B": [-40.0, 0.0, 3.0]}, DAYS[[0, 100, 200]])
    for returns in (CALM, STALE):
        book = BookModel(joint, dated, fx={"B": "C"}, name="desk").fit(returns.iloc[:140])
        text = json.dumps(book._to_artifact())
        book.update(*(part.iloc[140:] for part in book.book_inputs(returns)))
        again = RiskModel._from_artifact(json.loads(text))._resume(returns)
        assert again.name_ == "desk" and again.note == book.note and json.dumps(again._to_artifact()) == text
        for horizon in (1, 5):
            one, two = (m.forecast(horizon, aggregate=True, n=400) for m in (book, again))
            assert np.array_equal(one.x, two.x) and one.note == two.note


def test_old_machine_code_is_cleared_away_and_a_loser_goes_on(tmp_path):
    "A process whose folder is removed under it compiles again; the folder of kernels unchanged is looked at and nothing else."
    for age, stamp in enumerate("bcdef"):
        (tmp_path / f"kernels-{stamp * 12}").mkdir()
        os.utime(tmp_path / f"kernels-{stamp * 12}", (1e9 - age, 1e9 - age))
    (tmp_path / "kernels-of-others").mkdir()
    code = (
        "import os, shutil\nfrom risk_analytics_lib.utils.kernels import kernel_folder\nfrom risk_analytics_lib.econometrics import dcc_recursions as d\n"
        "import numpy as np\nz = np.ones((2, 5))\nd.corrected_shocks(z, 0.1, 0.8)\nshutil.rmtree(kernel_folder())\n"
        "d.second_moments(z.T.copy(), z.T.copy(), True)\nprint(sorted(os.listdir(os.environ['NUMBA_CACHE_DIR'])))"
    )
    run = lambda: subprocess.run([sys.executable, "-c", code], env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}, capture_output=True, text=True)
    first = run()
    assert first.returncode == 0, first.stderr
    kept = {p.name for p in tmp_path.iterdir()}
    assert {"kernels-" + "b" * 12, "kernels-" + "c" * 12, "kernels-of-others"} < kept and len(kept) == 4
    (tmp_path / f"kernels-{'d' * 12}").mkdir()
    assert run().returncode == 0 and (tmp_path / f"kernels-{'d' * 12}").exists()
