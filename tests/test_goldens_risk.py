"Published numbers of measures, backtests and scores; properties against scipy; and planted faults that must be found."


import numpy as np
import pandas as pd
import pytest
from goldens import golden, planted
from scipy import stats

from risk_analytics_lib.risk import backtests_coverage, backtests_independence, backtests_var, comparison, coverage, hits, losses, measures, measures_tail, scoring, suites
from risk_analytics_lib.utils.checks import RiskError
from risk_analytics_lib.utils.distributions import LocationScale
from risk_analytics_lib.utils.laws import Normal, StudentT


def days_with(failures: int, observations: int = 1043) -> np.ndarray:
    "A published count as a sequence of hits."
    return np.arange(observations) < failures


# MathWorks' equity index: 1,043 days, 57 failures of a 95 % VaR, four of them directly after another
INDEX = np.array([0] * 933 + [1, 1, 0] * 4 + [1, 0] * 49)


# Backtests of VaR

HIT_TESTS = {name: getattr(backtests_var, name) for name in ("kupiec_pof", "christoffersen_independence", "christoffersen_conditional_coverage", "traffic_light")}


@pytest.mark.parametrize(
    "test, statistic, pvalue",
    [
        ("kupiec_pof", 0.46147, 0.49694),
        ("binomial_test", 0.68905, 0.49079),
        ("christoffersen_independence", 0.25866, 0.61104),
        ("christoffersen_conditional_coverage", 0.72013, 0.69763),
    ],
)
def test_mathworks_index(test, statistic, pvalue):
    result = getattr(backtests_var, test)(INDEX, 0.95)
    assert result.statistic == pytest.approx(statistic, abs=5e-6)
    assert result.pvalue == pytest.approx(pvalue, abs=5e-6)
    assert result.decision.startswith("do not reject H0")


def test_mathworks_traffic_light():
    light = backtests_var.traffic_light(INDEX, 0.95)
    assert light.detail["cumulative"] == pytest.approx(0.77913, abs=5e-6)
    assert light.pvalue == pytest.approx(0.26396, abs=5e-6)
    assert (light.zone, light.multiplier - 3) == ("green", 0)


@pytest.mark.parametrize(
    "failures, level, observed, ratio, statistic",
    [
        (57, 0.95, 0.94535, 1.0930, 0.461466),
        (17, 0.99, 0.98370, 1.6299, 3.511813),
        (59, 0.95, 0.94343, 1.1314, 0.910230),
        (12, 0.99, 0.98849, 1.1505, 0.227677),
        (59, 0.95, 0.94343, 1.1314, 0.910230),
        (22, 0.99, 0.97891, 2.1093, 9.829802),
    ],
)
def test_mathworks_summary(failures, level, observed, ratio, statistic):
    result = backtests_var.kupiec_pof(days_with(failures), level)
    d = result.detail
    assert 1 - d["hits"] / d["observations"] == pytest.approx(observed, abs=5e-6)
    assert d["hits"] / d["expected"] == pytest.approx(ratio, abs=5e-5)
    assert result.statistic == pytest.approx(statistic, abs=5e-6)


def test_basel_table():
    printed = [8.11, 28.58, 54.32, 75.81, 89.22, 95.88, 98.63, 99.60, 99.89, 99.97, 99.99]
    lights = [backtests_var.traffic_light(days_with(x, 250), 0.99) for x in range(11)]
    assert [100 * light.detail["cumulative"] for light in lights] == pytest.approx(printed, abs=0.0051)
    assert [light.zone for light in lights] == ["green"] * 5 + ["yellow"] * 5 + ["red"]
    assert [light.multiplier for light in lights] == [3, 3, 3, 3, 3, 3.4, 3.5, 3.65, 3.75, 3.85, 4]
    frtb = [backtests_var.traffic_light(days_with(x, 250), 0.99, table="frtb").multiplier for x in range(12)]
    assert frtb == [1.5, 1.5, 1.5, 1.5, 1.5, 1.7, 1.76, 1.83, 1.88, 1.92, 2, 2]


def test_jorion_error_rates():
    light = backtests_var.traffic_light(days_with(2, 250), 0.99, alternative=0.03)
    assert light.size == pytest.approx(0.108, abs=5e-4)
    assert 1 - light.power == pytest.approx(0.128, abs=5e-4)


