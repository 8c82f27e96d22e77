"""The main job on pictures: from a folder or a stack to a `PictureAnalysis`, and from there to a folder of results."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from .analysis import Analysis
from .cells import field as cell
from .cells import number, plain_text, write_rows
from .pictures_page import pictures_html, pictures_summary
from .pictures_text import pictures_text
from .record import PICTURES, finished

__all__ = ["PictureAnalysis", "pictures"]

_BLOCK = 100_000
# What `coterie.run` takes for tables alone.
_OF_TABLES = ("query", "roles", "params", "sample", "purpose")


@dataclass(frozen=True, repr=False)
class PictureAnalysis(Analysis):
    """One finished analysis of pictures; see `Analysis`, whose ``table`` are the `Pictures` here.

    Attributes
    ----------
    distances : (n,) float64 array
        How far each picture lies from the middle of its group, in the units of the embedding.
    """

    distances: np.ndarray = field(default_factory=lambda: np.empty(0))
    _FORMATS: ClassVar = ("csv",)
    _LABELS: ClassVar = "members"
    _NEW: ClassVar = "new-pictures"

    def _landmarks(self) -> None:
        """Pictures are explained by pictures, on the page; they have no columns."""

    def to_text(self, width: int = 100) -> str:
        """Return the summary that the terminal shows."""
        return pictures_text(self.record, width=width)

    def to_html(self) -> str:
        """Return the report: one page that needs nothing but a browser."""
        return pictures_html(self.record)

    def predict(self, data: Any) -> np.ndarray:
        """Return the cluster of every picture, -1 where it fits none.

        Parameters
        ----------
        data : path or array
            A folder, an ``.npy`` or ``.npz`` file, or an array of pictures from 0 to 1.

        Returns
        -------
        (n,) int64 array
            Pictures that cannot be read are left out.
        """
        from ..models import Model

        return Model(self.estimator, self.prepared, self.label_map).predict(data)

    def _write_labels(self, path: Path, labels_format: str, excel_safe: bool) -> None:
        self.write_members(path, excel_safe=excel_safe)

    def write_members(self, path: str | os.PathLike, *, excel_safe: bool = False) -> None:
        """Write a line for each picture: its group, how surely and how near, how unusual, and whether it is an outlier.

        Parameters
        ----------
        path : str or path-like
        excel_safe : bool, default=False
            Defuse names that a spreadsheet would take for a formula.
        """
        header = ("picture", "cluster", "strength", "distance", "outlier_score", "outlier")
        write_rows(Path(path), header, self._member_rows(excel_safe))

    def _member_rows(self, excel_safe: bool) -> Iterator[tuple[str, ...]]:
        from ..study.judge import OUTLIER_THRESHOLD

        for start in range(0, len(self.labels), _BLOCK):
            part = slice(start, start + _BLOCK)
            yield from zip(
                (cell(plain_text(name, excel_safe)) for name in self.table.names[part]),
                map(str, self.labels[part].tolist()),
                *(
                    map(number, values[part].tolist())
                    for values in (self.strengths, self.distances, self.outlier_scores)
                ),
                ("1" if score >= OUTLIER_THRESHOLD else "0" for score in self.outlier_scores[part].tolist()),
                strict=True,
            )

    def __repr__(self) -> str:
        groups, source = len(self.record["clusters"]), self.record["input"]
        return f"<PictureAnalysis of {source['name']}: {groups} clusters in {source['rows']:,} pictures>"

    def _repr_html_(self) -> str:
        return pictures_summary(self.record)


def pictures(source: str | os.PathLike, **options: Any) -> PictureAnalysis:
    """Find the groups in a folder or a stack of pictures and explain them, in one call.

    Parameters
    ----------
    source : path
        A folder of pictures, or an ``.npy`` or ``.npz`` file of them.
    **options
        See `coterie.applications.study_pictures`.

    Returns
    -------
    PictureAnalysis
        ``.write(folder)`` puts it on the disk.

    Raises
    ------
    InputError
        If the pictures or an option cannot be used.

    Examples
    --------
    >>> import pathlib, tempfile, numpy as np
    >>> rng = np.random.default_rng(0)
    >>> bars = rng.random((40, 8, 8)) * 0.2
    >>> bars[:20, 3:5] += 0.8
    >>> bars[20:, :, 3:5] += 0.8
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(pathlib.Path(folder) / "bars.npy", bars)
    ...     found = pictures(pathlib.Path(folder) / "bars.npy", method="KMeans", n_clusters=2)
    >>> found
    <PictureAnalysis of bars.npy: 2 clusters in 40 pictures>
    """
    from ..applications import study_pictures
    from ..errors import InputError

    told = {key: value for key, value in options.items() if value is not None}
    misplaced = [name for name in _OF_TABLES if name in told]
    if misplaced:
        raise InputError(f"{misplaced[0]}= is for tables, but {Path(source).name} holds pictures; leave it out")
    found = study_pictures(source, **told)
    shown = {key: _shown(value) for key, value in told.items()}
    return PictureAnalysis(
        record=finished(found.record, _input(found.pictures), shown, schema=PICTURES),
        labels=found.labels,
        strengths=found.strengths,
        outlier_scores=found.outlier_scores,
        table=found.pictures,
        estimator=found.estimator,
        prepared=found.prepared,
        label_map=found.label_map,
        distances=found.distances,
    )


def _input(found: Any) -> dict[str, Any]:
    return {
        "name": found.name,
        "rows": found.n_rows,
        "bytes": found.source_bytes,
        "fingerprint": found.fingerprint(),
        "notes": list(found.notes),
    }


def _shown(value: Any) -> Any:
    # A record travels: of a path on this machine it keeps the last part.
    return Path(value).name if isinstance(value, os.PathLike) or (isinstance(value, str) and os.sep in value) else value
