"""Links with attributes on planted models: which classes are found when one side, both, or a finer grain of either tells of them.

``python -m benchmarks.attributed_planted [SEEDS [NAME...]]`` prints adjusted mutual information with the planted classes, of both
sides together and of each alone, and the processor time. The method was drawn up on these models; Cora and MUSAE came afterwards.
"""

import sys
import time
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp


class Model(NamedTuple):
    """A degree-corrected block model whose nodes hold bags of words, each once or not at all."""

    n: int
    k: int
    inside: float = 0.0  # share of the links, beside those of chance, that stay in the class
    told: float = 0.0  # share of the words that are of the class
    groups: int = 1  # communities of each class in the links
    own: float = 0.0  # share of the links, beside those, that stay in the community
    topics: int = 1  # of each class in the words
    theme: float = 0.0  # share of the words that are of the topic
    degree: float = 5.0
    n_words: int = 1000
    length: float = 15.0
    wordy: float = 0.0  # deviation of the logarithm of how many words a node has
    spread: float = 0.6  # deviation of the logarithm of degrees
    other: float = 0.0  # share of the words that tell of classes that the links know nothing of
    silent: float = 0.0  # share of the nodes without links, and of those without words


MODELS = {
    "links": Model(2000, 5, inside=0.6),
    "words": Model(2000, 5, told=0.3),
    "both": Model(2000, 5, inside=0.5, told=0.2),
    "both, 500": Model(500, 3, inside=0.55, told=0.25, n_words=500),
    "both, k 15": Model(4000, 15, inside=0.55, told=0.2, degree=8),
    "both, dense": Model(4000, 5, inside=0.25, told=0.15, degree=20),
    "both, few or many words": Model(2000, 5, inside=0.5, told=0.2, wordy=1.2),
    "both, dense, few or many words": Model(4000, 5, inside=0.25, told=0.15, degree=20, wordy=1.2),
    "both, silent": Model(2000, 5, inside=0.5, told=0.2, silent=0.15),
    "finer links": Model(4000, 4, inside=0.1, told=0.08, groups=8, own=0.6, degree=10),
    "finer links, k 7": Model(3000, 7, inside=0.1, told=0.12, groups=5, own=0.6, degree=4, n_words=1500),
    "finer words": Model(4000, 5, inside=0.5, told=0.1, topics=6, theme=0.2),
    "finer both": Model(4000, 4, inside=0.1, told=0.05, groups=8, own=0.6, topics=5, theme=0.1, degree=10),
    "finer links, 20k": Model(20000, 4, inside=0.12, told=0.06, groups=15, own=0.65, degree=14, n_words=4000, spread=1.0),
    "conflict, links": Model(2000, 5, inside=0.7, other=0.15, degree=8),
    "conflict, words": Model(2000, 5, told=0.4, inside=0.0, other=-0.2),
    "noise": Model(1000, 5),
}  # fmt: skip


def drawn(model: Model, seed: int) -> tuple:
    """Return adjacency, words, classes and their number."""
    rng = np.random.default_rng([seed, model.n, model.k])
    shares = rng.dirichlet(np.full(model.k, 8.0))
    classes = rng.choice(model.k, model.n, p=shares)
    second = rng.integers(model.k, size=model.n)  # a story that one side tells and the other does not know
    community = classes * model.groups + rng.integers(model.groups, size=model.n)
    topic = classes * model.topics + rng.integers(model.topics, size=model.n)
    pull = np.exp(model.spread * rng.normal(size=model.n))
    links = _links(model, classes, community, second, pull, rng)
    words = _words(model, classes, topic, second, rng)
    if model.silent:
        lone, mute = rng.random((2, model.n)) < model.silent
        mute &= ~lone
        keep = sp.diags_array((~lone).astype(float))
        links = (keep @ links @ keep).tocsr()
        words = (sp.diags_array((~mute).astype(float)) @ words).tocsr()
        links.eliminate_zeros(), words.eliminate_zeros()
    return links, words, classes, model.k


def _links(model, classes, community, second, pull, rng):
    m = int(model.n * model.degree / 2)
    chance = pull / pull.sum()
    one, other = rng.choice(model.n, (2, m), p=chance)
    kind = rng.random(m)
    told = [(classes, kind < model.inside), (community, (kind >= model.inside) & (kind < model.inside + model.own))]
    if model.other < 0:
        told.append((second, kind < -model.other))
    for groups, chosen in told:
        for group in np.unique(groups[one[chosen]]):
            members = np.flatnonzero(groups == group)
            rows = np.flatnonzero(chosen & (groups[one] == group))
            other[rows] = rng.choice(members, len(rows), p=pull[members] / pull[members].sum())
    matrix = sp.coo_array((np.ones(m), (one, other)), shape=(model.n, model.n)).tocsr()
    matrix = (matrix + matrix.T).tolil()
    matrix.setdiag(0)
    matrix = matrix.tocsr()
    matrix.eliminate_zeros()
    matrix.data[:] = 1.0
    return matrix


def _words(model, classes, topic, second, rng):
    common = 1 / (10.0 + np.arange(model.n_words))
    common /= common.sum()
    length = np.full(model.n, model.length)
    if model.wordy:
        length *= np.exp(model.wordy * rng.normal(size=model.n) - model.wordy**2 / 2)
    count = rng.poisson(length)
    rows = np.repeat(np.arange(model.n), count)
    words = rng.choice(model.n_words, len(rows), p=common)
    kind = rng.random(len(rows))
    told = [(classes, kind < model.told), (topic, (kind >= model.told) & (kind < model.told + model.theme))]
    if model.other > 0:
        told.append((second, kind < model.other))
    for groups, chosen in told:
        for group in np.unique(groups):
            liked = rng.permutation(model.n_words)[: max(5, model.n_words // 10)]
            own = common[liked] / common[liked].sum()
            places = np.flatnonzero(chosen & (groups[rows] == group))
            words[places] = rng.choice(liked, len(places), p=own)
    bags = sp.csr_array((np.ones(len(rows)), (rows, words)), shape=(model.n, model.n_words))
    bags.sum_duplicates()
    bags.data[:] = 1.0
    return bags


def main() -> int:
    """Print a line for each model: means over seeds."""
    from sklearn.metrics import adjusted_mutual_info_score

    from coterie import AttributedGraphClustering

    n_seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    print(
        "| planted | nodes | k | both | links alone | attributes alone | alpha, order | seconds |\n|---|---|---|---|---|---|---|---|"
    )
    for name in sys.argv[2:] or MODELS:
        model, found, chosen, seconds = MODELS[name], [], [], 0.0
        for seed in range(n_seeds):
            links, words, classes, k = drawn(model, seed)
            started = time.process_time()
            both = AttributedGraphClustering(k, random_state=seed).fit(links, words)
            seconds += (time.process_time() - started) / n_seeds
            chosen.append(f"{both.alpha_} {both.order_}")
            alone = [AttributedGraphClustering(k, alpha=a, random_state=seed).fit(links, words) for a in (0, 1)]
            found.append([adjusted_mutual_info_score(classes, one.labels_) for one in (both, *alone)])
        line = " | ".join(f"{score:.3f}" for score in np.mean(found, axis=0))
        print(f"| {name} | {model.n} | {model.k} | {line} | {', '.join(chosen)} | {seconds:.1f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