def test_zones_of_other_lengths():
    zones = [backtests_var.traffic_light(days_with(x, 750), 0.995).zone for x in range(20)]
    assert (zones.index("yellow"), zones.index("red")) == (7, 13)


def test_size_and_power_of_a_year():
    result = backtests_var.kupiec_pof(days_with(0, 250), 0.99)
    assert (round(result.size, 3), round(result.power, 2)) == (0.095, 0.24)
    assert round(backtests_var.kupiec_pof(days_with(0, 250), 0.99, alternative=0.03).power, 2) == 0.63
    assert result.pvalue < 0.05 < result.pvalue_exact


@pytest.mark.parametrize("days, level", [(2, 0.99), (30, 0.95), (250, 0.99), (250, 0.6)])
def test_every_count_has_an_answer(days, level):
    for x in range(days + 1):
        for hit in (days_with(x, days), days_with(x, days)[::-1]):
            for test in HIT_TESTS.values():
                r = test(hit, level)
                assert np.isfinite([r.statistic, r.pvalue, r.pvalue_exact, r.size, r.power]).all()
                assert 0 <= r.pvalue <= 1 and 0 <= r.pvalue_exact <= 1 and r.statistic >= 0


def test_random_hits_against_scipy():
    rng = np.random.default_rng(17)
    for _ in range(60):
        n, level = int(rng.integers(20, 1500)), float(rng.uniform(0.9, 0.995))
        hit = rng.random(n) < rng.choice([0.5, 1, 2]) * (1 - level)
        x, law = int(hit.sum()), stats.binom(n, 1 - level)
        pof = backtests_var.kupiec_pof(hit, level)
        likelihood = stats.binom(n, x / n).logpmf(x) if 0 < x < n else 0.0
        assert pof.statistic == pytest.approx(2 * (likelihood - law.logpmf(x)), abs=1e-7)
        assert pof.pvalue == pytest.approx(stats.chi2(1).sf(pof.statistic), abs=1e-12)
        assert backtests_var.traffic_light(hit, level).pvalue == pytest.approx(law.sf(x - 1), abs=1e-10)
        z = (x - law.mean()) / law.std()
        assert backtests_var.binomial_test(hit, level).pvalue == pytest.approx(2 * stats.norm.sf(abs(z)), abs=1e-12)
        table = pd.crosstab(hit[:-1], hit[1:])
        if table.shape == (2, 2):
            g = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
            assert backtests_var.christoffersen_independence(hit, level).statistic == pytest.approx(g, abs=1e-8)


def test_exact_pvalues_are_uniform_or_less():
    rng = np.random.default_rng(23)
    found = {name: [] for name in HIT_TESTS}
    for _ in range(400):
        hit = rng.random(250) < 0.05
        for name, test in HIT_TESTS.items():
            found[name].append(test(hit, 0.95).pvalue_exact)
    for name, p in found.items():
        for size in (0.05, 0.1, 0.25):
            assert np.mean(np.array(p) <= size) <= size + 3 * np.sqrt(size * (1 - size) / 400), (name, size)


# Scores and measures


def test_scores_of_published_forecasts():
    data = golden("esback_risk_forecasts.csv")
    assert scoring.tick_loss(data.r, -data.q, 0.975).mean() == pytest.approx(0.083684218, abs=1e-8)
    assert scoring.fz0_loss(data.r, -data.q, -data.e, 0.975).mean() == pytest.approx(1.141532918, abs=1e-8)
    assert int(hits.hit_series(data.r, -data.q).sum()) == 155


def test_edhec_historical():
    funds = golden("edhec.csv").iloc[:, 1:6]
    var = measures.value_at_risk(funds, 0.95, method="linear")
    assert var.to_numpy() == pytest.approx([0.01506, 0.03148, 0.01978, 0.04232, 0.00836], abs=1e-8)
    assert measures.expected_shortfall(funds.iloc[:, 0], 0.95, method="linear") == pytest.approx(0.03878, abs=1e-9)
    assert (measures.expected_shortfall(funds, 0.95) >= measures.value_at_risk(funds, 0.95)).all()


def test_edhec_gaussian():
    fund = golden("edhec.csv").iloc[:, 1]
    law = LocationScale(np.array([fund.mean()]), np.array([fund.std(ddof=0)]), Normal())
    assert law.value_at_risk(0.95)[0] == pytest.approx(0.02173214, abs=1e-8)
    assert law.expected_shortfall(0.95)[0] == pytest.approx(0.02872442192, abs=1e-9)


