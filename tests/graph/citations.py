"""Papers that cite each other and pages that like each other, with the words and classes of each."""

import csv
import gzip
import json
import tarfile

import numpy as np
from scipy.sparse import csr_array

from coterie.graphs import from_edges, to_scipy


def cora(path):
    """Return links, words and topics of Cora: 2,708 papers, 1,433 words, 7 topics."""
    with tarfile.open(path) as archive:
        files = {name.rsplit(".", 1)[-1]: name for name in archive.getnames() if name.endswith((".content", ".cites"))}
        content, cites = (
            archive.extractfile(files[kind]).read().decode().splitlines() for kind in ("content", "cites")
        )
    rows = [line.split("\t") for line in content]
    number = {row[0]: i for i, row in enumerate(rows)}
    ends = np.array([[number[end] for end in line.split()] for line in cites])
    ends = np.unique(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1), axis=0)
    words = np.array([row[1:-1] for row in rows], dtype=float)
    return (
        to_scipy(from_edges(ends, len(rows))),
        csr_array(words),
        np.unique([row[-1] for row in rows], return_inverse=True)[1],
    )


def musae(folder):
    """Return links, words and types of MUSAE Facebook: 22,470 pages, 4,714 features of their descriptions, 4 types."""
    with gzip.open(folder / "facebook_edges.csv.gz", "rt") as file:
        ends = np.loadtxt(file, delimiter=",", skiprows=1, dtype=np.int64)
    with gzip.open(folder / "facebook_target.csv.gz", "rt", encoding="utf-8") as file:
        types = {int(row["id"]): row["page_type"] for row in csv.DictReader(file)}
    with gzip.open(folder / "facebook_features.json.gz", "rt") as file:
        features = {int(page): found for page, found in json.load(file).items()}
    n = len(types)
    owner = np.repeat(list(features), [len(found) for found in features.values()])
    words = np.concatenate([np.array(found, np.int64) for found in features.values()])
    bags = csr_array((np.ones(len(words)), (owner, words)), shape=(n, words.max() + 1))
    ends = np.unique(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1), axis=0)
    return to_scipy(from_edges(ends, n)), bags, np.unique([types[page] for page in range(n)], return_inverse=True)[1]
