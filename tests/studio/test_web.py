"""What the application answers where the session refuses, and where something breaks."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from coterie.errors import InputError, OutputError, ResourceError
from coterie.studio.session import NoSuchRun

web = pytest.importorskip("coterie.studio.web", reason="the studio needs the extra app")
from coterie.studio.guard import Keys  # noqa: E402


class Refusing:
    """A session that refuses every run."""

    def __init__(self, error):
        self.error = error

    def start(self, given):
        raise self.error

    def state(self):
        return {}


def ask(session, keys, chunks):
    """POST a body in pieces, of which None is the end of the connection; return status and what was told."""
    headers = {"host": "127.0.0.1:8765", "x-coterie": "1", "cookie": f"{keys.cookie}={keys._secret}"}
    scope = {
        "type": "http", "method": "POST", "path": "/api/runs", "raw_path": b"/api/runs", "query_string": b"", "root_path": "",
        "server": ("127.0.0.1", 8765), "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    part = {"type": "http.request", "more_body": True}
    waiting = [{"type": "http.disconnect"} if chunk is None else part | {"body": chunk} for chunk in chunks]
    waiting.append({"type": "http.request", "body": b""})
    sent = []

    async def receive():
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    async def answer():
        await web.application(session, keys)(scope, receive, send)

    # In a thread of its own: a browser of other tests may have a loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(answer())).result()
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InputError("no such column"), 422),
        (NoSuchRun("it is gone"), 404),
        (ResourceError("3 others are waiting already"), 429),
        (OutputError("another process writes there"), 409),
    ],
    ids=str,
)
def test_what_is_refused_is_told_in_a_sentence(error, status):
    assert ask(Refusing(error), Keys(8765), [b"{", b"}"]) == (status, {"error": str(error)})


def test_what_breaks_is_told_without_its_secrets(caplog):
    status, told = ask(Refusing(KeyError("postgresql://me:hunter2@host")), Keys(8765), [b"{}"])
    assert (status, told) == (500, {"error": "something unexpected went wrong in the studio"})
    assert "could not answer" in caplog.text


def test_who_goes_away_in_the_midst_of_a_request_is_not_answered():
    with pytest.raises(ConnectionAbortedError):
        ask(Refusing(InputError("never asked")), Keys(8765), [b"{", None])
