"""Recommendation beside its peers on one set of ratings, by a fixed protocol: python -m benchmarks.recommend RATINGS [--items ITEMS].

Ratings: five random folds, drawn with seed 0 once for everyone; RMSE and MAE of predictions clipped to the range of the ratings, the mean
of the folds. Peers: Surprise's CoClustering, SVD, and KNNBaseline by items (pearson_baseline, k = 60, shrinkage 100). Where Surprise does
not run beside our NumPy, ``--peers PYTHON`` is an interpreter in whose environment it does; the folds go there in a file.

Suggestions: 40 windows of time, 20 of equal length from the first tenth of the lines to their middle, which only settle the half-life, and
20 from there to the end, which are reported. Each learns from all that came before it, ranks every item that a user does not have, and is
judged by what that user liked within it: NDCG at 10 with the ideal of min(10, liked), for users with five likes before. The settings of a
window are those that served best in earlier windows; the peer, the recently most liked, has the half-life that is best for the reported ones.

Sparsity: a tenth of the lines held out, 0, 50, 80 and 90 % of the rest dropped. Consistency: overlap of ten suggestions with another seed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

__all__ = ["main", "measure", "peers"]

N_FOLDS = 5


def measure(ratings: str, items: str | None, python: str | None) -> dict:
    """Return all figures, ours and those of the peers, from one run."""
    from coterie import ClusterRecommender

    began = time.perf_counter()
    recommender = ClusterRecommender(random_state=0).fit(ratings, items=items)
    seconds = {"fit": time.perf_counter() - began}
    lines = recommender._lines
    folds = np.random.default_rng(0).permutation(len(lines.user)) % N_FOLDS
    began = time.perf_counter()
    ours = recommender.evaluate("folds", folds=folds)
    seconds["folds"] = time.perf_counter() - began
    return {
        "lines": len(lines.user), "users": len(lines.users), "items": len(lines.items), "seconds": seconds,
        "ratings": {f"coterie, {name}": values for name, values in ours.items()} | _peers(lines, folds, python),
        "rolling": {key: value for key, value in recommender.evaluate("rolling").items() if key != "windows"},
        "sparsity": recommender.evaluate("sparsity"), "consistency": recommender.evaluate("consistency"),
    }  # fmt: skip


def _peers(lines, folds: np.ndarray, python: str | None) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "folds.npz"
        np.savez(path, user=lines.user, item=lines.item, rating=lines.rating, fold=folds)
        command = [python or sys.executable, str(Path(__file__).resolve()), "--folds", str(path)]
        ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        return {"Surprise": "not installed, or not for this NumPy; see --peers"}
    return json.loads(ended.stdout.splitlines()[-1])


def peers(path: str) -> dict:
    """Return RMSE and MAE of Surprise's methods on folds in a file."""
    from surprise import SVD, CoClustering, Dataset, KNNBaseline, Reader

    data = np.load(path)
    rating, fold = data["rating"], data["fold"]
    reader = Reader(rating_scale=(rating.min(), rating.max()))
    similar = {"name": "pearson_baseline", "user_based": False, "shrinkage": 100}
    makers = {
        "Surprise CoClustering": lambda: CoClustering(random_state=0),
        "Surprise SVD": lambda: SVD(random_state=0),
        "Surprise KNNBaseline, items": lambda: KNNBaseline(k=60, sim_options=similar, verbose=False),
    }
    rows = list(zip(data["user"].tolist(), data["item"].tolist(), rating.tolist(), strict=True))
    found = {}
    for name, make in makers.items():
        errors = []
        for one in range(fold.max() + 1):
            train = _train_set(Dataset, reader, [rows[r] for r in np.flatnonzero(fold != one)])
            told = make().fit(train).test([rows[r] for r in np.flatnonzero(fold == one)])
            errors.append(np.array([each.est - each.r_ui for each in told]))
        found[name] = {
            "rmse": float(np.mean([np.sqrt(np.mean(e**2)) for e in errors])), "mae": float(np.mean([np.abs(e).mean() for e in errors])),
        }  # fmt: skip
    return found


def _train_set(dataset, reader, rows: list):
    import pandas as pd

    return dataset.load_from_df(pd.DataFrame(rows, columns=["user", "item", "rating"]), reader).build_full_trainset()


def _told(found: dict) -> str:
    lines = [
        f"{found['lines']:,} ratings of {found['items']:,} items by {found['users']:,} users",
        "",
        "| five random folds | RMSE | MAE |",
        "|---|---|---|",
    ]
    for name, values in found["ratings"].items():
        lines.append(
            f"| {name} | {values['rmse']:.4f} | {values['mae']:.4f} |"
            if isinstance(values, dict)
            else f"| {name} | {values} | |"
        )
    rolling = found["rolling"]
    popular = rolling["popularity"]
    lines += [
        "", f"| {rolling['user_windows']:,} known users in windows | NDCG@10 | coverage |", "|---|---|---|",
        f"| coterie | {rolling['ndcg']:.4f} ± {rolling['ndcg_error']:.4f} | {rolling['coverage']:.4f} |",
        f"| recently most liked, half-life {popular['half_life'] or float('inf'):.0f} days | {popular['ndcg']:.4f} | {popular['coverage']:.4f} |",
        "", "| dropped | " + " | ".join(f"{share:.0%}" for share in found["sparsity"]["dropped"]) + " |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for name in ("rmse", "baseline_rmse", "ndcg", "popularity_ndcg"):
        lines.append(
            f"| {name} | "
            + " | ".join("" if value is None else f"{value:.4f}" for value in found["sparsity"][name])
            + " |"
        )
    overlap = found["consistency"]
    lines += [
        "",
        f"Overlap of ten suggestions: {overlap['seeds']:.3f} with another seed, {overlap['lines']:.3f} with a tenth of the lines dropped.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Run the protocol and print it as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ratings", nargs="?")
    parser.add_argument("--items")
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--folds", help=argparse.SUPPRESS)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    if options.folds:
        print(json.dumps(peers(options.folds)))
        return
    if options.ratings is None:
        parser.error("give a file of ratings")
    found = measure(options.ratings, options.items, options.peers)
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=1))
    print(_told(found))


if __name__ == "__main__":
    main()
