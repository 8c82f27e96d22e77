"""Whole files or none, whatever goes wrong at whatever moment."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from coterie.errors import OutputError
from coterie.files import atomic_write, write_bytes, write_text

STEPS = ("mkstemp", "write", "fsync", "chmod", "replace", "open")


def _left_behind(folder):
    return [entry.name for entry in folder.iterdir() if entry.name.endswith(".part")]


@pytest.fixture
def fail_at(monkeypatch):
    """Return a function that makes one step of writing fail with an error."""

    def arrange(step, error):
        def fail(*arguments, **keywords):
            raise error

        if step == "mkstemp":
            monkeypatch.setattr(tempfile, "mkstemp", fail)
        elif step != "write":
            monkeypatch.setattr(os, step, fail)

    return arrange


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS], ids=errno.errorcode.get)
def test_a_failure_at_any_step_leaves_the_old_file_or_the_new_one(step, code, fail_at, tmp_path):
    path = tmp_path / "result.txt"
    write_text(path, "old")
    error = OSError(code, os.strerror(code))
    fail_at(step, error)
    try:
        with atomic_write(path) as file:
            file.write(b"ne")
            if step == "write":
                raise error
            file.write(b"w")
    except OutputError as refused:
        message = str(refused)
        assert str(path) in message
        assert os.strerror(code) in message
        assert path.read_text() == "old"
    else:
        assert step == "open"  # only the folder's own flush may fail without consequence
        assert path.read_text() == "new"
    assert not _left_behind(tmp_path)


@pytest.mark.parametrize("step", STEPS[:-1])
def test_an_interruption_at_any_step_leaves_the_old_file_and_nothing_else(step, fail_at, tmp_path):
    path = tmp_path / "result.txt"
    write_text(path, "old")
    fail_at(step, KeyboardInterrupt())

    def write():
        with atomic_write(path) as file:
            file.write(b"new")
            if step == "write":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert path.read_text() == "old"
    assert not _left_behind(tmp_path)


WRITER = """
import sys
from coterie.files import write_bytes
while True:
    for letter in b"ab":
        write_bytes(sys.argv[1], bytes([letter]) * 40_000)
"""


def _is_whole(content):
    return len(content) == 40_000 and content in (b"a" * 40_000, b"b" * 40_000)


@pytest.mark.parametrize("attempt", range(4))
def test_a_reader_never_sees_a_torn_file_even_when_the_writer_is_killed(attempt, tmp_path):
    path = tmp_path / "result.bin"
    write_bytes(path, b"a" * 40_000)
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)]) as writer:
        try:
            end = time.monotonic() + 10
            seen = set()
            torn = 0
            for _ in range(250):
                content = path.read_bytes()
                torn += not _is_whole(content)
                seen.add(content[:1])
            while len(seen) < 2 and time.monotonic() < end:  # the writer may be slow to start
                content = path.read_bytes()
                torn += not _is_whole(content)
                seen.add(content[:1])
            time.sleep(0.003 * attempt)
        finally:
            writer.send_signal(signal.SIGKILL)
    assert torn == 0
    assert seen == {b"a", b"b"}
    assert _is_whole(path.read_bytes())


@pytest.fixture
def small_disk():
    """Return a folder on a disk of 64 KB, or skip."""
    folder = Path(tempfile.mkdtemp(prefix="coterie-disk-"))
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        folder.rmdir()
        pytest.skip("mounting a small disk needs privileges that this machine does not give")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


def test_a_full_disk_leaves_the_old_file_and_frees_what_was_taken(small_disk):
    path = small_disk / "result.bin"
    write_bytes(path, b"old")
    with pytest.raises(OutputError, match="No space left on device"):
        write_bytes(path, b"x" * 200_000)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in small_disk.iterdir()] == ["result.bin"]


LIMITED = """
import resource, signal, sys
from coterie.files import write_bytes
from coterie.errors import OutputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_bytes(sys.argv[1], b"x" * 5000)
except OutputError as error:
    print(error)
"""


def test_a_quota_leaves_the_old_file(tmp_path):
    path = tmp_path / "result.bin"
    write_bytes(path, b"old")
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True)
    assert "File too large" in done.stdout
    assert path.read_bytes() == b"old"
    assert not _left_behind(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(unprivileged):
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o555)
        try:
            with pytest.raises(OutputError, match="Permission denied") as caught:
                write_text(folder / "x.txt", "x")
        finally:
            folder.chmod(0o755)
        assert str(folder / "x.txt") in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["-rf", "a b", "new\nline", "quote'\"", "ü" * 100, "💥" * 63, "x" * 250, ".hidden", "%s{0}", "a.csv.gz"],
    ids=lambda name: f"{name[:6]!r}",
)
def test_odd_and_long_names_are_written(name, tmp_path):
    write_text(tmp_path / name, "x")
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["x" * 300, "no/such/folder"])
def test_names_that_cannot_be_are_refused(name, tmp_path):
    with pytest.raises(OutputError, match="could not write"):
        write_text(tmp_path / name, "x")


def test_a_folder_is_not_replaced_by_a_file(tmp_path):
    (tmp_path / "here").mkdir()
    with pytest.raises(OutputError, match="could not write"):
        write_text(tmp_path / "here", "x")
    assert (tmp_path / "here").is_dir()


def test_a_new_file_gets_the_permissions_of_the_users_mask(tmp_path):
    write_text(tmp_path / "x", "x")
    (tmp_path / "y").touch()
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "y").stat().st_mode


def test_text_is_utf_8_with_newlines_as_given(tmp_path):
    write_text(tmp_path / "x", "ü\r\ny\n")
    assert (tmp_path / "x").read_bytes() == b"\xc3\xbc\r\ny\n"
