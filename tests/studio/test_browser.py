"""The page of the studio in a real browser, from the first run to the saved folder."""

import csv
import json
import re
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from report.payloads import PAYLOADS
from studio.servers import Served

pytestmark = pytest.mark.browser

SLOW = 90_000


class Page:
    """The page of one studio, with everything noted that it should not do."""

    def __init__(self, browser, served, **options):
        self.context = browser.new_context(reduced_motion="reduce", **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(SLOW)
        self.foreign, self.messages, self.dialogs = [], [], []
        self.page.on(
            "request",
            lambda request: None if request.url.startswith(served.origin) else self.foreign.append(request.url),
        )
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.goto(served.url)
        self.ready()

    def ready(self):
        self.page.locator("html[data-ready]").wait_for(state="attached")

    def _dialog(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    @property
    def report(self):
        return self.page.frame_locator("iframe")

    def press(self, name, **options):
        self.page.get_by_role("button", name=name, exact=True, **options).click()

    def run(self, name, groups):
        """Press Run and wait for the report of the run of that name, with that many groups."""
        self.press("Run")
        self.page.locator(".run.shown b", has_text=re.compile(f"^{name}$")).wait_for()
        self.report.get_by_role("heading", name=f"{groups} groups", exact=True).wait_for()

    def close(self):
        self.context.close()
        assert (self.foreign, self.messages, self.dialogs) == ([], [], [])


@contextmanager
def opened(browser, served, **options):
    page = Page(browser, served, **options)
    yield page
    page.close()


def test_the_keyboard_is_enough(browser, served):
    with opened(browser, served) as seen:
        page = seen.page
        page.get_by_label("Number of groups").focus()
        page.keyboard.type("0")
        page.keyboard.press("Enter")  # the browser itself says what is wrong, and nothing is sent
        before = len(served.state()["runs"])
        page.get_by_label("Number of groups").fill("2")
        page.keyboard.press("Enter")
        page.locator(".progress").wait_for()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "share"
        page.get_by_role("button", name="Cancel", exact=True).focus()
        page.keyboard.press("Enter")
        page.locator(".progress").wait_for(state="hidden")
        assert len(served.state()["runs"]) == before + 1


def test_load_run_cancel_rerun_compare_rename_save_reload(browser, served):
    with opened(browser, served, viewport={"width": 1400, "height": 900}) as seen:
        page = seen.page
        assert page.url == f"{served.origin}/"  # the token is out of sight
        assert page.title() == "wine.csv – coterie studio"
        assert page.locator(".brand").inner_text() == "wine.csv 178 rows, 4 columns"
        earlier = len(served.state()["runs"])  # of other tests
        one, two = f"Run {earlier + 2}", f"Run {earlier + 3}"

        # run, look in on it, cancel
        seen.press("Run")
        page.get_by_role("status").filter(has_text="…").wait_for()
        began = time.monotonic()
        assert served.ask("GET", "/health")[0] == 200
        assert time.monotonic() - began <= 1
        seen.press("Cancel")
        page.locator(".run", has_text=f"Run {earlier + 1}").filter(has_text="Cancelled").wait_for()
        assert page.locator(".progress").is_hidden()
        assert page.get_by_role("heading", name="No report to show").is_visible()

        # rerun, and once more with other settings
        page.get_by_label("Method").select_option("KMeans")
        page.get_by_label("Number of groups").fill("3")
        seen.run(one, 3)
        page.get_by_label("Number of groups").fill("4")
        page.get_by_label("alcohol", exact=True).uncheck()
        assert "3 of 4 used" in page.locator(".controls").inner_text()
        seen.run(two, 4)

        # compare
        page.get_by_label(f"Compare {one}").check()
        page.get_by_label(f"Compare {two}").check()
        seen.press("Compare")
        page.get_by_role("heading", name=f"{one} and {two}").wait_for()
        cells = page.locator(".migration tbody td").all_inner_texts()
        assert sum(int(cell.split()[0]) for cell in cells if cell[0].isdigit()) == 178
        assert page.locator(".migration tbody tr").count() == 3
        seen.press("← Back to the report")

        # rename, undo, rename
        found = seen.report.locator(".card h3").first.inner_text()
        for name in ("Wrong name", "Light wines"):
            seen.report.get_by_role("button", name="Rename group 0").click()
            seen.report.get_by_label("New name of group 0").fill(name)
            seen.report.get_by_label("New name of group 0").press("Enter")
            page.locator(f"button[title='Undo the name of group 0 in {two}']").wait_for()
            if name == "Wrong name":
                seen.press("Undo")
                seen.report.locator(".card h3", has_text=found).first.wait_for()
        assert page.get_by_label("Number of groups").input_value() == "4"

        # save
        seen.press(f"Save {two}…")
        page.get_by_label("Name of the folder").fill("light wine")
        seen.press("Save")
        page.get_by_text(f"{two} is saved in light wine.coterie.").wait_for()
        record = json.loads((served.folder / "light wine.coterie" / "run.json").read_text())
        assert record["clusters"][0]["given_name"] == "Light wines"
        assert [column["name"] for column in record["columns"] if not column["used"]] == ["alcohol"]
        assert "Light wines" in (served.folder / "light wine.coterie" / "report.html").read_text()
        assert record["next"][0] == "open 'light wine.coterie/report.html'"

        # reload
        page.reload()
        seen.ready()
        seen.report.locator(".card h3", has_text="Light wines").wait_for()
        assert page.locator(".run.shown").inner_text().startswith(two)
        assert "saved" in page.locator(".run.shown").inner_text()
        assert not page.get_by_label("alcohol", exact=True).is_checked()

        # a choice of colours in the report holds for the page around it
        seen.report.get_by_role("button", name="Dark colours").click()
        page.locator("html[data-theme=dark]").wait_for()

        # another run under the same name: only after a question
        page.locator("button.run-show", has_text=one).click()
        seen.press(f"Save {one}…")
        page.get_by_label("Name of the folder").fill("light wine")
        seen.press("Save")
        page.get_by_text("holds an earlier analysis (wine.csv: 4 groups in 178 rows").wait_for()
        seen.press("Replace")
        page.get_by_text(f"{one} is saved in light wine.coterie.").wait_for()
        assert len(json.loads((served.folder / "light wine.coterie" / "run.json").read_text())["clusters"]) == 3


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.thorough)])
def test_it_fits_a_phone_and_everything_has_a_name(browser, served, scheme):
    with opened(browser, served, viewport={"width": 390, "height": 800}, color_scheme=scheme) as seen:
        page = seen.page
        for tab in ("Settings", "Result"):
            seen.press(tab)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            wide = "[...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > 391 && !one.closest('.scroller')).length"
            assert page.evaluate(wide) == 0
        unnamed = "[...document.querySelectorAll('input, select, button, progress, iframe')].filter(one => !(one.labels?.length || one.ariaLabel || one.title || one.textContent.trim() || one.getAttribute('aria-labelledby'))).length"
        assert page.evaluate(unnamed) == 0
        seen.press("Settings")
        ink, paper = page.evaluate(
            "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        )
        assert (sum(map(int, re.findall(r"\d+", ink))) < sum(map(int, re.findall(r"\d+", paper)))) == (
            scheme == "light"
        )


def test_without_the_token_the_page_says_what_to_do(browser, served):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{served.origin}/#token=wrong")
    page.get_by_role("heading", name="The studio is closed to this page").wait_for()
    assert "open the address that coterie serve has written" in page.locator("main").inner_text()
    context.close()


class _Evil(BaseHTTPRequestHandler):
    """A page on another port of the same machine, to which browsers send the cookies of the studio."""

    def do_GET(self):
        studio = self.server.studio
        page = f"""<!doctype html><iframe src="{studio}/"></iframe><img src="{studio}/api/state"><script src="{studio}/api/state"></script>
        <form id="f" method="post" action="{studio}/api/runs" enctype="text/plain" target="t"><input name='{{"a":"' value='"}}'></form><iframe name="t"></iframe>
        <script>(async () => {{
          document.getElementById("f").submit();
          const told = [];
          for (const options of [{{}}, {{mode: "no-cors"}}, {{method: "POST", mode: "no-cors", body: "{{}}"}}, {{method: "POST", headers: {{"X-Coterie": "1"}}, body: "{{}}"}}, {{method: "DELETE", headers: {{"X-Coterie": "1"}}}}])
            for (const path of ["/api/state", "/api/runs", "/api/undo"])
              try {{ const answer = await fetch("{studio}" + path, {{credentials: "include", ...options}}); told.push(await answer.text()); }} catch (error) {{ told.push(""); }}
          document.title = "told:" + told.join("");
        }})();</script>"""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_):
        pass