def test_closed_forms():
    law = LocationScale(np.zeros(1), np.ones(1), Normal())
    assert [law.value_at_risk(p)[0] for p in (0.975, 0.99)] == pytest.approx([1.959963985, 2.326347874], abs=1e-9)
    assert [law.expected_shortfall(p)[0] for p in (0.975, 0.99)] == pytest.approx([2.337802792, 2.665214220], abs=1e-9)
    expected = {0.975: (5.039583061, 3.993557023, 3.521577332, 3.256151097), 0.99: (7.003082036, 5.220584194, 4.452429112, 4.032527680)}
    for level, published in expected.items():
        found = [LocationScale(np.zeros(1), np.array([np.sqrt(nu / (nu - 2))]), StudentT(float(nu))).expected_shortfall(level)[0] for nu in (3, 4, 5, 6)]
        assert found == pytest.approx(published, abs=1e-8)


def test_sample_approaches_closed_form():
    draws = np.random.default_rng(0).standard_normal(4_000_000)
    assert measures.value_at_risk(draws, 0.99) == pytest.approx(2.326347874, abs=5e-3)
    assert measures.expected_shortfall(draws, 0.975) == pytest.approx(2.337802792, abs=5e-3)


@pytest.mark.parametrize("days", [1, 2, 7, 100, 250, 1000, 997])
@pytest.mark.parametrize("level", [0.501, 0.9, 0.93, 0.95, 0.975, 0.99, 0.999])
@pytest.mark.filterwarnings("ignore:.*of a tail outcome")
def test_measures_against_their_definitions(days, level):
    from fractions import Fraction

    losses = np.sort(np.random.default_rng(days).standard_t(3, days))[::-1]
    tail = days * (1 - Fraction(str(level)))
    whole = int(tail)
    var = losses[whole]
    es = (losses[:whole].sum() + float(tail - whole) * var) / float(tail)
    assert measures.value_at_risk(-losses, level) == var == np.quantile(losses, float(level), method="inverted_cdf")
    assert measures.expected_shortfall(-losses, level) == pytest.approx(es, rel=1e-9, abs=1e-12)
    weight = measures.tail_weights(losses, level)
    assert weight.sum() == pytest.approx(1, abs=1e-12) and (weight >= 0).all()
    assert (weight * losses).sum() == pytest.approx(es, rel=1e-9, abs=1e-12)


def test_measures_refuse():
    for bad in ([0.01, np.nan], [0.01, np.inf], [], np.zeros((2, 2, 2))):
        with pytest.raises(RiskError):
            measures.value_at_risk(bad, 0.99)


# Planted faults: a copy of the module with one line changed must fail the check that the module passes


def strict(room):
    assert not room.hit_series(pd.Series([-0.02]), pd.Series([0.02])).any()


def signed(room):
    assert room.hit_series(pd.Series([-0.03, 0.03]), pd.Series([0.02, 0.02])).tolist() == [True, False]


def eleventh_of_a_thousand(room):
    assert room.value_at_risk(-np.arange(1.0, 1001), 0.99) == 990


def seven_of_a_hundred(room):
    assert room.value_at_risk(-np.arange(1.0, 101), 0.93) == 93


def fraction_counts(room):
    assert room.expected_shortfall(-np.arange(1.0, 251), 0.975) == pytest.approx(247.36, abs=1e-9)


def ties_share(room):
    assert room.tail_weights(np.repeat([5.0, 3.0, 0.0], [2, 6, 92]), 0.95).sum() == pytest.approx(1, abs=1e-12)


def counts_itself(room):
    assert room.traffic_light(days_with(57), 0.95).pvalue == pytest.approx(0.26396, abs=5e-6)


def five_is_yellow(room):
    assert [room.traffic_light(days_with(x, 250)).zone for x in (4, 5, 9, 10)] == ["green", "yellow", "yellow", "red"]


def size_is_exact(room):
    assert room.kupiec_pof(days_with(0, 250), 0.99).size == pytest.approx(0.095, abs=5e-4)


def transitions_point_forward(room):
    assert room.pair_counts(np.array([1, 1, 0, 0, 1, 0, 0, 0], bool)) == {"n00": 3, "n01": 1, "n10": 2, "n11": 1}


