"""AEKMeans on small images: K-means in what was learnt, and the score that needs no labels."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import normalized_mutual_info_score

from coterie import KMeans
from coterie.deep import AEKMeans

IMAGES, DIGITS = (part[:600] for part in (load_digits().images / 16, load_digits().target))


@pytest.fixture(scope="module")
def fitted():
    return AEKMeans(10, encoder="mlp", hidden=(64,), pretrain_epochs=40, random_state=0).fit(IMAGES)


def test_the_labels_are_those_of_k_means_in_the_embedding(fitted):
    inertia = ((fitted.embedding_ - centers_of(fitted)[fitted.labels_]) ** 2).sum()
    beside = KMeans(10, n_init=20, random_state=1).fit(fitted.embedding_).inertia_
    assert inertia <= beside * 1.01


def centers_of(model):
    return np.array([model.embedding_[model.labels_ == c].mean(0) for c in range(10)])


def test_digits_are_found_better_than_by_a_network_that_has_learnt_nothing(fitted):
    untrained = AEKMeans(10, encoder="mlp", hidden=(64,), pretrain_epochs=0, random_state=0).fit(IMAGES)
    assert normalized_mutual_info_score(DIGITS, fitted.labels_) > 0.55
    assert normalized_mutual_info_score(DIGITS, fitted.labels_) > normalized_mutual_info_score(
        DIGITS, untrained.labels_
    )


def test_the_score_prefers_the_digits_to_labels_dealt_at_random(fitted):
    from torch import from_numpy

    from coterie.deep._score import NeighborScore

    judge = NeighborScore(from_numpy(IMAGES))
    assert judge(DIGITS) > fitted.score_ > judge(np.random.default_rng(0).permutation(DIGITS)) + 0.5


def test_the_reconstruction_becomes_better(fitted):
    losses = [record["encoder"] for record in fitted.history_]
    assert losses[-1] < losses[0] / 2


def test_there_is_no_start_to_compare_with(fitted):
    assert fitted.start_score_ is None
    assert fitted.start_labels_ is None
    assert fitted.stop_reason_ == "epochs"
