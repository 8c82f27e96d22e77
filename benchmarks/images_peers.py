"""Regions of photographs by scikit-image, written to one .npz file: ``python images_peers.py FOLDER OUT.npz``.

It stands alone, so that it can run in an environment that has scikit-image and not coterie; `benchmarks.images` calls it.
"""

import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import graph
from skimage.segmentation import felzenszwalb, slic


def main(folder: str, out: str) -> None:
    """Divide every photograph by each method at several settings; keep labels and seconds, those of cuts without SLIC and its graph."""
    found = {}
    for path in sorted(Path(folder).glob("*.jpg")):
        pixels = np.asarray(Image.open(path))
        for scale in (100, 300, 1000, 3000):
            found |= timed(f"felzenszwalb|{scale}|{path.stem}", lambda: felzenszwalb(pixels, scale, 0.8, 100))  # noqa: B023
        pieces = slic(pixels, 400, compactness=10, start_label=0)
        colours = graph.rag_mean_color(pixels, pieces)
        likeness = graph.rag_mean_color(pixels, pieces, mode="similarity")
        for threshold in (10, 20, 30, 40):
            name = f"SLIC, cut_threshold|{threshold}|{path.stem}"
            found |= timed(name, lambda: graph.cut_threshold(pieces, colours, threshold, in_place=False))  # noqa: B023
        for threshold in (0.0005, 0.002, 0.01, 0.05):
            name = f"SLIC, cut_normalized|{threshold}|{path.stem}"
            found |= timed(name, lambda: graph.cut_normalized(pieces, likeness, threshold, in_place=False, rng=0))  # noqa: B023
        print(path.stem, file=sys.stderr, flush=True)
    np.savez_compressed(out, **found)


def timed(name: str, divide) -> dict[str, np.ndarray]:
    """Return labels, and processor seconds beside them."""
    began = time.process_time()
    labels = divide()
    seconds = time.process_time() - began
    numbered = np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.int32)
    return {name: numbered, f"seconds|{name}": np.array(seconds)}


if __name__ == "__main__":
    main(*sys.argv[1:])
