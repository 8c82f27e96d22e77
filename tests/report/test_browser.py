"""The page in a real browser: it asks for nothing, runs nothing from the data, draws fast, and can be read and used by all."""

import contextlib

import pytest

from coterie import report
from report.payloads import PAYLOADS, poison
from report.records import make_record
from report.visits import Visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def record():
    return make_record()


@pytest.mark.parametrize("turn", range(4))
def test_nothing_in_the_data_is_ever_run(visit, turn):
    whole = make_record()
    whole["clusters"][0]["given_name"] = "given"
    whole["rows"]["ids"] = {"column": "CustomerID", "values": [f"C{i}" for i in range(200)]}
    record, used = poison(whole, turn)
    assert used == set(PAYLOADS)
    seen = visit(record, viewport={"width": 1200, "height": 900}).wait()
    own = "[...document.querySelectorAll('script')].filter(one => !['record', 'points'].includes(one.id)).length"
    assert seen.ask(own) == 1
    assert (
        seen.ask("document.querySelectorAll('body img, iframe, object, embed, form, a:not([href^=\"#\"])').length") == 0
    )
    # Drawings hold what drawings of harmless data hold.
    kinds = "[...new Set([...document.querySelectorAll('svg, svg *, input')].map(one => one.tagName))].sort()"
    assert seen.ask(kinds) == visit(make_record()).wait().ask(kinds)
    seen.ask("document.querySelectorAll('button').forEach(one => one.click())")
    seen.page.locator("canvas").hover(position={"x": 300, "y": 250})
    seen.ask("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    seen.page.fill("#map-search", "a")
    seen.page.locator("canvas").press("b")
    seen.page.locator("canvas").press("Enter")
    assert seen.ask("window.pwned") is None
    assert seen.clean


def test_nothing_in_the_data_is_run_where_scripts_are_off(visit):
    record, _ = poison(make_record(), 1)
    seen = visit(record, java_script_enabled=False)
    assert seen.page.locator("noscript, .static").count() >= 1
    assert seen.clean


def test_the_policy_stops_what_is_slipped_into_the_file(browser, tmp_path):
    path = tmp_path / "changed.html"
    page = report.html(make_record()).replace(
        "<body>", "<body><script>window.pwned = 1</script><img src='http://127.0.0.1:9/x'>"
    )
    path.write_text(page, encoding="utf-8")
    seen = Visit(browser, path)
    assert seen.ask("window.pwned") is None
    assert any("Content Security Policy" in message for message in seen.messages)
    seen.context.close()


def test_the_answer_comes_first_and_every_part_is_there_in_order(visit, record):
    seen = visit(record).wait()
    assert seen.page.title() == "customers.csv: 5 groups in 200 rows"
    assert seen.page.locator("h1").inner_text() == "5 groups"
    assert "The largest holds" in seen.page.locator(".answer").inner_text()
    assert seen.page.locator("main > section h2").all_inner_texts() == [
        "The map",
        "The groups, one by one",
        "The groups side by side",
        "Inside the groups",
        "Rows that stand out",
        "How this was done",
        "Words on this page",
    ]
    assert seen.page.locator(".card h3").all_inner_texts() == [cluster["name"] for cluster in record["clusters"]]
    body = seen.page.locator("body").inner_text()
    assert "Compared with the column Segment" in body
    for words in (
        "Age is missing in 12 rows",
        "every value is different",
        "numpy 2.4.6",
        "Seed",
        "leaves 41 % of the rows",
    ):
        assert words.lower() in body.lower()


@pytest.mark.parametrize(
    ("verdict", "title"),
    [("none", "No clear groups in these data"), ("weak", "The groups are weak"), ("one", "The rows form one group")],
)
def test_a_doubtful_answer_says_so_at_the_top(visit, verdict, title):
    seen = visit(make_record(k=1 if verdict == "one" else 3, verdict=verdict)).wait()
    assert title in seen.page.locator(".banner").inner_text()


def test_a_record_with_little_in_it_still_makes_a_page(visit, record):
    small = {name: record[name] for name in ("schema", "input", "structure")} | {"clusters": []}
    seen = visit(small).wait()
    assert seen.page.locator("h1").inner_text() == "No clear groups"


def colors_in_sight(seen):
    """Count the pixels of each colour on the canvas."""
    script = """() => { const canvas = document.querySelector('canvas'), found = {};
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {willReadFrequently: true});
        copy.drawImage(canvas, 0, 0);
        const data = copy.getImageData(0, 0, canvas.width, canvas.height).data;
        for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) {
            const key = [data[i], data[i + 1], data[i + 2]].map(v => Math.round(v / 24)).join();
            found[key] = (found[key] || 0) + 1; }
        return found; }"""
    return {key: number for key, number in seen.ask(script).items() if number > 60}


def test_picking_a_group_fades_the_others_and_picking_it_again_shows_all(visit, record):
    seen = visit(record, viewport={"width": 1200, "height": 900}).wait()
    before = colors_in_sight(seen)
    entry = seen.page.locator(".legend-entry").nth(1)
    entry.click()
    seen.page.wait_for_timeout(100)
    assert entry.get_attribute("aria-pressed") == "true"
    assert len(colors_in_sight(seen)) < len(before)
    entry.click()
    seen.page.wait_for_timeout(100)
    assert colors_in_sight(seen) == before


def test_a_card_picks_its_group_on_the_map(visit, record):
    seen = visit(record).wait()
    seen.page.locator(".card button", has_text="Show on map").nth(2).click()
    assert seen.page.locator(".legend-entry").nth(2).get_attribute("aria-pressed") == "true"
    assert seen.page.locator(".card.picked").get_attribute("id") == "group-2"
    assert seen.page.locator("#compare tr.picked").count() == 1


def point_at(seen, row):
    """Bring a row into the ring with its link, and return the ring's middle."""
    seen.page.get_by_role("button", name=f"Show row {row} on the map").first.click()
    seen.page.wait_for_timeout(700)
    box = seen.page.locator(".ring").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_pointing_at_a_dot_shows_its_row_in_the_units_of_the_data(visit, record):
    seen = visit(record, viewport={"width": 1200, "height": 900}, reduced_motion="reduce").wait()
    row = record["clusters"][1]["exemplars"][0]
    x, y = point_at(seen, row)
    seen.page.mouse.move(5, 5)
    seen.page.mouse.move(x, y)
    words = seen.page.locator(".tip").inner_text()
    assert f"row {row}" in words
    assert record["clusters"][1]["name"] in words
    assert str(record["rows"]["sample"][str(row)]["CustomerID"]) in words


def test_the_map_zooms_by_wheel_button_and_key_and_comes_back(visit, record):
    seen = visit(record, viewport={"width": 1200, "height": 900}, reduced_motion="reduce").wait()
    picture = "document.querySelector('canvas').toDataURL()"
    home = seen.ask(picture)
    canvas = seen.page.locator("canvas")
    canvas.scroll_into_view_if_needed()
    views = []
    for change, back in (
        (
            lambda: seen.page.mouse.wheel(0, -300),
            lambda: seen.page.get_by_role("button", name="Back to the whole picture").click(),
        ),
        (lambda: seen.page.get_by_role("button", name="Zoom in").click(), lambda: canvas.press("0")),
        (lambda: canvas.press("+"), lambda: canvas.press("-")),
        (lambda: canvas.press("ArrowLeft"), lambda: canvas.press("ArrowRight")),
    ):
        canvas.hover(position={"x": 300, "y": 200})
        seen.page.wait_for_timeout(400)
        change()
        seen.page.wait_for_timeout(120)
        views.append(seen.ask(picture) != home)
        back()
        seen.page.wait_for_timeout(120)
        views.append(seen.ask(picture) == home)
    assert views == [True] * 8


def test_the_wheel_scrolls_the_page_on_when_the_map_cannot_zoom_out(visit, record):
    seen = visit(record, viewport={"width": 1200, "height": 700}).wait()
    seen.page.locator("canvas").hover()
    before = seen.ask("scrollY")
    seen.page.wait_for_timeout(400)
    seen.page.mouse.wheel(0, 300)
    seen.page.wait_for_timeout(300)
    assert seen.ask("scrollY") > before


def test_tables_sort_by_any_heading_both_ways(visit, record):
    seen = visit(record).wait()
    head = seen.page.locator("#compare thead button", has_text="Annual Income")
    values = "[...document.querySelectorAll('#compare tbody tr')].map(row => parseFloat(row.cells[3].textContent.replace(/[^0-9.]/g, '')))"
    head.click()
    first = seen.ask(values)
    head.click()
    assert first == sorted(first, reverse=True)
    assert seen.ask(values) == sorted(first)
    assert seen.page.locator("#compare thead th").nth(3).get_attribute("aria-sort") == "ascending"


def test_many_groups_are_shown_a_dozen_at_first(visit):
    seen = visit(make_record(n=4000, k=70)).wait()
    assert seen.page.locator(".card").count() == 12
    seen.page.get_by_role("button", name="Show the other 58 groups").click()
    assert seen.page.locator(".card").count() == 70


# Words in many scripts, from right to left and joined from several signs, and one without a place to break it.
SCRIPTS = (
    "عمر العميل",
    "גיל הלקוח",
    "年齢",
    "나이",
    "อายุ",
    "आयु",
    "Ηλικία",
    "👩🏽‍🚀 of 🧑‍🤝‍🧑",
    "e\u0301a\u0308",
    "unbroken" * 40,
)


@pytest.mark.parametrize("width", [360, 390, 768, 1440])
def test_the_page_fits_its_width_whatever_the_words(visit, width):
    record = make_record(extra_columns=8)
    record["input"]["name"] = "x" * 300
    for cluster, name in zip(
        record["clusters"], ("W" * 80, "مجموعة العملاء الكبار", "顧客" * 40, "שלום " * 16), strict=False
    ):
        cluster["given_name"] = name
    called = dict(zip([column["name"] for column in record["columns"]], SCRIPTS, strict=False))
    for line in [*record["columns"], *record["profile"]["columns"]]:
        line["name"] = called.get(line["name"], line["name"])
    for values in record["rows"]["sample"].values():
        values |= {
            called[name]: SCRIPTS[i % len(SCRIPTS)] if i == 1 else values.pop(name)
            for i, name in enumerate(called)
            if name in values
        }
    seen = visit(record, viewport={"width": width, "height": 800}).wait()
    seen.ask("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    seen.page.fill("#map-search", "ن")
    seen.page.wait_for_timeout(100)
    assert seen.ask("document.documentElement.scrollWidth") <= width
    # Nothing but tables, which scroll by themselves, is wider than what it stands in.
    wide = """[...document.querySelectorAll('main *')].filter(one => !one.closest('.scroller, .unseen, svg, canvas, .composition, .stage')
      && one.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(one => one.outerHTML.slice(0, 100))"""
    assert seen.ask(wide) == []


CONTRAST = """() => {
  const parse = (color) => { const c = color.match(/[\\d.]+/g).map(Number); return c.length > 3 ? c : [...c, 1]; };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3]));
  const ground = (node) => { const chain = [];
    for (let at = node; at; at = at.parentElement) chain.push(parse(getComputedStyle(at).backgroundColor));
    return chain.reverse().reduce((under, top) => over(top, under), [255, 255, 255]); };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement, box = node.getBoundingClientRect();
    if (!walker.currentNode.textContent.trim() || box.width < 2 || node.closest('script, noscript, .unseen, .skip')) continue;
    const style = getComputedStyle(node), under = ground(node);
    const [a, b] = [light(over(parse(style.color), under)), light(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${node.className} ${walker.currentNode.textContent.slice(0, 30)}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(visit, scheme):
    # 64 groups, so that the number on every colour of the palette is measured.
    seen = visit(make_record(n=4000, k=64), color_scheme=scheme, viewport={"width": 1440, "height": 900}).wait()
    seen.page.locator("button.more").click()
    assert seen.ask(CONTRAST) == []


ACCESS = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)].filter(one => !one.closest('noscript'));
  const name = (one) => (one.getAttribute('aria-label') || one.title || (one.getAttribute('aria-labelledby') || '').split(' ')
    .map(id => document.getElementById(id)?.textContent || '').join('') || one.textContent).trim();
  const ids = all('[id]').map(one => one.id);
  const levels = all('h1, h2, h3, h4').map(one => Number(one.tagName[1]));
  return {
    language: document.documentElement.lang,
    landmarks: ['main', 'nav', 'footer'].map(tag => all(tag).length),
    nameless: all('button, a, [role], section, canvas, summary').filter(one => !name(one)).map(one => one.outerHTML.slice(0, 80)),
    repeatedIds: ids.filter((id, i) => ids.indexOf(id) !== i),
    lostReferences: all('[aria-labelledby], [aria-describedby]').filter(one =>
      !document.getElementById(one.getAttribute('aria-labelledby') || one.getAttribute('aria-describedby'))).length,
    lostAnchors: all('a').filter(one => !document.getElementById(one.getAttribute('href').slice(1))).length,
    firsts: levels.filter(level => level === 1).length,
    jumps: levels.filter((level, i) => i > 0 && level > levels[i - 1] + 1).length,
    scopeless: all('th:not([scope])').length,
    unreachable: all('.scroller').filter(one => one.tabIndex !== 0).length,
  };
}"""


def test_headings_names_and_landmarks_are_right(visit, record):
    assert visit(record).wait().ask(ACCESS) == {
        "language": "en",
        "landmarks": [1, 1, 1],
        "nameless": [],
        "repeatedIds": [],
        "lostReferences": 0,
        "lostAnchors": 0,
        "firsts": 1,
        "jumps": 0,
        "scopeless": 0,
        "unreachable": 0,
    }


def test_the_keyboard_reaches_the_map_and_picks_a_group(visit, record):
    seen = visit(record).wait()
    reached = set()
    for _ in range(30):
        seen.page.keyboard.press("Tab")
        reached.add(seen.ask("document.activeElement.tagName + '.' + document.activeElement.className.split(' ')[0]"))
        if seen.ask("document.activeElement.classList.contains('legend-entry')"):
            break
    seen.page.keyboard.press("Enter")
    assert {"CANVAS.", "BUTTON.part", "A.skip"} <= reached
    assert seen.page.locator(".legend-entry[aria-pressed='true']").count() == 1
    seen.page.locator("canvas").press("Escape")
    assert seen.page.locator(".legend-entry[aria-pressed='true']").count() == 0


def test_the_page_prints_with_everything_unfolded(visit, record):
    seen = visit(record, color_scheme="dark").wait()
    assert seen.page.pdf()[:5] == b"%PDF-"
    seen.page.emulate_media(media="print")
    assert seen.ask("getComputedStyle(document.body).color") == "rgb(28, 30, 34)"


def processor_seconds():
    """Return the processor time of each of the browser's processes so far: unlike the clock it does not see who else is at work."""
    psutil = pytest.importorskip("psutil")
    found = {}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            found[process.pid] = times.user + times.system
    return found


@pytest.mark.parametrize(("points", "seconds"), [(100_000, 2.5), (1_000_000, 2.5)])
def test_a_large_map_is_on_the_screen_soon(visit, points, seconds):
    record = make_record(n=2000, k=12, map_points=points)
    before = processor_seconds()
    seen = visit(record, viewport={"width": 1440, "height": 900}).wait()
    spent = sum(
        seconds - before.get(pid, 0.0) for pid, seconds in processor_seconds().items()
    )  # some have ended meanwhile
    assert len(colors_in_sight(seen)) >= 10
    assert 0 < spent < seconds


def test_a_crowded_map_turns_to_single_dots_when_zoomed(visit):
    seen = visit(make_record(n=2000, k=6, map_points=60_000), viewport={"width": 1200, "height": 900}).wait()
    crowded = colors_in_sight(seen)
    for _ in range(9):
        seen.page.get_by_role("button", name="Zoom in").click()
    seen.page.wait_for_timeout(300)
    seen.page.locator("canvas").hover(position={"x": 300, "y": 250})
    # Dots are a few flat colours; density has a shade for every number of rows.
    assert len(colors_in_sight(seen)) < len(crowded)
    assert seen.page.locator("canvas.zoomed").count() == 1