def null_pools_the_next_day(room):
    hit = np.array([1, 1, 0, 0, 1, 0, 0, 0])  # n00 3, n01 1, n10 2, n11 1
    expected = 2 * (stats.binom(4, 1 / 4).logpmf(1) + stats.binom(3, 1 / 3).logpmf(1) - stats.binom(7, 2 / 7).logpmf(2))
    expected -= 2 * (np.log(4) + np.log(3) - np.log(21))
    assert room.christoffersen_independence(hit, 0.9).statistic == pytest.approx(expected, abs=1e-9)


def joint_is_exact(room):
    assert room.christoffersen_conditional_coverage(np.array([0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0]), 0.9).pvalue_exact == pytest.approx(0.0155645, abs=1e-6)


def truth_ticks_least(room):
    even = stats.norm.ppf((np.arange(10_000) + 0.5) / 10_000)
    loss = [room.tick_loss(even, f * 1.959963985, 0.975).mean() for f in (0.8, 1.0, 1.2)]
    assert loss[1] < min(loss[0], loss[2])


def truth_scores_least(room):
    even = stats.norm.ppf((np.arange(10_000) + 0.5) / 10_000)
    loss = [room.fz0_loss(even, f * 1.959963985, f * 2.337802792, 0.975).mean() for f in (0.8, 1.0, 1.2)]
    assert loss[1] < min(loss[0], loss[2])


def overlap_is_allowed_for(room):
    shocks = np.random.default_rng(5).standard_normal((300, 204))
    overlapping = np.lib.stride_tricks.sliding_window_view(shocks, 5, axis=1).sum(axis=2)
    assert np.mean([room.diebold_mariano(d, np.zeros(200), horizon=5).rejected for d in overlapping]) < 0.15


def ledger_hits_are_strict(room):
    rows = pd.DataFrame({"realised": [-0.02] * 30, "value_at_risk": 0.02})
    assert not room.sequence_of(rows, 0.99).hits.any()


def coverage_hits_are_strict(room):
    touched = pd.DataFrame({"value_at_risk": [0.02] * 30, "realised": -0.02})
    key = {"series": "s", "model": "m", "level": 0.99, "horizon": 1}
    assert room.coverage_by([(key, touched, "")], pd.Series(["calm"] * 30))["hits"].eq(0).all()


FAULTS = [
    (hits, "-returns > limit", "-returns >= limit", strict),
    (hits, "-returns > limit", "returns > limit", signed),
    (measures_tail, "len(losses) - 1 - tail_size", "len(losses) - tail_size", eleventh_of_a_thousand),
    (measures_tail, "np.floor(tail + 1e-9)", "np.floor(tail)", seven_of_a_hundred),
    (measures_tail, ".sum(axis=0) / tail", ".sum(axis=0) / np.floor(tail)", fraction_counts),
    (measures_tail, "at * (rest / at.sum())", "at * rest", ties_share),
    (backtests_coverage, "right[x:].sum()", "right[x + 1 :].sum()", counts_itself),
    (backtests_coverage, "at_most[x] >= YELLOW_FROM", "at_most[x] > RED_FROM", five_is_yellow),
    (backtests_coverage, "size=float(right[rejects].sum())", "size=significance", size_is_exact),
    (hits, "(before == i) & (after == j)", "(before == j) & (after == i)", transitions_point_forward),
    (backtests_independence, "fit(n01 + n11, n00 + n10)", "fit(n10 + n11, n00 + n01)", null_pools_the_next_day),
    (backtests_independence, "(rate, rate), wrong)", "(rate, 2 * rate), wrong)", joint_is_exact),
    (losses, "1 - tail, -tail", "tail, tail - 1", truth_ticks_least),
    (losses, "+ np.log(e) - 1", "- np.log(e) - 1", truth_scores_least),
    (comparison, "h - 1, bartlett=False", "0, bartlett=False", overlap_is_allowed_for),
    (suites, "-found.returns > found.value_at_risk", "-found.returns >= found.value_at_risk", ledger_hits_are_strict),
    (coverage, 'hit, label = -rows["realised"] > rows', 'hit, label = -rows["realised"] >= rows', coverage_hits_are_strict),
]


@pytest.mark.parametrize("module, old, new, check", FAULTS, ids=[f"{m.__name__.split('.')[-1]}-{c.__name__}" for m, _, _, c in FAULTS])
def test_planted_fault_is_found(module, old, new, check):
    check(module)
    with pytest.raises(AssertionError):
        check(planted(module, old, new))
