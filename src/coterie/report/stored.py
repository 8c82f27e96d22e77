"""The results of an earlier run, read back from its folder: the record, the labels, the model, and the data where they can be found."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from .naming import name_of
from .record import SCHEMA, loads

__all__ = ["StoredRun", "open_run"]


@dataclass(frozen=True)
class StoredRun:
    """What lies in the folder of a run; labels and model are read when they are asked for.

    Attributes
    ----------
    folder : Path
    record : dict
        The content of ``run.json``.
    """

    folder: Path
    record: dict[str, Any]

    @property
    def name(self) -> str:
        """The name of the folder, without its ending."""
        return self.folder.resolve().name.removesuffix(".coterie")

    @property
    def fingerprint(self) -> str | None:
        """What tells whether another run was on the same rows."""
        return self.record["input"].get("fingerprint")

    @property
    def names(self) -> dict[int, str]:
        """What the groups are called, by number: as people named them, else as they were found."""
        return {cluster["id"]: name_of(cluster) for cluster in self.record["clusters"]}

    @property
    def has_model(self) -> bool:
        """Whether a model was written."""
        return (self.folder / self._file("model", "model.coterie")).is_file()

    @cached_property
    def model(self) -> Any:
        """The `Model`, which calls its groups what they are called now."""
        from .. import models

        model = models.load(self.folder / self._file("model", "model.coterie"))
        model.card["names"] = [*self.names.values()]
        return model

    @cached_property
    def labels(self) -> np.ndarray:
        """(n,) int64: group of every row, -1 for none."""
        values = self._of_labels("label", np.int64)
        rows = self.record["input"].get("rows")
        if values is None or (rows is not None and len(values) != rows):
            raise InputError(f"{self._labels_path} does not have a label for each of the {rows} rows; run it again")
        return values

    @cached_property
    def strengths(self) -> np.ndarray | None:
        """(n,) float64, or None where none were written."""
        return self._of_labels("strength", np.float64)

    @cached_property
    def outlier_scores(self) -> np.ndarray | None:
        """(n,) float64, or None where none were written."""
        return self._of_labels("outlier_score", np.float64)

    @cached_property
    def ids(self) -> tuple[str, list[str]] | None:
        """Name and values of the column of ids, as texts, or None where the table has none."""
        from ..tables.convert import as_levels

        table = self._labels_table
        known = {"row", "label", "strength", "outlier_score"}
        columns = [] if isinstance(table, np.ndarray) else [c for c in table.columns if c.name not in known]
        if not columns:
            return None
        levels = as_levels(columns[0])
        texts = [*levels.values, ""]
        return columns[0].name, [texts[code] for code in levels.codes.tolist()]

    def rows_of(self, ids: Sequence[str]) -> list[int]:
        """Return the numbers of the rows that have these ids.

        Raises
        ------
        InputError
            If the run has no column of ids, or one is not in it.
        """
        if self.ids is None:
            raise InputError(f"the rows of {self.folder} have no column of ids; choose them by number with --row")
        name, values = self.ids
        place: dict[str, int] = {}
        for row, value in enumerate(values):
            place.setdefault(value, row)
        for wanted in ids:
            if wanted not in place:
                raise InputError(
                    f"no row has {wanted!r} in column {name!r}; give one of its values, for example {values[0]!r}"
                )
        return [place[wanted] for wanted in ids]

    def sampled(self, rows: Sequence[int]) -> list[dict[str, Any]] | None:
        """Return the original values of these rows where the record holds all of them, else None."""
        sample = (self.record.get("rows") or {}).get("sample") or {}
        found = [sample.get(str(row)) for row in rows]
        return None if any(line is None for line in found) else found  # type: ignore[return-value]

    def data(self) -> Any | None:
        """Return the table that was analysed, where the file still lies beside the folder or here, unchanged; else None."""
        from .. import tables
        from ..errors import CoterieError

        name = os.path.basename(str(self.record["input"].get("name") or ""))
        for place in (self.folder.resolve().parent, Path.cwd()):
            path = place / name
            if not name or not path.is_file():
                continue
            try:
                table = tables.read(path)
            except CoterieError:
                continue
            if table.fingerprint() == self.fingerprint:
                return table
        return None

    def _file(self, kind: str, default: str) -> str:
        # Only the name: a record cannot lead out of its folder.
        return os.path.basename(str((self.record.get("files") or {}).get(kind) or default))

    @property
    def _labels_path(self) -> Path:
        return self.folder / self._file("labels", "labels.csv")

    @cached_property
    def _labels_table(self) -> Any:
        from .. import tables

        path = self._labels_path
        if not path.is_file():
            raise InputError(f"{path} is not there; give a folder that coterie run wrote, whole")
        if path.suffix == ".npy":
            return np.load(path, mmap_mode="r", allow_pickle=False)
        return tables.read(path)

    def _of_labels(self, name: str, kind: type) -> np.ndarray | None:
        table = self._labels_table
        if isinstance(table, np.ndarray):
            return table.astype(kind) if name == "label" else None
        if name not in table.names:
            return None
        values = table.column(name).values
        if values.dtype.kind != "f" or (name == "label" and not np.isfinite(values).all()):
            raise InputError(f"{self._labels_path} is damaged: its column {name!r} holds something else than numbers")
        return values.astype(kind)


def open_run(path: str | os.PathLike) -> StoredRun:
    """Open the folder of an earlier run of a table.

    Parameters
    ----------
    path : str or path-like
        The folder, or a file in it.

    Raises
    ------
    InputError
        If it is no such folder, or its record cannot be read.
    """
    place = Path(path)
    folder = place if place.is_dir() else place.parent
    source = folder / "run.json"
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(
            f"{path} is no folder of results: it holds no run.json that can be read; give one that coterie run wrote"
        ) from error
    record = loads(text, str(source))
    if record.get("schema") != SCHEMA:
        raise InputError(
            f"{path} holds the results of {_KINDS.get(record['schema'], 'something else')}; give those of coterie run on a table"
        )
    return StoredRun(folder, record)


_KINDS = {"coterie.network/1": "a network", "coterie.pictures/1": "pictures"}
