"""Put a run of the studio where it is to stay: the folder that `coterie run` would have written, with the names people gave."""

import functools
import re
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import CoterieError, InputError
from ..report import folder as folders
from ..report.naming import rename
from ..report.pages import page_of
from ..report.record import dumps, loads
from ..report.words import headline

__all__ = ["Target", "earlier_analysis", "save"]

_ENDING = ".coterie"
_NAME = re.compile(r"\w[\w .-]{0,59}(?<![ .])")


@dataclass(frozen=True)
class Target:
    """Where runs are saved.

    Attributes
    ----------
    said : str
        A folder, as it was typed.
    force : bool
        Write into it even where it holds other things.

    Raises
    ------
    InputError
        If the folder is not said by a name, beside which others could stand.
    """

    said: str
    force: bool = False

    def __post_init__(self) -> None:
        if Path(self.said).name in ("", ".."):
            raise InputError(
                f"runs are saved into a folder with a name, got {self.said!r}; give one, for example results{_ENDING}"
            )

    @property
    def name(self) -> str:
        """What a run is called where nobody calls it otherwise."""
        return Path(self.said).name.removesuffix(_ENDING)

    def called(self, name: str | None) -> "Target":
        """Return the target of a run that is called so: a folder beside this one, and nowhere else.

        Raises
        ------
        InputError
            If it is no plain name, or leads elsewhere.
        """
        if name is None or name == self.name:
            return self
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InputError(
                "a name has up to 60 letters, digits, spaces, dots, hyphens and underscores, and begins with a letter or digit; "
                "choose another one"
            )
        folder = Path(self.said).expanduser().with_name(f"{name.removesuffix(_ENDING)}{_ENDING}")
        if folder.is_symlink():
            raise InputError(f"{folder.name} is a link to somewhere else; choose another name")
        return Target(str(folder))


def earlier_analysis(target: Target) -> str | None:
    """Say what analysis stands at the target; None where none does.

    Raises
    ------
    OutputError
        If something else stands there.
    """
    mark = folders.check_target(target.said, force=target.force) / "run.json"
    if not mark.exists():
        return None
    try:
        record = loads(mark.read_text(encoding="utf-8"))
        return f"{headline(record)}, of {record['created'][:10]}"
    except (CoterieError, OSError, ValueError, LookupError, TypeError):
        return "one that this version of coterie cannot read"


def save(stored: Path, target: Target, names: Mapping[int, str]) -> Path:
    """Write a run into the folder of the target, all of it or nothing; an earlier analysis there is replaced.

    Parameters
    ----------
    stored : Path
        The folder that the run has written.
    target : Target
    names : mapping of int to str
        What people call its groups.

    Returns
    -------
    Path
        The folder, absolute.

    Raises
    ------
    OutputError
        If it cannot be written; what stood there before still stands, whole.
    """
    record = rename(loads((stored / "run.json").read_text(encoding="utf-8")), names)
    record["next"] = [_moved(command, stored.name, target.said) for command in record.get("next") or ()]
    texts = {"run.json": dumps(record), "report.html": page_of(record)}
    writers: dict[str, Callable[[Path], object]] = {
        file.name: functools.partial(shutil.copyfile, file)
        for file in sorted(stored.iterdir())
        if file.name not in texts
    }
    for name, text in texts.items():
        writers[name] = functools.partial(Path.write_text, data=text, encoding="utf-8", newline="\n")
    return folders.write_folder(target.said, writers, force=target.force)


def _moved(command: str, old: str, new: str) -> str:
    """Return a command with the files of one folder in the other."""
    words = [PurePosixPath(word) for word in shlex.split(command)]
    moved = [str(new / word.relative_to(old)) if word.is_relative_to(old) else str(word) for word in words]
    return shlex.join(moved)
