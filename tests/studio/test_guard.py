"""Who may ask the studio what: raw requests, as browsers and others send them, and what they get."""

import socket
import subprocess
import time
from contextlib import ExitStack

import pytest

from studio.servers import OURS


def request(served, line="GET /api/state HTTP/1.1", body=b"", **headers):
    """Return a request as bytes: as the page sends it, but for the headers given; None leaves one out."""
    own = {"Host": served.host, "Cookie": served.cookie, "Connection": "close"}
    if not line.startswith(("GET", "HEAD")):
        own |= OURS | {"Content-Length": str(len(body))}
    sent = own | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in sent.items() if value is not None]
    return "\r\n".join([line, *lines, "", ""]).encode() + body


def test_the_page_itself_is_answered(served):
    assert served.raw(request(served)) == 200
    assert served.raw(request(served, Origin=served.origin)) == 200
    assert served.raw(request(served, Sec_Fetch_Site="same-origin")) == 200
    assert (
        served.raw(request(served, "POST /api/runs/x/show HTTP/1.1", b"{}")) == 404
    )  # taken, and there is no such run


@pytest.mark.parametrize(
    "line", ["GET /api/state HTTP/1.1", "POST /api/runs HTTP/1.1", "GET / HTTP/1.1", "GET /health HTTP/1.1"]
)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:1"},
        {"Host": "localhost.evil.example"},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "https://127.0.0.1"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "file://"},
        {"Origin": ""},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=lambda headers: "-".join([*headers, *headers.values()]),
)  # fmt: skip
def test_other_hosts_and_other_origins_are_refused(served, line, headers):
    assert served.raw(request(served, line, **headers)) == 403


@pytest.mark.parametrize(
    ("line", "headers"),
    [
        ("GET /api/state HTTP/1.1", {"Cookie": None}),
        ("GET /api/about HTTP/1.1", {"Cookie": "coterie=1"}),
        ("GET /runs/x/report HTTP/1.1", {"Cookie": None}),
        ("POST /api/runs HTTP/1.1", {"Cookie": None}),
        ("GET /nothing HTTP/1.1", {"Cookie": None}),
        ("POST /api/runs HTTP/1.1", {"X_Coterie": None, "Content_Type": "text/plain"}),
        ("POST /api/undo HTTP/1.1", {"X_Coterie": None, "Content_Type": "application/x-www-form-urlencoded"}),
        ("DELETE /api/runs/x HTTP/1.1", {"X_Coterie": None}),
        ("POST /session HTTP/1.1", {"X_Coterie": None}),
    ],
)
def test_without_cookie_or_header_nothing_is_told_and_nothing_done(served, line, headers):
    assert served.raw(request(served, line, **headers)) == 403


@pytest.mark.parametrize("token", ["", "x", "\ud800", None, 1, ["x"], {"a": 1}], ids=repr)
def test_only_the_token_opens(served, token):
    status, headers, _ = served.ask("POST", "/session", {"token": token}, cookie="")
    assert status == 403
    assert "set-cookie" not in headers


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(served):
    assert len(served.token) >= 40  # 240 bits and more
    _, headers, _ = served.ask("POST", "/session", {"token": served.token}, cookie="")
    assert {"httponly", "samesite=strict"} <= set(headers["set-cookie"].lower().split("; "))
    assert served.token not in headers["set-cookie"]


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "PUT", "PATCH", "CONNECT", "PROPFIND"])
def test_other_methods_are_refused(served, method):
    line = f"{method} {'127.0.0.1:1' if method == 'CONNECT' else '/api/state'} HTTP/1.1"
    headers = {"Origin": "http://evil.example", "Access_Control_Request_Method": "POST"} if method == "OPTIONS" else {}
    assert served.raw(request(served, line, **headers)) == 405


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /../../etc/passwd HTTP/1.1", 404),
        ("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1", 404),
        ("GET /runs/..%2f..%2fetc%2fpasswd/report HTTP/1.1", 404),
        ("GET /runs/%5c%5chost%5cshare/report HTTP/1.1", 404),
        ("GET /runs/../report HTTP/1.1", 404),
        ("GET //evil.example/ HTTP/1.1", 404),
        ("GET http://evil.example/ HTTP/1.1", 404),
        (f"GET /{'a' * 2000} HTTP/1.1", 414),
        (f"GET /api/state?{'a' * 2000} HTTP/1.1", 414),
        (f"GET /{'a' * 40_000} HTTP/1.1", 414),
        ("GET / HTTP/1.0", 200),
        ("NONSENSE", 400),
    ],
    ids=lambda value: str(value)[:40],
)
def test_addresses_lead_to_ids_and_never_to_files(served, line, status):
    assert served.raw(request(served, line)) == status


