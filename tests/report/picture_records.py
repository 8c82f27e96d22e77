"""A record of pictures as a run makes it, for the tests of its page."""

import functools
import json

import numpy as np

from coterie.report.pictures import pictures


@functools.cache
def _text(folder):
    rng = np.random.default_rng(0)
    shapes = rng.random((90, 12, 10, 3)) * 0.2
    shapes[:40, 3:6, :, 0] += 0.8
    shapes[40:70, :, 3:6, 1] += 0.8
    shapes[70:, 6:9, 5:8] += 0.8
    shapes[0] = 1.0
    np.savez(folder / "shapes.npz", X=shapes.clip(0, 1), kind=np.repeat([0, 1, 2], [40, 30, 20]))
    record = pictures(folder / "shapes.npz", method="KMeans", n_clusters=3, truth="kind").record
    return json.dumps(
        record | {"files": {"members": "members.csv", "report": "report.html"}, "next": ["open report.html"]}
    )


def make_picture_record(folder):
    """Return a record of 90 pictures in three groups of 39, 30 and 21, one of them all white, that may be changed."""
    return json.loads(_text(folder))
