"""``coterie demo``: the main job on real data that scikit-learn ships, so that nothing is downloaded."""

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

import click

from ._config import ConfiguredCommand
from ._terminal import Talk
from .run import analyse

__all__ = ["command"]

DATA = "iris.csv"
FOLDER = "demo.coterie"


@click.command("demo", cls=ConfiguredCommand, short_help="The main job on real data that is already installed.")
@click.option("-o", "--output", metavar="FOLDER", default=FOLDER, show_default=True, help="Where results go.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of all random numbers.")
@click.option("--json", "as_json", is_flag=True, help="Write the record of the run (as in run.json) to stdout.")
@click.option("--open", "open_report", is_flag=True, help="Open the report in the browser.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
def command(output: str, seed: int, as_json: bool, open_report: bool, quiet: bool) -> int:
    """Cluster 150 iris flowers by the size of their leaves, and compare with the three species they are of.

    The species is never shown to the clustering. Two of the three overlap in these measurements, and no honest answer tells
    them apart: expect two groups. The data lie beside the results, as iris.csv, so that the same can be done by hand:
    coterie run demo.coterie/iris.csv --truth species
    """
    content = _iris()
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
        "output": output, "seed": seed, "as_json": as_json, "quiet": quiet, "truth": "species", "roles": (),
        "clusters": None, "min_share": None, "query": None, "table": None, "memory_limit": None, "time_limit": None,
        "method": "auto", "labels_to_stdout": False, "no_report": False, "force": False, "strict": False,
        "dry_run": False, "verbose": False,
    }  # fmt: skip


def _iris() -> str:
    from sklearn.datasets import load_iris

    iris = load_iris()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*iris.feature_names, "species"])
    for values, species in zip(iris.data.tolist(), iris.target.tolist(), strict=True):
        writer.writerow([*(f"{value:g}" for value in values), iris.target_names[species]])
    return text.getvalue()