def test_two_hosts_are_none(served):
    twice = request(served).replace(b"\r\nCookie", b"\r\nHost: evil.example\r\nCookie")
    assert served.raw(twice) in (400, 403)


def test_a_large_request_is_refused_before_it_is_read(served):
    claimed = request(served, "POST /api/runs HTTP/1.1", Content_Length=str(10**9))
    assert served.raw(claimed, timeout=5) == 413
    chunked = request(served, "POST /api/runs HTTP/1.1", Content_Length=None, Transfer_Encoding="chunked")
    assert served.raw(chunked + b"200000\r\n" + b"x" * 0x200000 + b"\r\n0\r\n\r\n", timeout=5) == 413


@pytest.mark.parametrize(
    "body", [b"null", b"[]", b"{", b"\xff", b"[" * 60_000, b'{"shoe": 1}'], ids=lambda body: str(body[:9])
)
def test_what_is_no_json_object_with_settings_is_refused(served, body):
    assert served.raw(request(served, "POST /api/runs HTTP/1.1", body)) == 422


def test_every_answer_forbids_what_the_page_does_not_need(served):
    for path in ("/", "/studio.js", "/health", "/api/state", "/nothing"):
        _, headers, _ = served.ask("GET", path)
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


def test_hundreds_of_silent_connections_close_no_door_and_are_not_waited_for(served):
    """Three kinds: nothing sent, half a head, and a body that does not come."""
    starts = [b"", b"GET / HTTP/1.1\r\nHost: ", request(served, "POST /session HTTP/1.1", Content_Length="100")]
    with ExitStack() as opened:
        slow = [opened.enter_context(socket.create_connection(("127.0.0.1", served.port))) for _ in range(600)]
        for i, connection in enumerate(slow):
            connection.sendall(starts[i % len(starts)])
        began = time.monotonic()
        assert served.raw(request(served, "GET /health HTTP/1.1", Cookie=None)) == 200
        assert time.monotonic() - began <= 1
        slow[0].settimeout(5)
        assert slow[0].recv(1) == b""  # the oldest had to go


def test_another_network_cannot_reach_the_studio(served):
    script = f"exec 3<>/dev/tcp/127.0.0.1/{served.port}"
    elsewhere = ["unshare", "--net", "--map-root-user"]
    try:
        possible = subprocess.run([*elsewhere, "true"], capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        possible = False
    if not possible:
        pytest.skip("no network of its own can be made here (unshare)")
    assert subprocess.run(["bash", "-c", script], capture_output=True, timeout=20).returncode == 0
    assert subprocess.run([*elsewhere, "bash", "-c", script], capture_output=True, timeout=20).returncode != 0


def scope_of(host, arrived="192.0.2.7", port=8765):
    return {
        "type": "http", "method": "GET", "path": "/health", "raw_path": b"/health", "query_string": b"", "server": (arrived, port),
        "headers": [(b"host", host.encode())],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("host", "arrived", "names", "is_refused"),
    [
        ("192.0.2.7:8765", "192.0.2.7", set(), False),
        ("big-machine:8765", "192.0.2.7", {"big-machine"}, False),
        ("Big-Machine:8765", "127.0.0.1", {"big-machine"}, False),
        ("[::1]:8765", "::1", set(), False),
        ("localhost:8765", "::1", set(), False),
        ("192.0.2.8:8765", "192.0.2.7", {"big-machine"}, True),
        ("localhost:8765", "192.0.2.7", {"big-machine"}, True),
        ("big-machine:8765", "127.0.0.1", set(), True),
        ("evil.example:8765", "192.0.2.7", {"big-machine"}, True),
    ],
)
def test_a_host_is_the_address_at_which_a_request_arrives_or_the_name_of_the_machine(host, arrived, names, is_refused):
    guard = pytest.importorskip("coterie.studio.guard", reason="the studio needs the extra app")
    assert (guard.refusal(scope_of(host, arrived), guard.Keys(8765), names) is not None) == is_refused


@pytest.mark.parametrize(
    ("host", "is_refused"),
    [
        ("127.0.0.1", False),
        ("localhost", False),
        ("localhost:80", False),
        ("evil.example", True),
        ("localhost:1", True),
    ],
)
def test_at_port_80_a_host_may_come_without_it_as_browsers_send_it(host, is_refused):
    guard = pytest.importorskip("coterie.studio.guard", reason="the studio needs the extra app")
    scope = scope_of(host, "127.0.0.1", 80)
    scope["headers"].append((b"origin", f"http://{host}".encode()))
    assert (guard.refusal(scope, guard.Keys(80), set()) is not None) == is_refused
