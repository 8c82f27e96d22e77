"""Lines, colour and the progress bar: for people only."""

import io

import pytest

from coterie.cli import _terminal
from coterie.cli._terminal import Talk


class Screen(io.StringIO):
    """A terminal that remembers."""

    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Return a function that puts a terminal in the place of stderr; pytest would undo it before the test began."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def place():
        made = Screen()
        monkeypatch.setattr("sys.stderr", made)
        return made

    return place


def test_a_terminal_gets_colour(terminal):
    screen = terminal()
    _terminal.error("no")
    assert screen.getvalue() == "\x1b[31merror:\x1b[0m no\n"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_whoever_wants_no_colour_gets_none(terminal, monkeypatch, name, value):
    screen = terminal()
    monkeypatch.setenv(name, value)
    _terminal.error("no")
    assert screen.getvalue() == "error: no\n"


def test_a_step_that_is_over_within_a_second_shows_no_bar(terminal):
    screen = terminal()
    with Talk() as talk:
        talk.progress(1, 10)
    assert screen.getvalue() == ""


def test_a_long_step_shows_a_bar_that_goes_away(terminal, monkeypatch):
    screen = terminal()
    monkeypatch.setattr(_terminal, "BAR_AFTER_SECONDS", 0.0)
    with Talk() as talk:
        talk.progress(1, 10, "choosing")
        talk.progress(5, 10, "choosing")
        assert "choosing" in screen.getvalue()
        talk.say("chosen", "KMeans")
    assert screen.getvalue().endswith("\x1b[1mchosen    \x1b[0m KMeans\n")
    assert talk._bar is None


def test_no_terminal_shows_no_bar(monkeypatch):
    plain = io.StringIO()
    monkeypatch.setattr("sys.stderr", plain)
    monkeypatch.setattr(_terminal, "BAR_AFTER_SECONDS", 0.0)
    with Talk() as talk:
        talk.progress(5, 10)
    assert plain.getvalue() == ""


def test_quiet_keeps_warnings_and_drops_the_rest(terminal):
    screen = terminal()
    with Talk(quiet=True) as talk:
        talk.say("read", "x")
        talk.block("table")
        talk.progress(1, 2)
        talk.warn("careful")
    assert screen.getvalue().count("\n") == 1
    assert "careful" in screen.getvalue()


def test_letters_that_the_terminal_cannot_show_are_escaped(monkeypatch):
    buffer = io.BytesIO()
    monkeypatch.setattr("sys.stderr", io.TextIOWrapper(buffer, encoding="ascii", write_through=True))
    _terminal.error("größe")
    assert buffer.getvalue() == b"error: gr\\xf6\\xdfe\n"
