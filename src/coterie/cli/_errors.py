"""Every ending of a command, as one sentence on stderr and an exit code."""

import ast
import contextlib
import errno
import os
import re
import shlex
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import _interrupt, _terminal

__all__ = ["DOUBTFUL", "LIMIT", "Outcome", "as_options", "explained", "without_secrets"]

UNEXPECTED, USAGE, UNUSABLE, LIMIT, DOUBTFUL, INTERRUPTED, NO_READER = 1, 2, 3, 4, 5, 130, 141

_SECRETS = (
    (re.compile(r"(\w[\w+.-]*://)[^\s/@'\"]*:[^\s'\"]*@"), r"\1***@"),
    (re.compile(r"(?i)\b(pass(?:word|wd|phrase)?|pwd|token|secret|api_?key)(\s*[=:]\s*)('[^']*'|\"[^\"]*\"|[^\s&'\"]+)"), r"\1\2***"),
)  # fmt: skip


# How to use a column, as Python writes it: its name in quotes of either kind.
_ROLES = re.compile(r"""\broles=(\{(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"): '\w+'\})""")
# Parameters of the library as options; a name in quotes is the user's.
_PARAMETER = re.compile(
    r"(?<!['\"`\w-])(?:(n_clusters|n_regions|n_superpixels|min_area|memory_limit|time_limit|min_share)(?:=('[^']*'|[\w.%]+))?|(method|purpose|truth)=('[^']*'))(?!\w)"
)


@dataclass
class Outcome:
    """Where the exit code of a command ends up."""

    code: int = 0


def without_secrets(text: str) -> str:
    """Return ``text`` with the credentials of URLs and ``password=`` values replaced by stars."""
    for pattern, stars in _SECRETS:
        text = pattern.sub(stars, text)
    return text


@contextlib.contextmanager
def explained(arguments: Sequence[str]) -> Iterator[Outcome]:
    """Run the block; whatever it raises becomes one sentence on stderr and an exit code in the yielded outcome."""
    outcome = Outcome()
    streams = sys.stdout, sys.stderr
    try:
        # What other libraries warn about is for programmers; what the user must know is in the record's own warnings.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield outcome
        sys.stdout.flush()
    except KeyboardInterrupt:
        outcome.code = _stopped()
    except SystemExit as error:
        if sys.stdout is not streams[0]:  # click has swallowed a broken pipe, and wrapped the streams to quiet them
            sys.stdout, sys.stderr = streams
            outcome.code = _explain(BrokenPipeError(errno.EPIPE, ""), arguments)
        else:
            outcome.code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException as error:
        if _interrupt.interrupted() is not None:  # libraries turn a KeyboardInterrupt into errors of their own
            outcome.code = _stopped()
        else:
            outcome.code = _explain(error, arguments)


def _stopped() -> int:
    _terminal.line("stopped", "interrupted; nothing was left half-written", error=True)
    return _interrupt.interrupted() or INTERRUPTED


def _explain(error: BaseException, arguments: Sequence[str]) -> int:
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        # Python flushes stdout once more on its way out; give it somewhere to go.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO_READER
    code, sentence = _code_and_sentence(error)
    if code == UNEXPECTED and sentence is None:
        sentence = _crashed(error, arguments)
    if sentence:
        _terminal.error(without_secrets(sentence))
    return code


def _code_and_sentence(error: BaseException) -> tuple[int, str | None]:
    import click

    from .. import errors

    if isinstance(error, click.exceptions.Exit):
        return error.exit_code, ""
    if isinstance(error, click.Abort):
        return INTERRUPTED, ""
    if isinstance(error, click.ClickException):
        return USAGE, _usage(error)
    if isinstance(error, errors.InputError):
        return UNUSABLE, as_options(str(error))
    if isinstance(error, MemoryError):
        return LIMIT, as_options(
            str(error)
        ) or "the memory of this machine was not enough; lower --memory-limit or take fewer rows"
    if isinstance(error, errors.ClusterError):
        return LIMIT, str(error)
    if isinstance(error, errors.UnsupportedError | errors.MissingExtraError):
        return USAGE, as_options(str(error))
    if isinstance(error, errors.CoterieError):  # OutputError among them
        return UNEXPECTED, str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        where = f" {error.filename}" if error.filename else ""
        return UNEXPECTED, f"could not write{where}: {error.strerror}"
    return UNEXPECTED, None


def as_options(sentence: str) -> str:
    """Return what the library says with its parameters called as the command line calls them: ``--clusters 3``."""

    def option(found: re.Match[str]) -> str:
        name, value = found[1] or found[3], found[2] or found[4]
        words = f"--{name.removeprefix('n_').replace('_', '-')}"
        return words if value is None else f"{words} {value.strip(chr(39))}"

    def roles(found: re.Match[str]) -> str:
        ((column, role),) = ast.literal_eval(found[1]).items()
        return f"--roles {shlex.quote(f'{column}={role}')}"

    return _ROLES.sub(roles, _PARAMETER.sub(option, sentence))


def _usage(error: "object") -> str:
    message = error.format_message()  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    sentence = message[:1].lower() + message[1:].rstrip(".")
    return sentence if context is None else f"{sentence}; see {context.command_path} --help"


def _crashed(error: BaseException, arguments: Sequence[str]) -> str:
    import platform
    import tempfile
    import traceback

    from .. import __version__

    report = "\n".join(
        [
            f"coterie {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"arguments: {list(arguments)}",
            "".join(traceback.format_exception(error)),
        ]
    )
    reason = (str(error).splitlines() or [""])[0][:200]
    sentence = f"something unexpected went wrong ({type(error).__name__}{': ' if reason else ''}{reason})"
    try:
        descriptor, path = tempfile.mkstemp(prefix="coterie-crash-", suffix=".txt")
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(without_secrets(report))
    except OSError:
        return sentence
    return f"{sentence}; please report it with the file {path}"
