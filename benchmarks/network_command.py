"""What ``coterie network`` itself says of graphs with known answers: files in, folders out, and the figures read back from them.

``python -m benchmarks.network_command [GRAPHS_OF_EACH_KIND]`` writes ego-Facebook, Cora, MUSAE Facebook and planted models as the
files that people have (a list of links, a table of nodes with their words), runs the command on each, and compares the classes
in ``members.csv`` and the verdicts in ``relations.csv`` with what is known.
"""

import csv
import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from .attributed import FOLDER, cora, musae, quality
from .block_model import KINDS, planted, rates_of


def run(folder: Path, name: str, *options: Any) -> tuple[dict, np.ndarray, np.ndarray, float]:
    """Run the command on ``name.csv``; return the record, the numbers of its nodes, their classes, and seconds."""
    out, began = folder / f"{name}.coterie", time.perf_counter()
    command = [sys.executable, "-m", "coterie", "network", folder / f"{name}.csv", "-o", out, "-q", *options]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr.strip()}")
    spent = time.perf_counter() - began
    with open(out / "members.csv", encoding="utf-8", newline="") as lines:
        members = np.array([(int(row["node"]), int(row["class"])) for row in csv.DictReader(lines)])
    nodes, labels = members[np.argsort(members[:, 0])].T
    return json.loads((out / "run.json").read_text("utf-8")), nodes, labels, spent


def write_links(path: Path, adjacency: sp.csr_array, directed: bool = False) -> None:
    """Write each link once."""
    matrix = sp.coo_array(adjacency if directed else sp.triu(adjacency, 1))
    np.savetxt(path, np.column_stack((matrix.row, matrix.col)), "%d", ",", header="source,target", comments="")


def write_nodes(path: Path, words: sp.csr_array, classes: Sequence[int]) -> None:
    """Write a line for each node: its number, its words as a text, its class."""
    parts = np.split(words.indices, words.indptr[1:-1])
    texts = (" ".join(f"w{column}" for column in part) for part in parts)
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("id", "words", "known"))
        out.writerows((i, text, one) for i, (text, one) in enumerate(zip(texts, classes, strict=True)))


def communities(folder: Path) -> None:
    """Print the modularity of ego-Facebook and MUSAE, links alone."""
    with gzip.open(FOLDER / "snap-facebook" / "facebook_combined.txt.gz", "rt") as lines:
        np.savetxt(folder / "ego.csv", np.loadtxt(lines, dtype=int), "%d", ",", header="source,target", comments="")
    write_links(folder / "pages.csv", musae()[0])
    for name in ("ego", "pages"):
        record, _, labels, seconds = run(folder, name, "--method", "leiden")
        modularity = next(one["value"] for one in record["metrics"] if one["name"] == "modularity")
        print(f"{name:12} modularity {modularity:.4f}, {labels.max() + 1} classes, {seconds:.1f} s")


def with_words(folder: Path) -> None:
    """Print the agreement on Cora and MUSAE, links and words."""
    for name, data in (("cora", cora()), ("musae", musae())):
        write_links(folder / f"{name}.csv", data[0])
        write_nodes(folder / f"{name}-nodes.csv", data[1], data[2])
        nodes = ("--nodes", folder / f"{name}-nodes.csv", "--truth", "known", "-k", data[3])
        _, _, labels, seconds = run(folder, name, *nodes, "--method", "attributed")
        print(f"{name:12} {quality(data, labels)}, {seconds:.1f} s", flush=True)


def relations(folder: Path, n_graphs: int) -> None:
    """Print of planted models how well the classes are found, and how often what attracts and repels is called so."""
    from sklearn.metrics import adjusted_mutual_info_score

    for kind in KINDS:
        scores, right = [], []
        for seed in range(n_graphs):
            graph, truth = planted(kind, seed, dense=True)
            directed = kind == "feed_forward"
            write_links(folder / "planted.csv", graph, directed)
            options = ("--directed" if directed else "--undirected", "--method", "block_model", "--force")
            record, nodes, labels, _ = run(folder, "planted", *options)
            truth = truth[nodes]  # a node without a link is in no list of links
            scores.append(adjusted_mutual_info_score(truth, labels))
            right += verdicts(record, truth, labels, rates_of(kind, int(truth.max()) + 1))
        print(
            f"{kind:16} AMI {np.mean(scores):.3f} (least {min(scores):.3f}), verdicts right {np.mean(right):.1%} of {len(right)}",
            flush=True,
        )


def verdicts(record: dict, truth: np.ndarray, labels: np.ndarray, rates: np.ndarray) -> list[bool]:
    """Compare what is said of each pair with the planted densities, where these are a fifth above or below the mean density."""
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics.cluster import contingency_matrix

    known, found = linear_sum_assignment(-contingency_matrix(truth, labels))
    said = np.array(record["relations"]["verdict_by_size"])[np.ix_(found, found)]
    shares = np.bincount(truth)[known] / len(truth)
    rates = rates[np.ix_(known, known)]
    ratio = rates / (shares @ rates @ shares)
    wanted = np.where(ratio > 1, "attracts", "repels")
    feeds = rates > 1.5 * rates.T
    judged = feeds | (np.abs(np.log2(ratio)) > np.log2(1.2))
    judged = judged if record["directed"] else np.triu(judged)
    return (said == np.where(feeds, "feeds", wanted))[judged].tolist()


def main() -> int:
    """Print all figures."""
    n_graphs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as place:
        communities(Path(place))
        with_words(Path(place))
        relations(Path(place), n_graphs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
