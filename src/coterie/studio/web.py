"""What is asked over HTTP, and what is answered: the page, the state of the session, and what can be done. Ids only, never paths."""

import json
from collections.abc import Callable, Set
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, Router

from ..errors import CoterieError, InputError, OutputError, ResourceError
from .guard import Guard, Keys
from .page import frame_policy, page_policy, script, shell, style
from .session import NoSuchRun, Session

__all__ = ["application"]

_STATUS = {NoSuchRun: 404, ResourceError: 429, InputError: 422, OutputError: 409}


class _Json(JSONResponse):
    """JSON in ASCII: whatever half a character a column name has, it can be sent."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return json.dumps(content, allow_nan=False).encode()


def application(session: Session, keys: Keys, names: Set[str] = frozenset()) -> Guard:
    """Return the application of a session, guarded.

    Parameters
    ----------
    session : Session
    keys : Keys
    names : set of str
        What the machine may be called beside its address.

    Returns
    -------
    Guard
        An ASGI application.
    """
    routes = [*_files(), *_entrance(keys), *_questions(session), *_deeds(session)]
    nothing = _error(404, "the studio has nothing of that name")
    return Guard(Router(routes=routes, redirect_slashes=False, default=nothing), keys, names)


def _files() -> list[Route]:
    def page(request: Request) -> Response:
        return HTMLResponse(shell(), headers={"content-security-policy": page_policy()})

    def styles(request: Request) -> Response:
        return Response(style(), media_type="text/css")

    def scripts(request: Request) -> Response:
        return Response(script(), media_type="text/javascript")

    return [Route("/", page), Route("/studio.css", styles), Route("/studio.js", scripts)]


def _entrance(keys: Keys) -> list[Route]:
    async def health(request: Request) -> Response:
        return _Json({"status": "ok"})

    async def enter(request: Request) -> Response:
        given = await _json(request)
        if not isinstance(given, dict) or not keys.opens(given.get("token")):
            return _error(403, "this is not the token of this studio; open the address that coterie serve has written")
        return keys.give_to(_Json({}))

    return [Route("/health", health), Route("/session", enter, methods=["POST"])]


def _questions(session: Session) -> list[Route]:
    def report(request: Request) -> Response:
        page = session.page(request.path_params["run"])
        return HTMLResponse(page, headers={"content-security-policy": frame_policy(page)})

    return [
        Route("/api/about", _answered(lambda request: _Json(session.about()))),
        Route("/api/state", _answered(lambda request: _Json(session.state()))),
        Route("/runs/{run}/report", _answered(report)),
        Route("/api/comparisons/{id}", _answered(lambda r: _Json(session.compared(r.path_params["id"])))),
    ]


def _deeds(session: Session) -> list[Route]:
    """Return what changes the session; each answers with its state, so that the page needs no second request."""

    def deed(path: str, act: Callable[[str, dict[str, Any]], Any], method: str = "POST") -> Route:
        async def answer(request: Request) -> Response:
            given = await _json(request) if method == "POST" else {}
            if not isinstance(given, dict):
                raise InputError("a request holds a JSON object; load the page anew")
            outcome = await run_in_threadpool(act, request.path_params.get("run", ""), given)
            return _Json({"outcome": outcome, "state": await run_in_threadpool(session.state)})

        return Route(path, _explained(answer), methods=[method])

    return [
        deed("/api/runs", lambda _, given: session.start(given)),
        deed("/api/runs/{run}", lambda run, _: session.remove(run), "DELETE"),
        deed("/api/runs/{run}/cancel", lambda run, _: session.cancel(run)),
        deed("/api/runs/{run}/show", lambda run, _: session.show(run)),
        deed("/api/runs/{run}/names", lambda run, g: session.rename(run, g.get("group"), g.get("name"))),
        deed(
            "/api/runs/{run}/save",
            lambda run, g: session.save(run, g.get("name"), replace=g.get("replace") is True),
        ),
        deed("/api/comparisons", lambda _, g: session.compare(str(g.get("first")), str(g.get("second")))),
        deed("/api/undo", lambda _, given: session.undo()),
    ]


def _answered(answer: Callable[[Request], Response]) -> Callable[[Request], Any]:
    """Return an endpoint that answers in a thread, since the state may be waited for and a report takes its time."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(answer, request)

    return _explained(endpoint)


def _explained(answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """Return an endpoint whose errors are answers in one sentence."""

    async def endpoint(request: Request) -> Response:
        try:
            return await answer(request)
        except CoterieError as error:
            status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
            return _error(status, str(error))

    return endpoint


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError):
        raise InputError("a request holds JSON; load the page anew") from None


def _error(status: int, sentence: str) -> Response:
    return _Json({"error": sentence}, status_code=status)
