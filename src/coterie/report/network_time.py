"""The files of a network over time: how many went from which class to which, and who."""

from pathlib import Path
from typing import Any

from .cells import field, number, plain_text, write_rows

__all__ = ["write_migration", "write_movers"]


def write_migration(path: Path, study: Any) -> None:
    """Write how many nodes went from which class to which, from each window to the next; empty where they were not seen.

    Parameters
    ----------
    path : Path
    study : NetworkStudy
        Of a network whose links have times.
    """
    labels = [field(label) for label in study.time.windows.labels]
    rows = (
        (labels[t - 1], labels[t], "" if a is None else str(a), "" if b is None else str(b), str(nodes))
        for t, a, b, nodes in study.time.migrations()
    )
    write_rows(path, ("window", "next_window", "from", "to", "nodes"), rows)


def write_movers(path: Path, study: Any, *, excel_safe: bool = False) -> None:
    """Write who is in another class than when last seen, with how much likelier the new class makes the links.

    Parameters
    ----------
    path : Path
    study : NetworkStudy
        Of a network whose links have times.
    excel_safe : bool, default=False
        Defuse names that a spreadsheet would take for a formula.
    """
    shown, labels = study.attributes.display, [field(label) for label in study.time.windows.labels]

    def named(node: int) -> list[str]:
        texts = [study.network.names[node], *([shown[node]] if shown else [])]
        return [field(plain_text(text, excel_safe)) for text in texts]

    rows = (
        (
            *named(one.node),
            labels[one.window],
            str(one.before),
            str(one.after),
            str(one.neighbours),
            number(one.evidence),
        )
        for one in study.time.movers()
    )
    write_rows(path, ("node", *(["name"] if shown else []), "window", "from", "to", "neighbours", "evidence"), rows)
