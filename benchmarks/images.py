"""How well ImageSegmenter divides photographs as people do, beside scikit-image, on the same pictures with the same scores.

``python -m benchmarks.images [PYTHON]``; PYTHON is that of an environment with scikit-image (pip install scikit-image), and its rows
are left out, with a word, where it is not given. Twenty photographs of BSDS500, each divided by five or six people. Each method has
a parameter for how fine it divides; ODS is the best setting for all pictures together, chosen on these pictures for all methods
alike; "left out" chooses it on fifteen pictures and scores the other five, twenty times over.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from coterie import ImageSegmenter
from coterie.metrics import segmentation_scores

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "images" / "bsds500"
HEIGHTS = (0.25, 0.30, 0.34, 0.37, 0.39, 0.41, 0.43, 0.46, 0.50, 0.56, 0.65)


def people(path: Path) -> list[np.ndarray]:
    """Return the regions that each person drew."""
    drawn = loadmat(path.with_suffix(".mat"))["groundTruth"]
    return [drawn[0, i]["Segmentation"][0, 0].astype(np.int64) for i in range(drawn.shape[1])]


def table_row(name: str, scores: np.ndarray, seconds: float | None) -> str:
    """Return a line of the table for (pictures, settings, 3) scores."""
    mean, each = scores.mean(axis=0), scores
    best = mean[:, 0].max(), mean[:, 1].max(), mean[:, 2].min()
    single = each[:, :, 0].max(axis=1).mean(), each[:, :, 1].max(axis=1).mean(), each[:, :, 2].min(axis=1).mean()
    spent = "" if seconds is None else f"{seconds:.2f}"
    cells = [f"{ods:.3f} / {ois:.3f}" for ods, ois in zip(best, single, strict=True)]
    return f"| {name} | {' | '.join(cells)} | {left_out(scores):.3f} | {spent} |"


def left_out(scores: np.ndarray) -> float:
    """Return the covering of pictures that had no part in the choice of the setting."""
    rng, found = np.random.default_rng(0), []
    for _ in range(20):
        order = rng.permutation(len(scores))
        for fold in range(4):
            out, rest = order[fold::4], np.delete(order, np.arange(fold, len(order), 4))
            found.append(scores[out, scores[rest, :, 0].mean(axis=0).argmax(), 0].mean())
    return float(np.mean(found))


def own(mode: str, paths: list[Path], truth: list[list[np.ndarray]]) -> None:
    """Print the row of a mode, and that of its default."""
    scores, default, seconds = [], [], []
    for path, drawn in zip(paths, truth, strict=True):
        began = time.process_time()
        model = ImageSegmenter(mode).fit(path)
        seconds.append(time.process_time() - began)
        scores.append([segmentation_scores(drawn, model.cut(height=height)) for height in HEIGHTS])
        default.append(segmentation_scores(drawn, model.labels_))
    print(table_row(f"ImageSegmenter({mode!r})", np.array(scores), float(np.median(seconds))))
    covering, rand, information = np.mean(default, axis=0)
    print(f"| its default, height 0.41 | {covering:.3f} | {rand:.3f} | {information:.3f} | | |", flush=True)


def peers(python: str, paths: list[Path], truth: list[list[np.ndarray]]) -> None:
    """Print the rows of scikit-image."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "peers.npz"
        script = Path(__file__).with_name("images_peers.py")
        subprocess.run([python, str(script), str(FOLDER), str(out)], check=True, stderr=subprocess.DEVNULL)
        kept = dict(np.load(out))
    names = list(dict.fromkeys(tuple(key.split("|")[:2]) for key in kept if not key.startswith("seconds")))
    for method in dict.fromkeys(name for name, _ in names):
        settings = [setting for name, setting in names if name == method]
        keys = [[f"{method}|{setting}|{path.stem}" for setting in settings] for path in paths]
        scores = [
            [segmentation_scores(drawn, kept[key]) for key in row] for row, drawn in zip(keys, truth, strict=True)
        ]
        seconds = float(np.median([kept[f"seconds|{key}"] for row in keys for key in row]))
        print(table_row(f"{method}, {len(settings)} settings", np.array(scores), seconds), flush=True)


def large(of: Callable[[], np.ndarray]) -> None:
    """Print time and memory for 12 million pixels."""
    picture, before = of(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    model = ImageSegmenter().fit(picture)
    spent = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"12 million pixels: {spent:.1f} s, {(peak - before) / 1024:.0f} MB above {before / 1024:.0f}, {model.n_regions_} regions"
    )


def main() -> None:
    """Print the tables."""
    paths = sorted(FOLDER.glob("*.jpg"))
    if not paths:
        raise SystemExit(f"the photographs are not at {FOLDER}")
    truth = [people(path) for path in paths]
    ImageSegmenter().fit(paths[0])  # compiled before it is timed
    print(f"{len(paths)} photographs of BSDS500; covering, Rand index, variation of information in bits: ODS / OIS\n")
    print("| method | covering | PRI | VoI | covering, left out | CPU s a picture |\n|---|---|---|---|---|---|")
    own("merge", paths, truth)
    own("divide", paths, truth)
    if len(sys.argv) > 1:
        peers(sys.argv[1], paths, truth)
    else:
        print("| scikit-image: missing, give the Python that has it | | | | | |")
    one = np.array([[segmentation_scores(drawn, np.zeros_like(drawn[0]))] for drawn in truth])
    print(table_row("one region", one, None), "\n")
    from PIL import Image

    large(lambda: np.asarray(Image.open(paths[0]).resize((4000, 3000), Image.Resampling.BICUBIC)))


if __name__ == "__main__":
    main()
