"""VaDE: the bound against Monte-Carlo and closed forms in NumPy, the start by a mixture, and the density of rows."""

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.datasets import load_digits
from sklearn.mixture import GaussianMixture
from torch import nn

from coterie.deep import VaDE
from coterie.deep import losses_mixture as mixture
from coterie.errors import InputError

RANDOM = np.random.default_rng(0)
B, K, P = 6, 4, 3
MEAN, LOG_VARIANCE = RANDOM.normal(size=(B, P)) * 2, RANDOM.normal(size=(B, P)) - 1
MEANS, LOG_VARIANCES = RANDOM.normal(size=(K, P)) * 2, RANDOM.normal(size=(K, P)) / 2
LOG_WEIGHTS = np.log(RANDOM.dirichlet(np.ones(K)))
GAMMA = RANDOM.dirichlet(np.ones(K), size=B)
IMAGES, DIGITS = (part[:400] for part in (load_digits().images / 16, load_digits().target))
SMALL = {"hidden": (32,), "embedding_dim": 4, "random_state": 0}


def tensors(*arrays):
    return [torch.from_numpy(np.asarray(array, dtype=np.float64)) for array in arrays]


def density(z, means, log_variances):
    """Return log N(z; mean_c, variance_c) of each row and cluster by SciPy, (b, k)."""
    return norm.logpdf(z[:, None, :], means, np.exp(log_variances / 2)).sum(2)


@pytest.fixture(scope="module")
def fitted():
    return VaDE(10, pretrain_epochs=40, epochs=15, tol=0, **SMALL).fit(IMAGES)


# ---- the terms


def test_the_densities_of_the_clusters():
    found = mixture.log_normal(*tensors(MEAN, MEANS, LOG_VARIANCES)).numpy()
    np.testing.assert_allclose(found, density(MEAN, MEANS, LOG_VARIANCES), rtol=1e-12)


def test_the_density_of_the_mixture_and_the_responsibilities_in_it():
    joint = LOG_WEIGHTS + density(MEAN, MEANS, LOG_VARIANCES)
    given = tensors(MEAN, LOG_WEIGHTS, MEANS, LOG_VARIANCES)
    whole = logsumexp(joint, axis=1)
    np.testing.assert_allclose(mixture.log_mixture_density(*given).numpy(), whole, rtol=1e-12)
    np.testing.assert_allclose(
        mixture.log_responsibility(*given).numpy(), joint - whole[:, None], rtol=1e-10, atol=1e-12
    )


def test_the_divergence_is_the_closed_form_of_each_term():
    expected = np.zeros(B)
    for i in range(B):
        for c in range(K):
            for j in range(P):
                own, other = np.exp(LOG_VARIANCE[i, j]), np.exp(LOG_VARIANCES[c, j])
                gap = (MEAN[i, j] - MEANS[c, j]) ** 2
                expected[i] += GAMMA[i, c] * 0.5 * (np.log(other / own) + (own + gap) / other - 1)
            expected[i] += GAMMA[i, c] * (np.log(GAMMA[i, c]) - LOG_WEIGHTS[c])
    given = tensors(MEAN, LOG_VARIANCE, np.log(GAMMA), LOG_WEIGHTS, MEANS, LOG_VARIANCES)
    np.testing.assert_allclose(mixture.mixture_divergence(*given).numpy(), expected, rtol=1e-12)


def test_the_divergence_is_what_draws_of_embedding_and_cluster_give():
    found = mixture.mixture_divergence(
        *tensors(MEAN, LOG_VARIANCE, np.log(GAMMA), LOG_WEIGHTS, MEANS, LOG_VARIANCES)
    ).numpy()
    n, random = 40_000, np.random.default_rng(1)
    for i in range(B):
        own = np.exp(LOG_VARIANCE[i] / 2)
        z = MEAN[i] + own * random.standard_normal((n, P))
        c = random.choice(K, n, p=GAMMA[i])
        posterior = norm.logpdf(z, MEAN[i], own).sum(1) + np.log(GAMMA[i, c])
        prior = norm.logpdf(z, MEANS[c], np.exp(LOG_VARIANCES[c] / 2)).sum(1) + LOG_WEIGHTS[c]
        values = posterior - prior
        assert abs(values.mean() - found[i]) < 4 * values.std() / np.sqrt(n)


