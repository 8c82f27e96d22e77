"""An analysis as text, as JSON and as one self-contained page; and the main job that makes one.

`run` goes from data to an `Analysis`; its ``write`` puts labels, model, ``run.json`` and ``report.html`` into a folder,
all or nothing. `html` and `text` need the record (the content of ``run.json``) and nothing else.
"""

from .analysis import Analysis, Folder, run
from .blocks import BlockAnalysis, write_label_blocks
from .folder import check_target, locked
from .labels import write_labels
from .pages import render, text_of
from .text import text
from .webpage import html

__all__ = [
    "Analysis", "BlockAnalysis", "Folder", "check_target", "html", "locked", "render", "run", "text", "text_of",
    "write_label_blocks", "write_labels",
]  # fmt: skip
