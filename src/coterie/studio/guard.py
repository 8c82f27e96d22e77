"""Who may ask the server what: this page, opened with the token, and nobody else.

A page of another site can send requests to a port of this machine, and a name that an attacker owns can lead to it. So a request must name
the address at which it arrived (against names that lead here), come from this page where it says where it comes from, hold the
cookie that only the token gives, and carry a header that no form and no link can send. Requests are short, and whoever is slow is
not waited for.
"""

import asyncio
import hmac
import logging
import re
import secrets
from collections.abc import MutableMapping, Set
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, Response

__all__ = ["Guard", "Keys"]

logger = logging.getLogger("coterie.studio")

MOST_BODY = 1024 * 1024  # the roles of ten thousand columns
MOST_ADDRESS = 1024
SEND_SECONDS = 30.0

_METHODS = ("GET", "HEAD", "POST", "DELETE")
_READING = ("GET", "HEAD")
_OPEN_TO_ALL = re.compile(
    r"/|/studio\.css|/studio\.js|/health"
)  # to read, without the cookie: they hold nothing of the data
_HEADERS = (
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Keys:
    """The token that opens the page, and the secret of the cookie for which it is exchanged.

    Parameters
    ----------
    port : int
        Of the server. Browsers send cookies to every port of a host, so that the cookie bears it in its name.
    """

    def __init__(self, port: int):
        self.token = secrets.token_urlsafe(32)
        self._secret = secrets.token_urlsafe(32)
        self.cookie = f"coterie-{port}"

    def opens(self, token: Any) -> bool:
        """Say whether this is the token; the time that takes tells nothing of it."""
        return isinstance(token, str) and hmac.compare_digest(token.encode(errors="replace"), self.token.encode())

    def knows(self, cookies: dict[str, str]) -> bool:
        """Say whether the cookie is among these."""
        return hmac.compare_digest(cookies.get(self.cookie, "").encode(errors="replace"), self._secret.encode())

    def give_to(self, response: Response) -> Response:
        """Add the cookie to an answer: no script sees it, and no other site has it sent."""
        response.set_cookie(self.cookie, self._secret, httponly=True, samesite="strict", path="/")
        return response


class Guard:
    """An ASGI application before another one: refuses, limits, and adds the headers of every answer.

    Parameters
    ----------
    app : callable
    keys : Keys
    names : set of str
        What the machine may be called beside the address at which a request arrives.
    """

    def __init__(self, app: Any, keys: Keys, names: Set[str] = frozenset()):
        self._app, self._keys, self._names = app, keys, names

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError(f"the studio answers HTTP, not {scope['type']}")
        answer = _Answer(send)
        try:
            refused = refusal(scope, self._keys, self._names)
            body = refused or await _body(scope, receive)
            if isinstance(body, Response):
                await body(scope, receive, answer)
            else:
                await self._app(scope, _once(body, receive), answer)
        except (ConnectionAbortedError, TimeoutError):  # nobody is there who would take an answer
            raise
        except Exception:
            logger.exception("the studio could not answer")
            if not answer.begun:
                await _refused(500, "something unexpected went wrong in the studio")(scope, receive, answer)


class _Answer:
    """Sends an answer with the headers that all have, and gives up on who does not take it."""

    def __init__(self, send: Any):
        self._send = send
        self.begun = False

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            own = {name for name, _ in message["headers"]}
            message["headers"] += [(name, value) for name, value in _HEADERS if name not in own]
        async with asyncio.timeout(SEND_SECONDS):
            await self._send(message)


def refusal(scope: dict[str, Any], keys: Keys, names: Set[str]) -> Response | None:
    """Return why a request is refused; None where it is not."""
    method, path, headers = scope["method"], scope["path"], Headers(scope=scope)
    if method not in _METHODS:
        return _refused(405, "the studio is asked by GET, POST and DELETE")
    if len(scope["raw_path"]) + len(scope["query_string"]) > MOST_ADDRESS:
        return _refused(414, "this address is too long")
    hosts = headers.getlist("host")
    if len(hosts) != 1 or hosts[0].lower() not in _own_names(scope, names):
        return _refused(403, "this request is for another host; open the address that coterie serve has written")
    origins = headers.getlist("origin")
    if any(origin != f"http://{hosts[0]}" for origin in origins) or not _is_from_here(scope, headers):
        return _refused(403, "this request comes from another page")
    reads = method in _READING
    if not reads and headers.get("x-coterie") != "1":
        return _refused(403, "this request does not come from the page of the studio")
    is_open = bool(_OPEN_TO_ALL.fullmatch(path)) if reads else path == "/session"
    cookies = [pair for line in headers.getlist("cookie") for pair in cookie_parser(line).items()]
    if not is_open and not keys.knows(dict(cookies)):
        return _refused(403, "the studio does not know you; open the address that coterie serve has written")
    return None


def _own_names(scope: dict[str, Any], also: Set[str]) -> set[str]:
    """Return how the address at which a connection arrived may be called."""
    address, port = scope["server"]
    names = {f"[{address}]" if ":" in address else address, *also}
    if address in ("127.0.0.1", "::1"):
        names.add("localhost")
    # Browsers leave out the port that is the usual one of HTTP.
    return {f"{name}:{port}" for name in names} | (names if port == 80 else set())


def _is_from_here(scope: dict[str, Any], headers: Headers) -> bool:
    """Say whether a browser says that a request is ours, or that somebody has followed a link to the page, which holds no data."""
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return True
    goes_to_page = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return goes_to_page and scope["method"] == "GET" and scope["path"] == "/"


async def _body(scope: dict[str, Any], receive: Any) -> bytes | Response:
    """Return what came with a request, or why it is refused; how long it may take is up to the server (`listening.py`)."""
    too_long = _refused(413, f"a request may have at most {MOST_BODY:,} bytes", close=True)
    length = Headers(scope=scope).get("content-length", "0")
    if not length.isdigit() or int(length) > MOST_BODY:
        return too_long
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
        body += message.get("body", b"")
        if len(body) > MOST_BODY:
            return too_long
        if not message.get("more_body", False):
            return body


def _once(body: bytes, receive: Any) -> Any:
    """Return what gives the body that was read already, and then waits for the end of the connection."""
    given = False

    async def again() -> dict[str, Any]:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _refused(status: int, sentence: str, *, close: bool = False) -> Response:
    headers = {"connection": "close"} if close else None
    return JSONResponse({"error": sentence}, status_code=status, headers=headers)
