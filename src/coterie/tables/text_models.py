"""Embedding models for texts: one the reader has on the disk, or a function of the reader's own.

A model is a folder, or the name of one that its library keeps on this machine; nothing is ever fetched. Static models (a vector for each
word) are read by model2vec, all others by sentence-transformers, on the CPU. Which model it was is known by the SHA-256 of its files.
"""

import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, MissingExtraError
from .words import LONGEST_TEXT

__all__ = ["TextModel", "text_model"]

_MOST_KEPT = 20_000  # texts whose rows are remembered, for a study asks for them more than once
_STATIC, _OTHER = "model2vec", "sentence-transformers"
_INSTALL = {_STATIC: 'pip install "coterie[text]"', _OTHER: "pip install sentence-transformers"}
_CHUNK = 2**20
_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


class TextModel:
    """An embedding model: texts in, for each a row of length 1 out.

    Parameters
    ----------
    name : str
        Of the folder or the function, for people.
    folder : str or None
        Where its files are; None for a function.
    library : str or None
        What reads it.
    digest : str or None
        SHA-256 of its files; None for a function.
    function : callable or None
        Given texts, returns their rows. None where files are to be read first, or for a function that a model file could not hold.
    """

    def __init__(
        self,
        name: str,
        folder: str | None = None,
        library: str | None = None,
        digest: str | None = None,
        function: Callable[[list[str]], Any] | None = None,
    ):
        self.name, self.folder, self.library, self.digest, self.function = name, folder, library, digest, function
        self._kept: dict[str, NDArray[np.float32]] = {}

    def __str__(self) -> str:
        return self.name

    def __call__(self, texts: Sequence[str], *, keep: bool = True) -> NDArray[np.float32]:
        """Return a row of length 1 for each text, (n, d); zeros where the model knows nothing of it.

        Parameters
        ----------
        texts : sequence of str
        keep : bool, default=True
            Whether to remember the rows, for they are asked for again.

        Raises
        ------
        InputError
            If the model is not there, is another than it was, or does not give a row of numbers for each text.
        """
        new = [text for text in dict.fromkeys(texts) if text not in self._kept]
        rows = dict(zip(new, self._rows(new), strict=True)) if new else {}
        found = np.array([rows[text] if text in rows else self._kept[text] for text in texts])
        if keep and len(self._kept) + len(rows) <= _MOST_KEPT:
            self._kept |= rows
        return found

    def state(self) -> dict[str, str | None]:
        """Return what a model file keeps: which model it was, and where."""
        return {"name": self.name, "folder": self.folder, "library": self.library, "digest": self.digest}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "TextModel":
        """Return the model of a model file; its files are read when it is first used.

        Raises
        ------
        ValueError
            If it is not the state of one.
        """
        parts = {name: state[name] for name in ("name", "folder", "library", "digest")}
        # A name that begins with two strokes is on another machine on Windows: looking there would be network traffic.
        if not all(part is None or isinstance(part, str) for part in parts.values()) or str(parts["folder"])[:2] in (
            "\\\\",
            "//",
        ):
            raise ValueError("it names no model of texts")
        return cls(**parts)

    def same_as(self, other: "TextModel") -> None:
        """Raise InputError unless the other model is this one, as far as can be known: of functions nothing can."""
        if other.digest != self.digest:
            raise InputError(
                f"the texts were coded by the model {self._words()}, and {other._words()} is another; give the one that they were coded by"
            )

    def require_width(self, width: int, expected: int) -> None:
        """Raise InputError unless the model gives as many numbers a text as at the fit."""
        if width != expected:
            raise InputError(
                f"the text model {self.name} gives {width:,} numbers a text, and {expected:,} when the groups were found; give the one "
                "that the texts were coded by"
            )

    def _words(self) -> str:
        return f"{self.name} (SHA-256 {self.digest[:12]}…)" if self.digest else f"{self.name} (a function)"

    def _rows(self, texts: list[str]) -> NDArray[np.float32]:
        given = self._encode([text[:LONGEST_TEXT] for text in texts])
        given = given.detach().cpu() if hasattr(given, "detach") else given
        try:
            rows = np.asarray(given, np.float64)
        except (TypeError, ValueError):
            rows = np.empty(0)
        if rows.ndim != 2 or len(rows) != len(texts) or not rows.shape[1] or not np.isfinite(rows).all():
            raise InputError(
                f"the text model {self.name} must give a row of finite numbers for each of {len(texts):,} texts, all of one length; got "
                f"{type(given).__name__} of shape {np.shape(rows) if rows.size else 'unknown'}; mend it, or leave text_model out"
            )
        size = np.linalg.norm(rows, axis=1, keepdims=True)
        return (rows / np.where(size > 0, size, 1.0)).astype(np.float32)

    @cached_property
    def _encode(self) -> Callable[[list[str]], Any]:
        if self.function is not None:
            return self.function
        if self.folder is None:
            raise InputError(
                f"the texts were coded by a function, {self.name}, which a model file cannot hold; give it again: "
                "coterie.load(path, text_model=function)"
            )
        if not Path(self.folder).is_dir():
            raise InputError(
                f"the texts were coded by the model in {self.folder}, which is not there; put it back, or say where it is: "
                "--text-model FOLDER, in Python coterie.load(path, text_model=folder)"
            )
        self.same_as(_in_folder(Path(self.folder), self.name))
        return _opened(Path(self.folder), str(self.library))


