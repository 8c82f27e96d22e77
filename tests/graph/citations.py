"""Papers that cite each other, with the words and topics of each."""

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
