"""BG/NBD and gamma-gamma: published parameters, a closed form as oracle, no bootstrap that fails, and refusals."""

import time

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.special import hyp2f1

from applications.customers import CDNOW, cdnow_sample, made_purchases
from coterie.applications.segments import (
    expected_purchases,
    expected_spending,
    fit_purchases,
    fit_spending,
    probability_alive,
    spending_correlation,
)
from coterie.applications.segments._columns import Given
from coterie.applications.segments.behaviour import behaviour
from coterie.applications.segments.purchases import _beta_nodes, _LogLikelihood
from coterie.applications.segments.transactions import read_transactions
from coterie.errors import InputError
from coterie.tables import read


def _seen(source, day, **given):
    transactions = read_transactions(read(source), Given(**given))
    seen = behaviour(transactions, int(np.datetime64(day).astype(int)))
    return seen.frequency, seen.active / 7, seen.age / 7, seen.mean


@pytest.fixture(scope="module")
def cdnow():
    given = {name: value for name, value in CDNOW.items() if name != "cutoff"}
    return _seen(cdnow_sample(), CDNOW["cutoff"], **given)


@pytest.fixture(scope="module")
def made():
    return _seen(made_purchases(), "2024-03-01")


def test_the_published_parameters_of_cdnow_are_found(cdnow):
    x, t, T, mean = cdnow
    model, spending = fit_purchases(x, t, T), fit_spending(x, mean)
    # Fader, Hardie and Lee (2005), and Fader and Hardie (2013).
    np.testing.assert_allclose(model[:4], (0.243, 4.414, 0.793, 2.426), rtol=0.005)
    np.testing.assert_allclose(spending[:3], (6.25, 3.74, 15.44), rtol=0.005)
    assert spending_correlation(x, mean) == pytest.approx(0.114, abs=0.001)


def test_all_customers_of_cdnow_give_the_known_parameters_in_a_second(shared_data):
    x, t, T, _ = _seen(shared_data / "customers" / "CDNOW_master.txt.gz", "1997-09-30")
    start = time.process_time()
    model = fit_purchases(x, t, T)
    assert time.process_time() - start < 1
    np.testing.assert_allclose(model[:4], (0.2516, 4.7889, 0.7234, 2.1611), rtol=0.005)


@pytest.mark.thorough
def test_no_bootstrap_of_cdnow_fails(cdnow):
    rng = np.random.default_rng(0)
    for _ in range(100):
        rows = rng.integers(0, len(cdnow[0]), len(cdnow[0]))
        x, t, T, mean = (values[rows] for values in cdnow)
        model, spending = fit_purchases(x, t, T), fit_spending(x, mean)
        assert not model.undetermined
        assert not spending.undetermined
        assert 0.15 < model.r < 0.35


def test_bootstraps_of_few_customers_end_in_finite_forecasts(made):
    rng = np.random.default_rng(1)
    for _ in range(20):
        rows = rng.integers(0, len(made[0]), 40)
        x, t, T, mean = (values[rows] for values in made)
        assert np.isfinite(expected_purchases(fit_purchases(x, t, T), [10.0], x, t, T)).all()
        assert np.isfinite(fit_spending(x, mean).mean)


def test_the_gradient_is_that_of_the_likelihood(made):
    x, t, T, _ = made
    likelihood = _LogLikelihood(x.astype(float), t, T, np.ones(len(x)))
    for logs in np.random.default_rng(0).normal(size=(3, 4)):
        assert check_grad(lambda at: likelihood(at)[0], lambda at: likelihood(at)[1], logs) < 1e-5


def test_expected_purchases_are_those_of_the_papers_closed_form(made):
    x, t, T, _ = made
    model = fit_purchases(x, t, T)
    r, alpha, a, b = model[:4]
    z = 39 / (alpha + T + 39)
    series = ((alpha + T) / (alpha + T + 39)) ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1, z)
    closed = (a + b + x - 1) / (a - 1) * (1 - series) * probability_alive(model, x, t, T)
    np.testing.assert_allclose(expected_purchases(model, [39.0], x, t, T)[:, 0], closed, rtol=1e-6)


def test_expected_purchases_exist_where_the_closed_form_has_a_pole(made):
    x, t, T, _ = made
    at_one = fit_purchases(x, t, T)._replace(a=1.0)
    beside = at_one._replace(a=1.0 + 1e-7)
    np.testing.assert_allclose(
        expected_purchases(at_one, [39.0], x, t, T), expected_purchases(beside, [39.0], x, t, T), rtol=1e-6
    )


@pytest.mark.parametrize(("a", "b"), [(0.3, 0.7), (0.8, 2.4), (5, 200), (1e4, 1e4)])
def test_nodes_give_the_moments_of_a_beta_distribution(a, b):
    p, weights = _beta_nodes(a, b)
    assert weights.sum() == pytest.approx(1)
    assert weights @ p == pytest.approx(a / (a + b))
    assert weights @ p**2 == pytest.approx(a * (a + 1) / ((a + b) * (a + b + 1)))


def test_the_unit_of_time_scales_alpha_only(made):
    x, t, T, _ = made
    weeks, days = fit_purchases(x, t, T), fit_purchases(x, 7 * t, 7 * T)
    np.testing.assert_allclose(np.array(days[:4]) / (1, 7, 1, 1), weeks[:4], rtol=1e-4)


def test_parameters_come_back_from_customers_of_the_model():
    rng = np.random.default_rng(3)
    x, t, T = np.zeros((3, 6000))
    for i in range(len(x)):
        rate, leaving, T[i] = rng.gamma(0.8) / 6, rng.beta(0.9, 2.5), rng.uniform(30, 50)
        when = rng.exponential(1 / rate)
        while when <= T[i]:
            x[i], t[i] = x[i] + 1, when
            if rng.random() < leaving:
                break
            when += rng.exponential(1 / rate)
    np.testing.assert_allclose(fit_purchases(x, t, T)[:4], (0.8, 6, 0.9, 2.5), rtol=0.25)


def test_where_nobody_leaves_the_fit_ends_and_says_what_it_cannot_tell():
    rng = np.random.default_rng(0)
    T = np.full(300, 50.0)
    x = rng.poisson(5, 300) + 1.0
    model = fit_purchases(x, np.full(300, 49.9), T)
    assert model.undetermined
    assert np.isfinite(expected_purchases(model, [10.0], x, np.full(300, 49.9), T)).all()


def test_who_bought_once_is_expected_to_spend_what_all_do(made):
    x, _, _, mean = made
    model = fit_spending(x, mean)
    assert expected_spending(model, [0], [0.0])[0] == pytest.approx(model.mean)
    often = expected_spending(model, [1, 500], [80.0, 80.0])
    assert abs(often[1] - 80) < abs(often[0] - 80)
    assert abs(often[1] - 80) < 1


def test_purchases_for_nothing_are_left_out_of_the_spending_model(made):
    x, _, _, mean = made
    with_zeros = fit_spending(np.r_[x, 3, 2], np.r_[mean, 0, 0])
    np.testing.assert_allclose(with_zeros[:3], fit_spending(x, mean)[:3])


def test_nobody_who_came_back_is_refused():
    with pytest.raises(InputError, match="no customer bought on more than one day"):
        fit_purchases([0, 0], [0, 0], [5, 6])
    with pytest.raises(InputError, match="recency <= age"):
        fit_purchases([1, 0], [7, 0], [5, 6])
    with pytest.raises(InputError, match="5 customers or more"):
        fit_spending([1, 2], [3.0, 4.0])
