"""``coterie image PICTURE``: from a picture file to its regions, a table of them, and a report with a slider."""

import math
from pathlib import Path
from typing import Any

import click

from ._config import ClusteringCommand
from ._deliver import deliver, spent
from ._errors import as_options
from ._options import Share, limits_and_seed, output_and_talk, usable_input
from ._terminal import Talk

__all__ = ["command"]


class _Regions(click.ParamType):
    """A number of regions, or "auto"."""

    name = "number"

    def convert(self, value: Any, param: Any, ctx: Any) -> int | str:
        """Return "auto" or the number."""
        if value == "auto":
            return value
        try:
            wanted = int(value)
        except ValueError:
            wanted = 0
        if wanted < 1:
            self.fail(f"expected auto, or a number of regions of at least 1, got {value!r}", param, ctx)
        return wanted


class _Height(click.FloatRange):
    """A number from 0 on that is one."""

    def __init__(self) -> None:
        super().__init__(min=0)

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return the number."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"expected a number from 0 on, got {value!r}", param, ctx)
        return found


@click.command("image", cls=ClusteringCommand, short_help="Find the regions of a picture.")
@click.argument("picture", required=False, callback=usable_input)
@click.option("-o", "--output", metavar="FOLDER", help="Where results go (default: NAME.coterie here).")
@click.option("-k", "--regions", type=_Regions(), default="auto", show_default=True, help="How many regions, or auto.")
@click.option(
    "--mode", type=click.Choice(("merge", "divide")), default="merge", show_default=True,
    help="Merge small pieces that differ least, or cut the picture by balanced cuts.",
)  # fmt: skip
@click.option("--height", type=_Height(), help="With auto: the difference that keeps regions apart (default: 0.41).")
@click.option("--min-area", type=click.IntRange(1), metavar="PIXELS", help="Smaller regions join a neighbour.")
@click.option("--min-share", type=Share(0.5), help="The same as a share of the picture, e.g. 0.5%.")
@click.option("--mask", metavar="FILE", callback=usable_input, help="A picture that is black where nothing counts.")
@click.option(
    "--truth", metavar="FILE", callback=usable_input,
    help="A picture of known regions, one colour each, to compare with; never used to find them.",
)  # fmt: skip
@click.option(
    "--superpixels", type=click.IntRange(2, 20_000), default=800, show_default=True,
    help="Small pieces that regions are made of: more show finer detail.",
)  # fmt: skip
@limits_and_seed("pictures that need")
@output_and_talk
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:
    """Find the regions of PICTURE, where they lie, how large they are and what colour they have.

    PICTURE is a .png, .jpg, .tif, .bmp, .gif or .webp file, 8 bits or grey of 16, or an .npy array with any bands. Results go
    to NAME.coterie/: regions.csv, labels.npy and labels.png (region of each pixel; in the PNG plus 1, 0 outside), overlay.png, ucm.png
    (strength of borders), tree.json, metrics.json, run.json and report.html.
    """
    if options["picture"] is None:
        raise click.UsageError("give the file of the PICTURE", ctx)
    if options["picture"] == "-":
        raise click.UsageError("a picture cannot come from stdin; give its file", ctx)
    if options["output"] == "-":
        raise click.UsageError("give a folder with -o; --json writes the record to stdout", ctx)
    if options["min_area"] is not None and options["min_share"] is not None:
        raise click.UsageError("give --min-area or --min-share, not both", ctx)
    folder = options["output"] or f"{Path(options['picture']).stem}.coterie"
    with Talk(options["quiet"], options["verbose"]) as talk:
        from .. import report
        from ..applications.images import study_image
        from ..report.images import image_sheet

        report.check_target(folder, force=options["force"])
        study = study_image(
            options["picture"],
            mask=options["mask"],
            truth=options["truth"],
            memory_limit=options["memory_limit"],
            on_step=lambda step: talk.say(step.name, step.text + spent(step, talk)),
            **_parameters(options),
        )
        study = study._replace(warnings=[_as_typed(one, options) for one in study.warnings])
        names = ("regions", "mode", "height", "min_area", "min_share", "mask", "truth", "superpixels", "seed")
        told = {name: options[name] for name in names if options[name] is not None}
        return deliver(image_sheet(study, told), folder, options, talk)


def _as_typed(warning: dict[str, str], options: dict[str, Any]) -> dict[str, str]:
    """Return a warning with the library's parameters called as they were typed."""
    least = "--min-area" if options["min_share"] is None else "--min-share"
    return {key: as_options(text).replace("--min-area", least) for key, text in warning.items()}


def _parameters(options: dict[str, Any]) -> dict[str, Any]:
    """Return what the estimator is given."""
    given = {"n_regions": options["regions"], "mode": options["mode"], "n_superpixels": options["superpixels"]}
    given["random_state"] = options["seed"]
    least = options["min_area"] if options["min_share"] is None else options["min_share"]
    return given | {
        name: value for name, value in (("height", options["height"]), ("min_area", least)) if value is not None
    }
