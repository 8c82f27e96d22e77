"""Records of networks made without reading a file, for tests of what is shown."""

import functools
import json
from dataclasses import replace

import numpy as np

from applications.networks import assortative, network_of, planted_links
from applications.temporal import planted_in_time
from coterie.report.network import network
from coterie.tables.link_times import TimedLinks


@functools.cache
def _made(k, directed, isolated, seed):
    rates = assortative(k, 0.4, 0.02)
    if directed:
        rates = np.full((k, k), 0.02) + 0.3 * np.eye(k, k=1)
    classes, links = planted_links([20 + 3 * (k - i) for i in range(k)], rates, seed, directed=directed)
    rng = np.random.default_rng(seed)
    n = len(classes) + isolated
    own = np.append(classes, np.zeros(isolated, np.int64))
    nodes = {
        "full name": np.array([f"Person {i:03d}" for i in range(n)], dtype=object),
        "team": np.array([f"team {c}" for c in own], dtype=object),
        "age (years)": own * 8.0 + rng.normal(30, 3, n),
    }
    method = "block_model" if directed else "leiden"
    found = network(network_of(links, n, directed=directed, nodes=nodes), method=method)
    files = {"files": {"members": "members.csv", "record": "run.json", "report": "report.html"}}
    return json.dumps({**found.record, **files})


@functools.cache
def _made_in_time():
    classes = np.repeat(np.arange(3), 30)
    after = classes.copy()
    after[:5] = 1
    links = planted_in_time([classes, classes, after])
    timed = TimedLinks("date", links[:, 0], links[:, 1], None, links[:, 2].astype(float), False)
    found = network(replace(network_of(links[:, :2], 90), timed=timed), windows=3)
    files = {"files": {"members": "members.csv", "record": "run.json", "report": "report.html"}}
    return json.dumps({**found.record, **files})


def make_timed_record():
    """Return a complete record of a network in which five nodes move in the last of three windows."""
    return json.loads(_made_in_time())


def make_network_record(k=5, *, directed=False, isolated=2, seed=0):
    """Return a complete record of ``k`` planted classes, a new one at each call."""
    return json.loads(_made(k, directed, isolated, seed))
