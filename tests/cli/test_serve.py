"""``coterie serve``: who may be let in, what is refused at the start, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from studio.servers import Served, write_wine

pytest.importorskip("uvicorn", reason="the studio needs the extra app")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "missing argument 'FILE'"),
        (("nobody.csv",), "there is no file nobody.csv"),
        (("wine.csv", "--host", "0.0.0.0"), "add --i-know"),
        (("wine.csv", "--host", "example.org"), "add --i-know"),
        (("wine.csv", "--port", "70000"), "'--port'"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_2(call, in_an_empty_folder, arguments, said):
    (in_an_empty_folder / "wine.csv").write_text("a,b\n1,2\n")
    ended = call("serve", *arguments)
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert said in ended.err


def test_what_is_no_table_is_refused_before_anything_is_served(call, in_an_empty_folder):
    (in_an_empty_folder / "words.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    (in_an_empty_folder / "net.graphml").write_text("<graphml/>")
    for arguments, said in (
        (("words.csv",), "words.csv"),
        (("-",), "give a file"),
        (("net.graphml",), "use coterie network"),
        (("/dev/zero",), "not an ordinary file"),
    ):
        ended = call("serve", *arguments, "--no-browser")
        assert (ended.code, ended.out, len(ended.err.splitlines())) == (3, "", 1), ended
        assert said in ended.err


def test_a_folder_that_may_not_be_written_is_refused_before_anything_is_served(call, in_an_empty_folder):
    write_wine(in_an_empty_folder)
    (in_an_empty_folder / "mine").mkdir()
    (in_an_empty_folder / "mine" / "thesis.txt").write_text("mine")
    ended = call("serve", "wine.csv", "-o", "mine", "--no-browser")
    assert ended.code == 1
    assert "not an analysis by coterie" in ended.err


@pytest.mark.parametrize("place", [".", ".."])
def test_a_folder_without_a_name_is_refused_before_anything_is_served(call, in_an_empty_folder, place):
    write_wine(in_an_empty_folder)
    ended = call("serve", "wine.csv", "-o", place, "--no-browser")
    assert (ended.code, len(ended.err.splitlines())) == (3, 1)
    assert f"a folder with a name, got '{place}'" in ended.err


def test_a_port_that_is_taken_is_told(call, in_an_empty_folder):
    write_wine(in_an_empty_folder)
    with socket.create_server(("127.0.0.1", 0)) as other:
        ended = call("serve", "wine.csv", "--no-browser", "--port", other.getsockname()[1])
    assert ended.code == 3
    assert "Address already in use; leave --host and --port out" in ended.err


def test_the_secrets_of_a_database_address_are_told_to_nobody(call):
    pytest.importorskip("psycopg", reason="databases need the extra db")
    ended = call(
        "serve", "postgresql://me:hunter2@127.0.0.1:1/shop?sslpassword=hunter3", "--query", "select 1", "--no-browser"
    )
    assert ended.code == 3
    assert "hunter" not in ended.err
    assert "127.0.0.1" in ended.err


def test_without_the_extra_the_install_line_is_told(in_an_empty_folder):
    write_wine(in_an_empty_folder)
    script = "import sys; sys.modules['uvicorn'] = None; from coterie.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "serve", "wine.csv"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert 'pip install "coterie[app]"' in done.stderr


@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, *(pytest.param(number, marks=pytest.mark.thorough) for number in (signal.SIGTERM, signal.SIGHUP))],
)
def test_it_ends_within_two_seconds_and_leaves_nothing(in_an_empty_folder, monkeypatch, number):
    """In the midst of a run, with a browser that holds a connection open."""
    place = in_an_empty_folder / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    write_wine(in_an_empty_folder)
    heard = signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    served = Served(in_an_empty_folder, "wine.csv")
    signal.signal(number, heard)  # tests under nohup would hand on that it is ignored
    assert [entry.stat().st_mode & 0o777 for entry in place.glob("coterie-studio-*")] == [0o700]
    with socket.create_connection(("127.0.0.1", served.port)):
        served.start()
        processes = psutil.Process(served.process.pid).children(recursive=True)
        assert processes
        arguments = [" ".join(process.cmdline()) for process in [psutil.Process(served.process.pid), *processes]]
        assert not any(served.token in line for line in arguments)
        seconds, code, said = served.stop(number)
    assert (code, said.splitlines()[-1].split()[0]) == (0, "ended")
    assert seconds <= 2
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)
    assert list(place.iterdir()) == []
    assert [entry.name for entry in in_an_empty_folder.iterdir() if entry != place] == ["wine.csv"]


@pytest.mark.thorough
def test_what_a_killed_studio_has_left_is_removed_by_the_next(in_an_empty_folder, monkeypatch):
    place = in_an_empty_folder / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    write_wine(in_an_empty_folder)
    killed, other = Served(in_an_empty_folder, "wine.csv"), Served(in_an_empty_folder, "wine.csv")
    killed.stop(signal.SIGKILL)
    assert len(list(place.glob("coterie-studio-*"))) == 2
    Served(in_an_empty_folder, "wine.csv").stop()
    assert len(list(place.glob("coterie-studio-*"))) == 1  # that of the one at work
    assert other.ask("GET", "/health")[0] == 200
    other.stop()


def test_the_browser_is_led_there_without_the_token_among_its_arguments(in_an_empty_folder):
    write_wine(in_an_empty_folder)
    script = in_an_empty_folder / "browser.sh"
    script.write_text(
        f'#!/bin/sh\necho "$@" > "{in_an_empty_folder}/arguments"; cp "${{1#file://}}" "{in_an_empty_folder}/opened"\n'
    )
    script.chmod(0o755)
    started = subprocess.Popen(
        [sys.executable, "-m", "coterie", "serve", "wine.csv", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"BROWSER": str(script)},
    )  # fmt: skip
    url = json.loads(started.stdout.readline())["url"]
    until = time.monotonic() + 20
    while not (in_an_empty_folder / "opened").exists() and time.monotonic() < until:
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    started.communicate(timeout=20)
    assert url in (in_an_empty_folder / "opened").read_text()
    assert url.partition("token=")[2] not in (in_an_empty_folder / "arguments").read_text()
