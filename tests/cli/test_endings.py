"""Every error ends in one sentence and its own exit code; secrets never show."""

import errno
import re
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie import errors
from coterie.cli._errors import explained, without_secrets

DSN = "postgresql://ada:s3cr3t@db.example/shop"


def _ended(error, capsys, arguments=()):
    with explained(arguments) as outcome:
        raise error
    return outcome.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InputError("the file is empty"), 3),
        (errors.ModelFileError("the model is damaged"), 3),
        (errors.ResourceError("needs 9 GB, the limit is 1 GB"), 4),
        (MemoryError(), 4),
        (errors.OutputError("could not write x"), 1),
        (OSError(errno.ENOSPC, "No space left on device", "x"), 1),
        (errors.UnsupportedError("no"), 2),
        (errors.MissingExtraError('pip install "coterie[db]"'), 2),
        (click.UsageError("Wrong."), 2),
        (ZeroDivisionError("division by zero"), 1),
        (RecursionError(), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value,
)
def test_an_error_is_one_sentence_and_a_code(error, code, capsys):
    found, said = _ended(error, capsys)
    assert found == code
    assert said.startswith("error: ")
    assert len(said.splitlines()) == 1
    assert len(said) > len("error: \n")


def test_several_lines_become_one(capsys):
    assert _ended(errors.InputError("one\ntwo"), capsys)[1] == "error: one two\n"


def test_ctrl_c_is_130_without_a_traceback(capsys):
    code, said = _ended(KeyboardInterrupt(), capsys)
    assert code == 130
    assert "Traceback" not in said


def test_a_reader_that_went_away_is_no_error(process):
    import subprocess
    import sys

    done = subprocess.run(
        f"{sys.executable} -m coterie --help | true; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.strip() in ("0", "141")  # 0 where the help was written before the reader left


def test_the_unexpected_leaves_a_private_crash_file_without_secrets(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, said = _ended(ZeroDivisionError(f"at {DSN}"), capsys, ["run", DSN, "--query", "select 1"])
    assert code == 1
    path = Path(re.search(r"\S+coterie-crash-\S+", said)[0])
    content = path.read_text()
    assert "ZeroDivisionError" in content
    assert "Traceback" in content
    assert "s3cr3t" not in content + said
    assert path.stat().st_mode & 0o077 == 0


@given(
    st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1),
    st.text(st.characters(codec="ascii", categories=("L", "N", "P"), exclude_characters="@/'\" \\"), min_size=9),
)
def test_no_password_of_an_address_survives(user, password):
    for text in (
        f"could not reach postgresql://{user}:{password}@host:5432/db today",
        f"['run', 'postgres://{user}:{password}@host/db']",
        f"mysql+driver://{user}:{password}@host",
    ):
        assert password not in without_secrets(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("host=h password=abc123 user=u", "host=h password=*** user=u"),
        ("password='a b c' x", "password=*** x"),
        ("?token=abc&x=1", "?token=***&x=1"),
        ("http://host/path is fine", "http://host/path is fine"),
        ("a@b.c and d:e", "a@b.c and d:e"),
    ],
)
def test_what_looks_like_a_secret_is_starred_and_nothing_else(text, expected):
    assert without_secrets(text) == expected
