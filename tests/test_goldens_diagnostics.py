"""Published diagnostics, statsmodels' and arch's figures on the same series, and bad input."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from risk_analytics_lib.econometrics.garch_diagnostics import arch_lm, diagnose, jarque_bera, ljung_box, nyblom, sign_bias
from risk_analytics_lib.utils.checks import BadArgument, ConstantSeries, MissingValue, RiskError, TooShort

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden" / "data"
SERIES_TESTS = [ljung_box, arch_lm, jarque_bera, sign_bias]


@pytest.fixture(scope="module")
def dem2gbp():
    "German mark against sterling, daily returns in percent, 1984-1991 (fGarch's dem2gbp)."
    path = GOLDEN / "dem2gbp.csv"
    if not path.is_file():
        pytest.skip("the golden input dem2gbp.csv is not beside this checkout")
    return pd.read_csv(path).iloc[:, -1]


def test_mark_against_sterling(dem2gbp):
    "G15: R's tseries and stats."
    assert np.isclose(jarque_bera(dem2gbp).statistic, 1102.882, rtol=1e-5)
    assert np.allclose([ljung_box(dem2gbp, 10).statistic, ljung_box(dem2gbp, 10).pvalue], [6.974702, 0.727831], rtol=1e-5)
    assert np.isclose(ljung_box(dem2gbp**2, 10).statistic, 396.2227, rtol=1e-5)
    assert np.isclose(arch_lm(dem2gbp, 12).statistic, 193.017976, rtol=1e-5)


def test_arch_package_agrees(dem2gbp):
    "The same tests on standardised residuals, as arch reports them."
    from arch import arch_model
    from statsmodels.stats.diagnostic import acorr_ljungbox

    fit = arch_model(dem2gbp).fit(disp="off")
    peer = fit.arch_lm_test(lags=12, standardized=True)
    ours = arch_lm(fit.std_resid, 12, centre=False)
    assert np.isclose(ours.statistic, peer.stat * (len(dem2gbp) - 12) / len(dem2gbp), rtol=1e-9)  # arch multiplies R-squared by n, not by the rows used
    assert np.isclose(ljung_box(fit.std_resid**2, 15).statistic, acorr_ljungbox(fit.std_resid**2, lags=[15])["lb_stat"].iloc[0], rtol=1e-9)
    assert np.isclose(jarque_bera(fit.std_resid).statistic, stats.jarque_bera(fit.std_resid).statistic, rtol=1e-9)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_stability_pvalues_are_uniform(k):
    "Under the null the p-value of k parameters is uniform: six hundred samples of independent scores, Kolmogorov-Smirnov."
    rng = np.random.default_rng(k)
    scores = rng.standard_t(6, (600, 400, k))
    p = [nyblom(s - s.mean(0)).pvalue for s in scores]
    assert stats.kstest(p, "uniform").pvalue > 0.001


@pytest.mark.parametrize("test", SERIES_TESTS)
def test_scale_and_mean_change_nothing(test):
    rng = np.random.default_rng(5)
    z = rng.standard_t(4, 800)
    ours = test(z)
    for scale in (1e-160, 1e-6, 1e3, 1e150):
        other = test(scale * z)
        assert np.isclose(other.statistic, ours.statistic, rtol=1e-8) and np.isclose(other.pvalue, ours.pvalue, rtol=1e-6, atol=1e-300)
    if test is not sign_bias:  # which is about zero, not about the mean
        assert np.isclose(test(z + 100).statistic, ours.statistic, rtol=1e-6)


@pytest.mark.parametrize("test", SERIES_TESTS)
def test_bad_series_are_named(test):
    good = np.random.default_rng(0).normal(size=300)
    with pytest.raises(ConstantSeries):
        test(np.full(300, 0.01))
    with pytest.raises(MissingValue, match="row 7"):
        test(np.where(np.arange(300) == 7, np.nan, good))
    with pytest.raises(TooShort):
        test(good[:5])
    with pytest.raises(BadArgument, match="2 dimensions"):
        test(good.reshape(150, 2))
    crash = test(np.append(0.01 * good, -0.37))
    assert np.isfinite(crash.statistic) and 0 <= crash.pvalue <= 1
    try:  # twenty observations: a finite answer, or a named error
        short = test(good[:20])
        assert np.isfinite([short.statistic, short.pvalue]).all()
    except RiskError as error:
        assert "needs" in str(error)


def test_scores_of_another_shape():
    rng = np.random.default_rng(0)
    s = rng.normal(size=(500, 3))
    s -= s.mean(0)
    names = ["mu", "omega", "nu"]
    frame = nyblom(pd.DataFrame(s, columns=names))
    assert frame.statistic == nyblom(s).statistic and set(names) <= set(frame.detail)
    for bad, error, said in ((s[:20], TooShort, "needs 22"), (np.where(s == s[3, 1], np.nan, s), MissingValue, "score of 1"), (s + 1, BadArgument, "do not sum to zero")):
        with pytest.raises(error, match=said):
            nyblom(bad)


def test_only_the_learning_window_is_judged():
    "Rows appended by `update` change nothing."
    rng = np.random.default_rng(1)
    z = pd.Series(rng.normal(size=500))
    learnt = diagnose(SimpleNamespace(standardised_residuals=z))
    later = diagnose(SimpleNamespace(standardised_residuals=pd.concat([z, 9 * z], ignore_index=True), n_learnt_=500))
    assert learnt.to_frame().equals(later.to_frame())