def text_model(source: Any) -> TextModel:
    """Return an embedding model for texts.

    Parameters
    ----------
    source : str, path, callable or TextModel
        A folder that model2vec or sentence-transformers saved, the name of a model they keep on this machine, or a function that returns
        an (n, d) array for a list of n texts.

    Returns
    -------
    TextModel
        Its files are read when it is first used.

    Raises
    ------
    InputError
        If there is no such model on this machine; none is fetched.
    MissingExtraError
        If the library that reads it is not installed.
    """
    if isinstance(source, TextModel):
        return source
    if callable(source):
        return TextModel(getattr(source, "__qualname__", type(source).__name__), function=source)
    folder = Path(source).expanduser()
    found = _in_folder(folder.resolve(), folder.resolve().name) if folder.is_dir() else _kept_here(str(source))
    if find_spec(str(found.library).replace("-", "_")) is None:
        raise MissingExtraError(f"the text model {found.name} needs {found.library}; {_INSTALL[str(found.library)]}")
    return found


def _in_folder(folder: Path, name: str) -> TextModel:
    kinds = [_json(folder / file) for file in ("config.json", "modules.json")]
    if not any(kinds):
        raise InputError(
            f"{folder} holds no text model: it has neither config.json nor modules.json; give a folder that model2vec or "
            "sentence-transformers saved"
        )
    config, modules = kinds
    static = isinstance(config, dict) and config.get("model_type") == "model2vec"
    first = modules[0] if isinstance(modules, list) and modules else None
    static |= isinstance(first, dict) and str(first.get("type")).endswith(".StaticEmbedding")
    return TextModel(name, str(folder), _STATIC if static else _OTHER, _digest(folder))


def _kept_here(name: str) -> TextModel:
    """Return the model that the libraries keep on this machine under a name of Hugging Face."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"text_model must be a folder, the name of a model or a function, got {name!r}, which is no folder; mend the path"
        )
    if find_spec("huggingface_hub") is None:
        raise MissingExtraError(
            f"no folder is called {name!r}, and models by their names need model2vec or sentence-transformers; {_INSTALL[_STATIC]}"
        )
    from huggingface_hub import snapshot_download

    for full in (name,) if "/" in name else (name, f"sentence-transformers/{name}"):
        try:
            return _in_folder(Path(snapshot_download(full, local_files_only=True)), name)
        except (OSError, ValueError) as error:
            if isinstance(error, InputError):
                raise
    raise InputError(
        f"no text model {name!r} is on this machine, neither as a folder nor among those kept by name, and none is fetched; give a folder, or "
        f"fetch it yourself: hf download {name}"
    )


def _digest(folder: Path) -> str:
    """Return the SHA-256 of names and contents of a model's files; what is hidden or only tells of it is left out."""
    found = hashlib.sha256()
    inside = [(path.relative_to(folder), path) for path in folder.rglob("*") if path.is_file()]
    for name, path in sorted(inside):
        if path.suffix == ".md" or any(part.startswith(".") for part in name.parts):
            continue
        found.update(f"{name.as_posix()}\0{path.stat().st_size}\0".encode("utf-8", "surrogatepass"))
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                found.update(chunk)
    return found.hexdigest()


def _opened(folder: Path, library: str) -> Callable[[list[str]], Any]:
    try:
        if library == _STATIC:
            from model2vec import StaticModel

            static = StaticModel.from_pretrained(folder)
            return lambda texts: static.encode(texts, use_multiprocessing=False)
        from sentence_transformers import SentenceTransformer

        with redirect_stderr(io.StringIO()):  # bars of what is loaded
            encoder = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        return lambda texts: encoder.encode(texts, show_progress_bar=False)
    except ImportError as error:
        raise MissingExtraError(
            f"the text model in {folder} needs {library}, which cannot be imported ({error}); {_INSTALL[library]}"
        ) from error
    except Exception as error:  # whatever a library makes of a damaged file
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{library} cannot read the text model in {folder}: {type(error).__name__}: {reason}; give another, or get this one again"
        ) from error


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
