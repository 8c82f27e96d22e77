"""``python -m benchmarks [QUESTION[:CASE]...]``: time, print a table, and keep JSON and Markdown in benchmarks/results/."""

import argparse
import contextlib
import json
import sys
import time
from importlib import import_module
from pathlib import Path

from .harness import describe, markdown, measure, run_once

QUESTIONS = (
    "kmeans",
    "dbscan",
    "hdbscan",
    "optics",
    "local_outlier_factor",
    "clique",
    "grid",
    "medoids",
    "agglomerative",
    "metrics",
    "memory",
    "genie",
    "minibatch_kmeans",
    "birch",
    "bisecting_kmeans",
    "kprototypes",
    "sizes",
    "mesh",
    "spectral",
    "block_model",
    "attributed",
    "communities",
    "graph_input",
    "gpu",
    "dask_kmeans",
)
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Parse, run, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("questions", nargs="*", default=QUESTIONS, metavar="QUESTION[:CASE]", help=", ".join(QUESTIONS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="*", metavar="PEER", help="leave out the other peers")
    parser.add_argument(
        "--one", nargs=3, metavar=("QUESTION", "CASE", "PEER"), help="one run, in this process, as JSON"
    )
    given = parser.parse_args()
    if given.one:
        with contextlib.redirect_stdout(sys.stderr):
            result = run_once(*given.one)
        print(json.dumps(result))
        return 0
    return _measure_all(given)


def _measure_all(given: argparse.Namespace) -> int:
    results = []
    for asked in given.questions:
        question, _, wanted = asked.partition(":")
        if question not in QUESTIONS:
            print(f"there is no {question!r}; there are {', '.join(QUESTIONS)}", file=sys.stderr)
            return 2
        for case in import_module(f"benchmarks.{question}").CASES:
            if wanted and wanted not in case.name:
                continue
            for peer in set(case.peers) - set(given.only or case.peers):
                case.peers.pop(peer)
            print(f"{case.name} ...", file=sys.stderr, flush=True)
            results.append(measure(question, case, given.runs))
    machine = describe()
    page = markdown(machine, results)
    RESULTS.mkdir(exist_ok=True)
    stem = RESULTS / time.strftime("%Y-%m-%d-%H%M%S")
    stem.with_suffix(".json").write_text(json.dumps({"machine": machine, "results": results}, indent=1))
    stem.with_suffix(".md").write_text(page)
    print(page)
    print(f"kept as {stem}.md and .json", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
