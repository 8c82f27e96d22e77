"""How these tests call the command line: in this process where that is enough, as a real process where it is not."""

import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from coterie.cli import invoke


@dataclass
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    """Run in a folder of its own, with nothing set in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("COTERIE_") and name != "COTERIE_CACHE_DIR"]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def call(capfd):
    """Return a function that runs a command in this process."""

    def run(*arguments):
        capfd.readouterr()
        code = invoke([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Ended(code, captured.out, captured.err)

    return run


@pytest.fixture
def process(tmp_path):
    """Return a function that runs a command as a real process, in the folder of the test."""

    def run(*arguments, stdin=None, timeout=120, **environment):
        done = subprocess.run(
            [sys.executable, "-m", "coterie", *map(str, arguments)],
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={**os.environ, **environment},
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run
