"""``coterie predict MODEL FILE``: label new rows, new pictures, or new nodes, with a saved model."""

import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import click

from . import _interrupt
from ._config import ClusteringCommand
from ._idle import refuse_idle
from ._options import Bytes, usable_source
from ._terminal import Talk

__all__ = ["command"]

BATCH_ROWS = 100_000


@click.command("predict", cls=ClusteringCommand, short_help="Label new rows with a saved model.")
@click.argument("model", type=click.Path())
@click.argument("file", callback=usable_source)
@click.option("-o", "--output", metavar="FILE", default="-", help="Where the labels go (default: stdout).")
@click.option("--query", metavar="SQL", help="Rows to take from a database.")
@click.option("--table", metavar="NAME", help="Table to take from a database file.")
@click.option(
    "--text-model", metavar="FOLDER|NAME", help="Where the embedding model of the run is now, if it was moved."
)
@click.option("--array", metavar="NAME", help="Pictures: the array to take from an .npz file.")
@click.option("--memory-limit", type=Bytes(), help="Refuse a file that needs more, e.g. 2GB.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of CSV.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    model: str,
    file: str,
    output: str,
    query: str | None,
    table: str | None,
    text_model: str | None,
    array: str | None,
    memory_limit: int | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Give each row of FILE the cluster it belongs to, by MODEL (a .coterie file, or the folder that holds one).

    Writes CSV with the columns row and label: rows count from 0 without the header, -1 means that a row fits no cluster.
    Columns are matched by name, in any order; further columns are ignored. A model of pictures takes a folder of them, or an .npy
    or .npz stack, and writes the columns picture and label. A model of a network takes links of new nodes to those that it has, and
    writes the columns node and label. A model of the regions of a picture takes another picture, and -o NAME.npy or NAME.png.
    """
    from .. import models, tables
    from ..errors import InputError
    from ..report.words import counted

    with Talk(quiet) as talk:
        loaded = models.load(model, text_model=text_model)
        if type(loaded.estimator).__name__ == "ClusterRecommender":
            raise InputError(
                f"{model} suggests items to users and does not label rows; use coterie recommend {file} --model {model}"
            )
        if isinstance(loaded.prepared, tables.WholePicture):
            refuse_idle(
                ctx,
                ("query", "table", "array", "as_json"),
                "this model finds the regions of a picture",
                "give a model of rows",
            )
            return _regions(loaded, file, output, memory_limit, talk)
        names, noun = None, "row"
        if isinstance(loaded.prepared, tables.NodeCoding):
            rows, noun = (
                _nodes(loaded.prepared, file, {"query": query, "table": table, "array": array}, memory_limit, talk),
                "node",
            )
            names, batches = rows.names, iter([loaded.predict(rows).tolist()])
        elif isinstance(loaded.prepared, tables.PictureCoding):
            noun = "picture"
            rows, names = _pictures(loaded.prepared, file, {"query": query, "table": table}, array, memory_limit, talk)
            batches = iter([loaded.predict(rows).tolist()])  # a network is exact for the batches it knows
        else:
            if array is not None:
                raise click.UsageError("--array is for pictures, and this is a model of a table; leave it out")
            rows = tables.read(file, query=query, table=table, memory_limit=memory_limit)
            talk.say(
                "read", f"{counted(rows.n_rows, 'row')} and {counted(len(rows.columns), 'column')} from {rows.name}"
            )
            batches = _labels(loaded, rows, talk)
        if output == "-":
            _emit(sys.stdout, batches, rows.n_rows, model, as_json, names, noun)
            sys.stdout.flush()
        else:
            from ..files import atomic_write

            with _interrupt.leave_no_part_of(output), atomic_write(output, "w", encoding="utf-8", newline="") as stream:
                _emit(stream, batches, rows.n_rows, model, as_json, names, noun)
            talk.say("wrote", output)
    return 0


def _regions(model: Any, file: str, output: str, memory_limit: int | None, talk: Talk) -> int:
    """Write the region of each pixel of a picture."""
    import numpy as np

    from ..files import atomic_write, write_bytes
    from ..tables.picture_looks import label_png
    from ..tables.picture_whole import read_picture

    ending = Path(output).suffix.lower()
    if ending not in (".npy", ".png"):
        raise click.UsageError("regions of a picture go to a file: give -o NAME.npy or -o NAME.png")
    labels = model.predict(read_picture(file, memory_limit=memory_limit)).astype(np.int32)
    with _interrupt.leave_no_part_of(output):
        if ending == ".png":
            write_bytes(output, label_png(labels))
        else:
            with atomic_write(output) as stream:
                np.save(stream, labels)
    talk.say("wrote", output)
    return 0


def _pictures(
    coding: Any, file: str, of_tables: dict[str, Any], array: str | None, memory_limit: int | None, talk: Talk
) -> tuple[Any, tuple[str, ...]]:
    """Return pictures as the model takes them, and their names; what could not be read is named on stderr."""
    from ..report.words import counted
    from ..study.plan import available_memory

    for name, value in of_tables.items():
        if value is not None:
            raise click.UsageError(f"--{name} is for tables, and this is a model of pictures; leave it out")
    found = coding.read(file, array=array, memory_limit=available_memory() if memory_limit is None else memory_limit)
    talk.say("read", f"{counted(found.n_rows, 'picture')} from {found.name}")
    for name, why in found.left_out:
        talk.warn(f"{name} was left out: {why}")
    return found, found.names


def _nodes(coding: Any, file: str, of_tables: dict[str, Any], memory_limit: int | None, talk: Talk) -> Any:
    """Return new nodes and their links to those of the model."""
    from ..report.words import counted

    for name, value in of_tables.items():
        if value is not None:
            raise click.UsageError(
                f"--{name} is for tables and pictures, and this is a model of a network; leave it out"
            )
    found = coding.read(file, memory_limit=memory_limit)
    known = (
        f"; {counted(found.n_known, 'node')} beside them {'is' if found.n_known == 1 else 'are'} in the network already"
    )
    talk.say("read", f"{counted(found.n_rows, 'new node')} from {found.name}{known}")
    return found


def _labels(model: Any, rows: Any, talk: Talk) -> Iterator[list[int]]:
    import numpy as np

    for start in range(0, rows.n_rows, BATCH_ROWS):
        stop = min(start + BATCH_ROWS, rows.n_rows)
        batch = rows if stop - start == rows.n_rows else rows.take(np.arange(start, stop))
        yield model.predict(batch).tolist()
        talk.progress(stop, rows.n_rows, "labels")


def _emit(
    stream: IO[str],
    batches: Iterator[list[int]],
    n_rows: int,
    model: str,
    as_json: bool,
    names: tuple[str, ...] | None,
    noun: str,
) -> None:
    # The first batch is labelled before anything is written: an unusable file leaves stdout empty.
    first = next(batches, [])
    if as_json:
        labels = first + [label for batch in batches for label in batch]
        content = {"schema": "coterie.predict/1", "model": Path(model).name, "rows": n_rows, "labels": labels}
        content |= {} if names is None else {f"{noun}s": list(names)}
        stream.write(json.dumps(content) + "\n")
        return
    from ..report.cells import field

    stream.write(f"{noun},label\n")
    row = 0
    for batch in itertools.chain([first], batches):
        shown = range(row, row + len(batch)) if names is None else map(field, names[row : row + len(batch)])
        stream.write("".join(f"{name},{label}\n" for name, label in zip(shown, batch, strict=True)))
        row += len(batch)
