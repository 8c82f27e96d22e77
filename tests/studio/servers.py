"""A studio in a process of its own, as `coterie serve` starts it, and ways to ask it."""

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from sklearn.datasets import load_wine

OURS = {"X-Coterie": "1", "Content-Type": "application/json"}


def write_wine(folder):
    """Write the 178 wines with the four columns that tell most, as fast to study as a real table can be."""
    wine = load_wine()
    columns = ["alcohol", "flavanoids", "color_intensity", "proline"]
    rows = wine.data[:, [wine.feature_names.index(name) for name in columns]]
    lines = [",".join(columns), *(",".join(f"{value:g}" for value in row) for row in rows.tolist())]
    path = Path(folder) / "wine.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


class Served:
    """A running studio."""

    def __init__(self, folder, *arguments):
        self.folder = Path(folder)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "coterie", "serve", *map(str, arguments), "--no-browser", "--json"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        told = self.process.stdout.readline()
        assert told, self.process.stderr.read()
        self.told = json.loads(told)
        self.url = self.told["url"]
        self.origin, _, fragment = self.url.partition("/#")
        self.token = fragment.partition("=")[2]
        self.host = self.origin.removeprefix("http://")
        self.port = int(self.host.partition(":")[2])
        status, headers, _ = self.ask("POST", "/session", {"token": self.token}, cookie="")
        assert status == 200
        self.cookie = headers["set-cookie"].partition(";")[0]

    def ask(self, method, path, given=None, *, cookie=None, headers=None, timeout=60):
        """Ask as the page does; return status, headers (small letters) and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        body = None if given is None else json.dumps(given)
        sent = {
            "Cookie": self.cookie if cookie is None else cookie,
            **(OURS if method != "GET" else {}),
            **(headers or {}),
        }
        with contextlib.closing(connection):
            connection.request(method, path, body, {name: value for name, value in sent.items() if value})
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            content = answer.read()
        is_json = found.get("content-type") == "application/json"
        return answer.status, found, json.loads(content) if is_json else content.decode()

    def state(self):
        """Return the state of the session."""
        return self.ask("GET", "/api/state")[2]

    def start(self, **settings):
        """Begin a run and return its id."""
        status, _, told = self.ask("POST", "/api/runs", settings)
        assert status == 200, told
        return told["outcome"]

    def wait(self, run_id, seconds=100):
        """Wait until a run is over and return it."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            run = next(run for run in self.state()["runs"] if run["id"] == run_id)
            if run["state"] in ("done", "failed", "cancelled"):
                return run
            time.sleep(0.1)
        raise AssertionError(f"the run is not over after {seconds} seconds: {run}")

    def raw(self, request, *, timeout=20):
        """Send bytes as they are and return the status of the answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
            connection.sendall(request)
            head = connection.makefile("rb").readline()
        return int(head.split()[1]) if head else None

    def stop(self, number=signal.SIGINT):
        """End it; return seconds, exit code, and what it has said."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(number)
        _, said = self.process.communicate(timeout=30)
        return time.monotonic() - began, self.process.returncode, said
