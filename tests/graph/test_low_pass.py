"""AGC (Zhang, Liu, Li, Wu 2019), the published way to cluster attributes that were smoothed over links, made of this library's parts."""

import numpy as np
from sklearn.metrics import normalized_mutual_info_score

from coterie import KMeans
from coterie.graph._smoothing import left_singular, smoother
from coterie.metrics import clustering_accuracy
from graph.citations import cora


def test_attributes_smoothed_twelve_times_reach_the_published_figures_oncora(shared_data):
    links, words, topics = cora(shared_data / "graphs" / "cora.tgz")
    smooth = smoother(links)
    for _ in range(12):
        words = smooth @ words
    rows = left_singular(words, 7, np.random.default_rng(0))
    rows /= np.linalg.norm(rows, axis=0)  # the published kernel is linear: its eigenvectors have length 1
    found = [KMeans(7, n_init=10, random_state=seed).fit(rows).labels_ for seed in range(10)]
    accuracy = np.mean([clustering_accuracy(topics, labels) for labels in found])
    information = np.mean([normalized_mutual_info_score(topics, labels) for labels in found])
    assert abs(accuracy - 0.6892) < 0.01
    assert abs(information - 0.5368) < 0.01
