"""How the report page of a million rows behaves in a browser: ``python -m benchmarks.page [ROWS]``.

A real run of ROWS rows (default 1,000,000: six numbers and a category, twelve planted groups, every row on the map) writes its folder, and
Chromium opens the page from the disk. Measured are

- the size of the file, and how long until the first picture is on the screen, from the start of the navigation, in fresh profiles;
- how long one frame takes after zooming, moving, picking a group, and selecting with a box, from the event to the end of the next frame;
- requests, messages on the console, errors, and the bytes of memory that scripts hold;
- what axe-core finds (WCAG 2.2 A and AA, and its best practices) on this page and on those of other methods, in light and dark.

Pictures of the page at three widths are left in ``build/page``. axe-core comes with the package axe-playwright-python, which lies in
the environment of the benchmarks; where it does not, its folder may be given: ``AXE=build/axe``.
"""

import os
import shutil
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import coterie

PLACE = Path(__file__).resolve().parents[1] / "build" / "page"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPENED = 5  # times, for the first picture
WIDTHS = {"narrow": 390, "middle": 1024, "wide": 1600}
GROUPS = 12
# Notes when the page says that it is ready and the frame after that has been drawn.
WATCH = """new MutationObserver((_, watch) => {
  if (document.documentElement.dataset.ready !== 'yes') return;
  watch.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.firstPicture = performance.now(); }, 0));
}).observe(document, { attributes: true, subtree: true, attributeFilter: ['data-ready'] });"""
# From an event to the end of the frame that shows what it changed.
FRAME = """async (act) => {
  const began = performance.now();
  new Function('canvas', act)(document.querySelector('canvas'));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  return performance.now() - began;
}"""
PICK = "document.querySelectorAll('.legend-entry')[{i}].click()"
WHEEL = "canvas.dispatchEvent(new WheelEvent('wheel', {{ deltaY: {by}, clientX: 500, clientY: 400, cancelable: true, bubbles: true }}))"
KEY = "canvas.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true }}))"
ACTS = {
    "zoom in": [WHEEL.format(by=-110)] * 12,
    "zoom out": [WHEEL.format(by=110)] * 12,
    "move": [KEY.format(key=key) for key in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown")] * 3,
    "pick a group": [PICK.format(i=i) for i in range(6)],
    "show all": [PICK.format(i=5), *(PICK.format(i=i // 2) for i in range(6))],
    "select with a box": [KEY.format(key="b") + ";" + KEY.format(key="Enter")] * 3,
}


def table_of(n: int) -> dict[str, Any]:
    """Return planted groups as a table."""
    rng = np.random.default_rng(0)
    centers, shares = rng.uniform(0, 100, (GROUPS, 6)), rng.dirichlet(np.full(GROUPS, 4.0))
    X = centers[rng.choice(GROUPS, n, p=shares)] + rng.normal(0, 4, (n, 6))
    regions = np.array(["north", "south", "east", "west"], dtype=object)[rng.integers(0, 4, n)]
    return {f"measure {j}": X[:, j] for j in range(6)} | {"region": regions}


def small_pages() -> Iterator[Path]:
    """Write pages of methods with views of their own."""
    rng = np.random.default_rng(1)
    X = np.vstack([rng.normal(c, s, (200, 2)) for c, s in (((0, 0), 0.5), ((6, 5), 0.8), ((9, 0), 0.4))])
    X = np.vstack([X, rng.uniform(-3, 12, (40, 2))])
    for method in ("AgglomerativeClustering", "HDBSCAN", "OPTICS", "STING", "CLIQUE"):
        given = {"n_clusters": 3} if method == "AgglomerativeClustering" else {}
        path = PLACE / f"{method}.html"
        path.write_text(
            coterie.run({"east": X[:, 0], "north": X[:, 1]}, method=method, **given).to_html(), encoding="utf-8"
        )
        yield path


class Opened:
    """A page in a profile of its own, with what it asks for and says."""

    def __init__(self, browser: Any, path: Path, **options: Any):
        self.context = browser.new_context(bypass_csp=True, reduced_motion="reduce", **options)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.messages: list[str] = []
        self.page.on("request", lambda asked: self._asked(asked.url, path.as_uri()))
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.add_init_script(WATCH)
        self.page.goto(path.as_uri())
        self.page.wait_for_function("window.firstPicture > 0", timeout=120_000)

    def _asked(self, address: str, own: str) -> None:
        if address != own and not address.startswith("data:"):
            self.requests.append(address)


@contextmanager
def opened(browser: Any, path: Path, **options: Any) -> Iterator[Opened]:
    """Open a page, and close it again."""
    one = Opened(browser, path, **options)
    try:
        yield one
    finally:
        one.context.close()


def first_pictures(browser: Any, path: Path) -> list[float]:
    """Return seconds until the first picture, each time in a fresh profile."""
    found = []
    for _ in range(OPENED):
        with opened(browser, path, viewport={"width": 1440, "height": 900}) as one:
            found.append(one.page.evaluate("window.firstPicture") / 1000)
    return found


def frames(one: Opened) -> dict[str, list[float]]:
    """Return milliseconds of one frame by what was done."""
    one.page.locator("canvas").scroll_into_view_if_needed()
    found = {}
    for name, acts in ACTS.items():
        found[name] = [one.page.evaluate(FRAME, act) for act in acts]
        one.page.evaluate(FRAME, KEY.format(key="0"))
    return found


def axe_source() -> str | None:
    """Return the text of axe-core, where it can be found."""
    spec = find_spec("axe_playwright_python")
    folders = [Path(os.environ["AXE"]) / "axe_playwright_python"] if "AXE" in os.environ else []
    folders += [Path(spec.origin).parent] if spec and spec.origin else []
    return next((path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("axe.min.js")), None)


def violations(one: Opened, source: str) -> list[str]:
    """Return what axe-core objects to, with everything unfolded, rows selected, a search done and a name being changed."""
    one.page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    one.page.fill("#map-search", "1")
    for key in ("b", "Enter"):
        one.page.locator("canvas").press(key)
    one.page.get_by_role("button", name="Rename group 1", exact=True).click()
    one.page.evaluate(source)
    found = one.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [
        f"{line['id']} ({line['impact']}): {len(line['nodes'])} x {line['nodes'][0]['html'][:120]}" for line in found
    ]


def report(path: Path, say: Callable[..., None] = print) -> bool:
    """Measure the page at ``path``; return whether it keeps what is promised."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        say(f"| page | {path.stat().st_size / 1e6:.2f} MB, asked: at most 8 |")
        seconds = first_pictures(browser, path)
        say(
            f"| first picture | median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f}, asked: at most 2.5 |"
        )
        kept = path.stat().st_size <= 8e6 and statistics.median(seconds) <= 2.5
        with opened(browser, path, viewport={"width": 1440, "height": 900}) as one:
            for name, times in frames(one).items():
                say(
                    f"| {name} | median {statistics.median(times):.0f} ms, worst {max(times):.0f}, asked: at most 300 |"
                )
                kept &= max(times) <= 300
            held = one.page.evaluate("performance.memory.usedJSHeapSize / 1e6")
            say(f"| requests, messages | {len(one.requests)}, {len(one.messages)}; scripts hold {held:.0f} MB |")
            kept &= not one.requests and not one.messages
        kept &= seen_well(browser, path, say)
        browser.close()
    return kept


def seen_well(browser: Any, path: Path, say: Callable[..., None]) -> bool:
    """Leave pictures, and ask axe-core about each page in light and dark."""
    source = axe_source()
    if source is None:
        say("| axe-core | not found: install axe-playwright-python, or give its folder as AXE |")
    total = 0
    for one_path in (path, *small_pages()):
        for scheme in ("light", "dark"):
            for name, width in WIDTHS.items():
                with opened(browser, one_path, color_scheme=scheme, viewport={"width": width, "height": 900}) as one:
                    if one_path == path or name == "middle":
                        one.page.screenshot(path=PLACE / f"{one_path.stem}-{name}-{scheme}.png", full_page=True)
                    wide = one.page.evaluate("document.documentElement.scrollWidth")
                    lines = ([] if wide <= width else [f"{wide} pixels wide on {width}"]) + [
                        f"says {m}" for m in one.messages
                    ]
                    lines += violations(one, source) if source else []
                for line in lines:
                    say(f"| {one_path.stem}, {name}, {scheme} | {line} |")
                total += len(lines)
    say(f"| axe-core, width, messages | {total} objections, asked: none |")
    return total == 0


def main(n: int) -> int:
    """Make the page where it is not there yet, and measure it."""
    PLACE.mkdir(parents=True, exist_ok=True)
    folder = PLACE / f"{n}.coterie"
    if not (folder / "report.html").is_file():
        coterie.run(table_of(n), n_clusters=GROUPS).write(folder)
    print(f"| {n:,} rows, a real run | measured |\n|---|---|")
    return 0 if report(folder / "report.html") else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
