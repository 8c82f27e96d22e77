"""``coterie demo``: the main job on real data that scikit-learn ships, so that nothing is downloaded."""

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

import click

from ._config import ClusteringCommand
from ._terminal import Talk
from .run import analyse

__all__ = ["command"]

DATA = "wine.csv"
FOLDER = "demo.coterie"


@click.command("demo", cls=ClusteringCommand, short_help="The main job on real data that is already installed.")
@click.option("-o", "--output", metavar="FOLDER", default=FOLDER, show_default=True, help="Where results go.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of all random numbers.")
@click.option("--json", "as_json", is_flag=True, help="Write the record of the run (as in run.json) to stdout.")
@click.option("--open", "open_report", is_flag=True, help="Open the report in the browser.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
def command(output: str, seed: int, as_json: bool, open_report: bool, quiet: bool) -> int:
    """Cluster 178 Italian wines by 13 chemical measurements, and compare with the grape they were made from.

    The grape (column cultivar) is never shown to the clustering. The data lie beside the results, as wine.csv, so that the
    same can be done by hand: coterie run demo.coterie/wine.csv --truth cultivar
    """
    content = _wine()
    with tempfile.TemporaryDirectory(prefix="coterie-") as place:
        source = Path(place) / DATA
        source.write_text(content, encoding="utf-8", newline="")
        code = analyse(str(source), _options(output, seed, as_json, quiet))
    from ..files import write_text

    folder = Path(output).expanduser()
    write_text(folder / DATA, content)
    with Talk(quiet) as talk:
        talk.say("report", str((folder / "report.html").resolve()))
    if open_report:
        import webbrowser

        webbrowser.open((folder / "report.html").resolve().as_uri())
    return code


def _options(output: str, seed: int, as_json: bool, quiet: bool) -> dict[str, Any]:
    from .run import command as run

    options = {str(parameter.name): parameter.default for parameter in run.params}
    return options | {
        "output": output, "seed": seed, "as_json": as_json, "quiet": quiet, "truth": "cultivar", "roles": (),
        "clusters": None, "min_share": None, "query": None, "table": None, "memory_limit": None, "time_limit": None,
        "method": "auto", "labels_to_stdout": False, "no_report": False, "force": False, "strict": False,
        "dry_run": False, "verbose": False, "array": None, "size": None, "encoder": None, "cluster": None, "purpose": None,
        "text_model": None,
    }  # fmt: skip


def _wine() -> str:
    from sklearn.datasets import load_wine

    wine = load_wine()
    grapes = ("Barolo", "Grignolino", "Barbera")  # the cultivars of the three classes, by the data's authors
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*wine.feature_names, "cultivar"])
    for values, grape in zip(wine.data.tolist(), wine.target.tolist(), strict=True):
        writer.writerow([*(f"{value:g}" for value in values), grapes[grape]])
    return text.getvalue()