def test_a_row_far_from_every_cluster_keeps_finite_responsibilities_and_gradients():
    z = torch.full((2, P), 1e6, requires_grad=True)
    means, log_variances = (torch.from_numpy(part).float() for part in (MEANS, LOG_VARIANCES))
    found = mixture.log_responsibility(z, torch.from_numpy(LOG_WEIGHTS).float(), means, log_variances)
    divergence = mixture.mixture_divergence(
        z, torch.zeros(2, P), found, torch.from_numpy(LOG_WEIGHTS).float(), means, log_variances
    )
    divergence.sum().backward()
    np.testing.assert_allclose(found.detach().exp().sum(1).numpy(), 1, rtol=1e-6)
    assert bool(z.grad.isfinite().all())


# ---- the bound of a network


class Drawn:
    """A fitted model's joint density of row, embedding and cluster, in NumPy, at embeddings that are drawn."""

    def __init__(self, model, x, seed):
        self.net, self.x, self.random = model._model, x, np.random.default_rng(seed)
        with torch.no_grad():
            self.mean, log_variance = (part.double().numpy() for part in self.net.posterior(x))
            self.log_weights, self.means, self.log_variances = (part.double().numpy() for part in self.net.mixture())
        self.width = np.exp(log_variance / 2)

    def embeddings(self):
        return self.mean + self.width * self.random.standard_normal(self.mean.shape)

    def joint(self, z):
        """Return log weight_c N(z; c) of each row and cluster."""
        return self.log_weights + density(z, self.means, self.log_variances)

    def seen_and_own(self, z):
        """Return log p(x | z) - log q(z | x) of each row."""
        with torch.no_grad():
            shown = self.net.decode(torch.from_numpy(z).float()).numpy().reshape(len(z), -1)
        seen = norm.logpdf(self.x.numpy().reshape(len(z), -1), shown, 1).sum(1)
        return seen - norm.logpdf(z, self.mean, self.width).sum(1)

    def bound(self):
        """Return log p(x, z, c) - log q(z | x) - log q(c | x), where another embedding gives the responsibilities q(c | x)."""
        joint = self.joint(self.embeddings())
        log_gamma = joint - logsumexp(joint, axis=1, keepdims=True)
        c = np.array([self.random.choice(len(row), p=np.exp(row)) for row in log_gamma])
        z, rows = self.embeddings(), np.arange(len(c))
        return self.seen_and_own(z) + self.joint(z)[rows, c] - log_gamma[rows, c]

    def weight(self):
        """Return log p(x, z) - log q(z | x)."""
        z = self.embeddings()
        return self.seen_and_own(z) + logsumexp(self.joint(z), axis=1)


def scaled(model, images):
    center, spread = model._scale
    return torch.from_numpy((images - center) / spread).float()


def test_the_loss_is_minus_the_bound_that_draws_give(fitted):
    from coterie.deep.vade import _Bound

    x = scaled(fitted, IMAGES[:30])
    phase = _Bound(fitted._model, 30, 1, 1e-3, 0.0)
    torch.manual_seed(0)
    with torch.no_grad():
        losses = np.array([float(sum(phase.loss(x, torch.arange(30)).values())) for _ in range(400)])
    bounds = -64 * losses - 0.5 * 64 * np.log(2 * np.pi)
    drawn = Drawn(fitted, x, 0)
    others = np.array([drawn.bound().mean() for _ in range(400)])
    error = np.hypot(bounds.std(), others.std()) / 20
    assert error < 0.1  # nats, of about -85
    assert abs(bounds.mean() - others.mean()) < 4 * error


def test_the_density_of_a_row_is_that_of_many_draws_and_above_the_bound(fitted):
    drawn = Drawn(fitted, scaled(fitted, IMAGES[:20]), 1)
    truth = logsumexp([drawn.weight() for _ in range(1000)], axis=0) - np.log(1000)
    found = fitted.score_samples(IMAGES[:20]) + 64 * np.log(fitted._scale[1])
    assert np.abs(found - truth).mean() < 1
    assert np.mean([drawn.bound() for _ in range(100)], axis=0).mean() < truth.mean()


# ---- a fit


