"""The regions of a picture as a sheet: outlines, a slider through the tree, the table of regions, and the files of the folder."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..applications.images import ImageStudy
from ..applications.images._drawing import as_bytes, cut_out, outlined, painted, smaller, strengths
from ..applications.images._table import band_names, mean_colours
from ..files import write_bytes
from ..models import save
from ..tables.picture_looks import jpeg_uri, label_png, png, png_uri
from ..tables.picture_whole import WholePicture
from .cells import field, number, write_rows
from .sheet import Sheet, sheet_record
from .words import count, counted, percent

__all__ = ["image_sheet"]

_LONGEST = 720  # pixels of a side of the page's pictures
_THUMB = 96
_CARDS = 24  # regions that get a card with a cut-out
_MOST_ROWS = 500
_CUTS = (2, 3, 4, 6, 8, 12, 16, 24, 36, 60, 100)  # regions at the stops of the slider
_FAST = 3  # compression of pictures at full size
_WORDS = (
    ("region", "a part of the picture that hangs together by the sides of its pixels"),
    ("superpixel", "one of some hundred small pieces of like colour that regions are made of"),
    (
        "height",
        "how different two neighbouring regions are, in colour, texture and along their border; below it they are one",
    ),
    ("overlap", "area that two regions share, divided by the area of both together"),
)


def image_sheet(study: ImageStudy, options: Mapping[str, Any]) -> Sheet:
    """Return the sheet of a picture.

    Parameters
    ----------
    study : ImageStudy
    options : mapping
        As they were given.

    Returns
    -------
    Sheet
    """
    model = study.model
    picture = model.picture_
    height, width = model.labels_.shape
    pixels = as_bytes(picture)
    few, labels = smaller(pixels, model.labels_, _LONGEST)
    record = sheet_record(
        kind="images",
        source={
            "name": picture.name, "rows": int(picture.inside.sum()), "bytes": picture.source_bytes,
            "fingerprint": hashlib.sha256(np.ascontiguousarray(picture.values).tobytes()).hexdigest()[:32],
        },
        options=options,
        seed=int(options.get("seed") or 0),
        headline=f"{picture.name}: {counted(model.n_regions_, 'region')} in {width:,} x {height:,} pixels",
        answer=_answer(study),
        groups=_groups(study, few, labels),
        noun="region",
        members="pixels",
        sections=[_overlay(few, labels, model.n_regions_), *_levels(study), _strength(study), _palette(study), _table(study)],
        metrics=_metrics(study),
        warnings=study.warnings,
        notes=picture.notes,
        steps=[step.plain() for step in study.steps],
        words=_WORDS,
    )  # fmt: skip
    return Sheet(record, _writers(study, pixels))


def _answer(study: ImageStudy) -> list[str]:
    model, table = study.model, study.table
    if model.n_regions_ == 1:
        return ["The whole picture is one region."]
    chosen = (
        f"as many as stay apart at height {model.height:g}" if model.n_regions == "auto" else "as many as you asked for"
    )
    first = ", ".join(
        f"{name} ({percent(share)})" for name, share in zip(table.names[:3], table.share[:3], strict=True)
    )
    small = int(table.area.min())
    return [
        f"The picture has {count(model.n_regions_)} regions, {chosen}; the largest: {first}.",
        f"The smallest has {counted(small, 'pixel')}.",
        f"With other superpixels the regions come back with {percent(study.again)} overlap; colour varies inside them by "
        f"{percent(study.unexplained)} of its variance in the whole picture.",
    ]


def _groups(study: ImageStudy, few: np.ndarray, labels: np.ndarray) -> list[dict[str, Any]]:
    table, groups = study.table, []
    for i, name in enumerate(table.names[:_CARDS]):
        first, last, left, right = table.box[i].tolist()
        group: dict[str, Any] = {
            "id": i, "name": name, "size": int(table.area[i]), "share": float(table.share[i]),
            "tint": _hex(table.colour[i]),
            "facts": [
                ["mean colour", _hex(table.colour[i])], ["rows", f"{first:,} to {last:,}"], ["columns", f"{left:,} to {right:,}"],
                ["touches", counted(len(table.neighbours[i]), "region")], ["comes back", percent(study.stability[i])],
            ],
        }  # fmt: skip
        cut = cut_out(few, labels, i)
        if min(cut.shape[:2]) > 0:
            step = -(-max(cut.shape[:2]) // _THUMB)
            cut = np.ascontiguousarray(cut[::step, ::step])
            alt = f"Region {i}, {name}, cut out"
            group["picture"] = {"source": png_uri(cut), "alt": alt, "width": cut.shape[1], "height": cut.shape[0]}
        groups.append(group)
    return groups


def _overlay(few: np.ndarray, labels: np.ndarray, k: int) -> dict[str, Any]:
    return {
        "kind": "picture", "title": "Outlines", "text": "Where the regions meet; overlay.png has it at full size.",
        "source": jpeg_uri(outlined(few, labels)), "alt": f"The picture with the outlines of {counted(k, 'region')}",
        "width": few.shape[1], "height": few.shape[0],
    }  # fmt: skip


def _levels(study: ImageStudy) -> Iterator[dict[str, Any]]:
    """Yield the slider through the tree, where it can be cut in several ways."""
    model = study.model
    k, most = model.n_regions_, model.most_regions_
    parts = int((~np.isfinite(model.tree_[:, 2])).sum()) + 1
    stops = sorted({k, *(n for n in _CUTS if parts <= n <= most)})
    if k == 1 or len(stops) < 2:
        return
    frames = []
    _, small = smaller(np.zeros((*model.superpixels_.shape, 1), np.uint8), model.superpixels_, _LONGEST)
    for n in stops:
        leaves = model.leaves(n)
        sums, _ = model.totals(leaves)
        labels = np.append(leaves, -1).astype(np.int32)[small]
        shown = painted(labels, mean_colours(sums, model.picture_))
        height = float(model.tree_[-(n - 1), 2]) if n > 1 else np.inf  # of the merge that would leave one fewer
        frames.append(
            {
                "label": f"{n:,}", "source": png_uri(shown), "alt": f"{n:,} regions painted in their mean colours",
                "width": shown.shape[1], "height": shown.shape[0],
                "facts": [
                    ["smallest region", counted(int(sums[:, -1].min()), "pixel")],
                    ["they stay apart below height", f"{height:.2f}" if np.isfinite(height) else "any"],
                ],
            }
        )  # fmt: skip
    yield {
        "kind": "levels", "label": "Regions", "title": "More or fewer regions", "frames": frames, "start": stops.index(k),
        "text": "The tree cut into so many regions, each painted in its mean colour; --regions writes any of them.",
    }  # fmt: skip


def _strength(study: ImageStudy) -> dict[str, Any]:
    model = study.model
    drawn = strengths(model.ucm_, model.height)
    factor = -(-max(drawn.shape) // _LONGEST)
    # The strongest border of each square stays, where a mean would let thin lines fade.
    rows, columns = (np.arange(0, n, factor) for n in drawn.shape)
    drawn = np.minimum.reduceat(np.minimum.reduceat(drawn, rows, axis=0), columns, axis=1)
    return {
        "kind": "picture", "title": "Strength of borders", "text": "The darker, the longer a border stays as regions merge.",
        "source": png_uri(drawn), "alt": "Borders between superpixels, dark where strong", "width": drawn.shape[1],
        "height": drawn.shape[0],
    }  # fmt: skip


def _palette(study: ImageStudy) -> dict[str, Any]:
    table = study.table
    shown = slice(0, _CARDS)
    labels = [f"{i}: {_hex(table.colour[i])} {name}" for i, name in enumerate(table.names)]
    return {
        "kind": "bars", "title": "Palette", "text": "Mean colour of the largest regions, and their share of the picture.",
        "label_name": "region", "labels": labels[shown], "groups": list(range(len(labels[shown]))),
        "series": [{"name": "share of the picture", "values": table.share[shown].tolist()}], "format": "percent",
    }  # fmt: skip


def _table(study: ImageStudy) -> dict[str, Any]:
    table = study.table
    columns = [
        {"name": "region", "label": "region", "format": "integer"},
        {"name": "name", "label": "colour and place", "format": "text"},
        {"name": "area", "label": "pixels", "format": "integer"},
        {"name": "share", "label": "share", "format": "percent"},
        {"name": "perimeter", "label": "perimeter", "format": "integer", "help": "sides of pixels along its border"},
        {"name": "colour", "label": "mean colour", "format": "text"},
        {
            "name": "stability",
            "label": "comes back",
            "format": "percent",
            "help": "overlap in runs with other superpixels",
        },
        {"name": "neighbours", "label": "touches", "format": "text", "help": "regions, the longest border first"},
    ]
    rows = [
        [
            i, table.names[i], int(table.area[i]), float(table.share[i]), int(table.perimeter[i]), _hex(table.colour[i]),
            float(study.stability[i]), " ".join(map(str, table.neighbours[i][:12])),
        ]
        for i in range(min(len(table.area), _MOST_ROWS))
    ]  # fmt: skip
    return {
        "kind": "table", "title": "All regions", "text": "Each region, the largest first.", "columns": columns, "rows": rows,
        "total": len(table.area), "file": "regions.csv",
    }  # fmt: skip


def _metrics(study: ImageStudy) -> list[dict[str, Any]]:
    found = [
        _metric("regions", "Regions", study.model.n_regions_, "integer", "number of regions, each hanging together by sides of pixels", True),
        _metric("superpixels", "Superpixels", study.model.n_superpixels_, "integer", "number of leaves of the tree"),
        _metric(
            "stability", "Come back", study.again, "percent",
            "mean over the pixels of the overlap (intersection over union) of their region with the most similar one of runs with 0.75, "
            "0.9 and 1.2 times the superpixels", True,
        ),
        _metric(
            "unexplained", "Colour variance inside", study.unexplained, "percent",
            "sum of squared distances of pixels from the mean colour of their region, divided by that from the mean of the picture", True,
        ),
        _metric("smallest_share", "Smallest region", float(study.table.share.min()), "percent", "share of the picture of the smallest region"),
    ]  # fmt: skip
    if study.truth is not None:
        covering, rand, information = study.truth
        found += [
            _metric("covering", "Covering", covering, "number", "mean over the pixels of the best overlap of their known region", True),
            _metric("rand", "Rand index", rand, "number", "share of pairs of pixels that are together in both or apart in both"),
            _metric(
                "information", "Variation of information", information, "number",
                "H(known | found) + H(found | known); 0 is best",
            ) | {"unit": "bits"},
        ]  # fmt: skip
    return found


def _metric(name: str, label: str, value: float, form: str, definition: str, key: bool = False) -> dict[str, Any]:
    return {"name": name, "label": label, "value": value, "format": form, "definition": definition, "key": key}


def _writers(study: ImageStudy, pixels: np.ndarray) -> dict[str, Callable[[Path], object]]:
    model = study.model
    return {
        "regions.csv": lambda path: _write_regions(path, study),
        "labels.npy": lambda path: np.save(path, model.labels_),
        "labels.png": lambda path: write_bytes(path, label_png(model.labels_)),
        "overlay.png": lambda path: write_bytes(path, png(outlined(pixels, model.labels_), _FAST)),
        "ucm.png": lambda path: write_bytes(path, png(strengths(model.ucm_, model.height), _FAST)),
        "model.coterie": lambda path: save(model, path, prepared=WholePicture()),
        "tree.json": lambda path: path.write_text(_tree(study), encoding="utf-8"),
    }


def _write_regions(path: Path, study: ImageStudy) -> None:
    table, bands = study.table, band_names(study.model.picture_)
    header = [
        "region",
        "name",
        "area",
        "share",
        "row",
        "column",
        "top",
        "bottom",
        "left",
        "right",
        "perimeter",
        "colour",
    ]
    header += [f"mean_{band}" for band in bands] + ["stability", "neighbours"]

    def rows() -> Iterator[list[str]]:
        for i in range(len(table.area)):
            whole = [table.box[i, 0], table.box[i, 1], table.box[i, 2], table.box[i, 3], table.perimeter[i]]
            yield [
                str(i), field(table.names[i]), str(table.area[i]), number(table.share[i]), *map(number, table.middle[i]),
                *map(str, whole), _hex(table.colour[i]), *map(number, table.mean[i]), number(study.stability[i]),
                " ".join(map(str, table.neighbours[i])),
            ]  # fmt: skip

    write_rows(path, header, rows())


def _tree(study: ImageStudy) -> str:
    model = study.model
    merges = [[int(a), int(b), float(h) if np.isfinite(h) else None, int(n)] for a, b, h, n in model.tree_.tolist()]
    content = {
        "about": "merge i joins two nodes (0 ... leaves - 1 are superpixels, leaves + j is merge j) at a height; a null height joins what "
        "does not touch; the last number counts superpixels",
        "leaves": model.n_superpixels_, "region_of_leaf": model.leaves_.tolist(), "merges": merges,
    }  # fmt: skip
    return json.dumps(content) + "\n"


def _hex(colour: np.ndarray) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour.tolist())