def test_a_page_on_another_port_reaches_nothing_though_the_cookie_comes_along(browser, served):
    evil = HTTPServer(("127.0.0.1", 0), _Evil)
    evil.studio = served.origin
    threading.Thread(target=evil.serve_forever, daemon=True).start()
    context = browser.new_context()
    page = context.new_page()
    page.goto(served.url)
    page.locator("html[data-ready]").wait_for(state="attached")
    before = [run["id"] for run in served.state()["runs"]]
    page = context.new_page()  # the same cookies; what the studio's own page still asks for is not counted
    statuses = []
    page.on("response", lambda answer: statuses.append(answer.status) if answer.url.startswith(served.origin) else None)
    page.goto(f"http://127.0.0.1:{evil.server_port}/")
    page.wait_for_timeout(300)
    title = page.title()
    until = time.monotonic() + 20
    while not title.startswith("told:") and time.monotonic() < until:
        page.wait_for_timeout(100)
        title = page.title()
    assert title == "told:"
    assert set(statuses) == {403}
    assert [run["id"] for run in served.state()["runs"]] == before
    context.close()
    evil.shutdown()
    evil.server_close()


@pytest.mark.parametrize("each", [5, pytest.param(1, marks=pytest.mark.thorough)], ids=["some", "all"])
def test_nothing_in_the_data_is_ever_run(browser, tmp_path, each):
    payloads = PAYLOADS[::each]
    rng = np.random.default_rng(0)
    rows = rng.normal(np.repeat([[0.0], [9.0]], 20, axis=0), 1.0, (40, len(payloads)))
    path = tmp_path / "<img src=x onerror=alert(1)>.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*(payload.replace("\0", "") for payload in payloads), "kind"])
        writer.writerows([*(f"{value:.3f}" for value in row), payloads[i // 20]] for i, row in enumerate(rows))
    served = Served(tmp_path, path.name)
    try:
        with opened(browser, served) as seen:
            page = seen.page
            names = [column["name"] for column in served.ask("GET", "/api/about")[2]["columns"]]
            assert page.locator(".columns li").count() == min(len(names), 200)
            asked = {"method": "KMeans", "clusters": 2, "roles": dict.fromkeys(names[5:-1], "ignored")}
            assert served.wait(served.start(**asked))["state"] == "done"
            seen.report.get_by_role("button", name="Rename group 0").click()
            seen.report.get_by_label("New name of group 0").fill("<img src=x onerror=alert(1)>")
            seen.report.get_by_label("New name of group 0").press("Enter")
            page.locator("button[title^='Undo the name']").wait_for()
            if each == 1:  # the comparison too
                assert served.wait(served.start(**asked))["state"] == "done"
                page.get_by_label("Compare Run 1").check()
                page.get_by_label("Compare Run 2").check()
                seen.press("Compare")
                assert "<img src=x onerror=alert(1)>" in page.locator(".migration").inner_text()
            assert page.evaluate("window.pwned") is None
            assert (
                page.evaluate("document.querySelectorAll('img, svg, object, embed, body script:not([src])').length")
                == 0
            )
    finally:
        served.stop()