def test_the_start_is_a_mixture_fitted_to_the_embedding():
    model = VaDE(10, pretrain_epochs=40, epochs=0, **SMALL).fit(IMAGES)
    net = model._model
    np.testing.assert_array_equal(model.labels_, model.start_labels_)
    own = GaussianMixture(10, covariance_type="diag", max_iter=200, n_init=5, random_state=0).fit(model.embedding_)
    with torch.no_grad():
        found = mixture.log_mixture_density(torch.from_numpy(model.embedding_), *net.mixture()).mean()
    assert float(found) > own.score(model.embedding_) - 0.5
    np.testing.assert_allclose(net.mixture()[0].exp().sum(), 1, rtol=1e-5)


def test_the_bound_rises(fitted):
    bound = [
        record["reconstruction"] + record["divergence"] for record in fitted.history_ if record["phase"] == "bound"
    ]
    assert bound[-1] < 0.8 * bound[0]


def test_variances_stay_within_their_bounds(fitted):
    assert float(fitted._model.mixture()[2].abs().max()) <= 6
    assert float(fitted._model.posterior(scaled(fitted, IMAGES))[1].abs().max()) <= 6


@pytest.mark.parametrize("whiten", [True, False])
def test_the_decoder_sees_the_embedding_in_its_own_axes(whiten):
    model = VaDE(10, pretrain_epochs=20, epochs=0, whiten=whiten, **SMALL).fit(IMAGES)
    net, x = model._model, scaled(model, IMAGES)
    with torch.no_grad():
        np.testing.assert_allclose(net.decode(net.represent(x)).numpy(), net.coder(x).numpy(), atol=2e-3)
        np.testing.assert_allclose(net.posterior(x)[0].numpy(), net.represent(x).numpy(), atol=1e-4)


def test_a_dying_cluster_is_set_up_anew_with_the_width_of_the_others(fitted):
    net = VaDE(4, **SMALL)._build((8, 8), 4, "cpu")
    z = torch.randn(200, net.representation.width, generator=torch.Generator().manual_seed(0))
    net.take(np.array([0.4, 0.3, 0.3, 1e-30]), z[:4].numpy(), np.array([[0.5] * 4] * 3 + [[1e-3] * 4]))
    net.move(3, z[7])
    with torch.no_grad():
        log_weights, means, log_variances = net.mixture()
        assert torch.equal(means[3], z[7])
        assert float(log_weights[3].exp()) == pytest.approx(0.2, rel=1e-5)  # a fourth of the others, of five fourths
        np.testing.assert_allclose(
            log_variances[3], (3 * np.log(0.5) + log_variances.new_tensor(np.log(1e-3)).clamp(-6)) / 4, rtol=1e-5
        )


def test_rows_unlike_those_of_the_fit_have_a_low_density(fitted):
    shuffled = np.random.default_rng(0).permuted(IMAGES.reshape(-1, 64), axis=1)
    usual, unusual = fitted.score_samples(IMAGES), fitted.score_samples(shuffled.reshape(-1, 8, 8))
    assert np.mean(usual[:, None] > unusual) > 0.99


def test_the_density_of_a_row_depends_on_no_other_row(fitted):
    found = fitted.score_samples(IMAGES)
    assert found.shape == (400,)
    assert found.dtype == np.float32
    np.testing.assert_allclose(fitted.score_samples(IMAGES[7:8]), found[7:8], rtol=1e-5)
    assert isinstance(fitted.score_samples(torch.from_numpy(IMAGES)), torch.Tensor)


def test_a_unit_shifts_the_density_by_its_logarithm_for_each_value(fitted):
    other = VaDE(10, pretrain_epochs=40, epochs=15, tol=0, **SMALL).fit(IMAGES * 16)
    np.testing.assert_allclose(
        other.score_samples(IMAGES * 16).mean(), fitted.score_samples(IMAGES).mean() - 64 * np.log(16), atol=1.5
    )


@pytest.mark.parametrize("encoder", ["conv", nn.Linear(64, 5)])
def test_an_encoder_that_is_not_variational_is_refused_in_one_sentence(encoder):
    rows = IMAGES if isinstance(encoder, str) else IMAGES.reshape(-1, 64)
    with pytest.raises(
        InputError, match=r"VaDE calls posterior\(\).* of its encoder, and \w+ has none; take encoder='vae'"
    ):
        VaDE(4, encoder=encoder).fit(rows)
