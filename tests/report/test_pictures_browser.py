"""The page of pictures in a real browser: quiet, readable, usable by keyboard, and nothing in the data is ever run."""

import pytest

from coterie.report.pictures_page import pictures_html
from report.payloads import poison
from report.picture_records import make_picture_record
from report.test_browser import ACCESS, CONTRAST, Visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("stack")


@pytest.fixture
def record(folder):
    return make_picture_record(folder)


@pytest.fixture
def visit(browser, tmp_path):
    """Return a function that opens the page of a record; at the end every page must have kept quiet."""
    opened = []

    def open_page(record, **options):
        path = tmp_path / f"pictures {len(opened)}.html"
        path.write_text(pictures_html(record), encoding="utf-8")
        found = Visit(browser, path, **options)
        opened.append(found)
        return found if options.get("java_script_enabled") is False else found.wait()

    yield open_page
    for found in opened:
        found.close()


def test_the_answer_comes_first_and_every_part_is_there_in_order(visit, record):
    seen = visit(record)
    assert seen.page.locator("h1").inner_text() == "3 groups"
    assert seen.page.locator("main > section h2").all_inner_texts() == [
        "The groups at a glance",
        "The map",
        "The groups, one by one",
        "Pictures that stand out",
        "How this was done",
        "Words on this page",
    ]
    body = seen.page.locator("body").inner_text()
    for words in ("Most typical", "compared at 12 × 10 pixels", "which was not used for grouping", "Seed"):
        assert words.lower() in body.lower()


def test_every_image_is_drawn_and_has_words(visit, record):
    seen = visit(record)
    seen.ask("document.querySelectorAll('img').forEach(one => { one.loading = 'eager'; })")
    seen.page.wait_for_function("[...document.images].every(one => one.complete)")
    found = seen.ask("[...document.images].map(one => [one.alt, one.naturalWidth, one.getBoundingClientRect().width])")
    strips = sum(len(one[kind]) for one in record["clusters"] for kind in ("exemplars", "unusual", "border"))
    glance = sum(min(12, len(one["exemplars"])) for one in record["clusters"])
    assert len(found) == strips + glance + len(record["outliers"]["top"])
    assert all(alt and natural == 10 and shown >= 40 for alt, natural, shown in found)


def test_few_pixels_are_shown_as_they_are(visit, record):
    seen = visit(record)
    seen.page.locator(".strip img").first.scroll_into_view_if_needed()
    seen.page.wait_for_function("document.querySelector('.strip img').naturalWidth > 0")
    seen.page.wait_for_timeout(100)
    assert seen.ask("getComputedStyle(document.querySelector('.strip img')).imageRendering") == "pixelated"


def test_a_picture_shows_its_point_and_the_point_its_picture(visit, record):
    seen = visit(record, viewport={"width": 1200, "height": 900}, reduced_motion="reduce")
    row = record["clusters"][1]["exemplars"][0]
    seen.page.locator(f"#group-1 button[title='{row}']").first.click()
    seen.page.wait_for_timeout(700)
    box = seen.page.locator(".ring").bounding_box()
    seen.page.mouse.move(5, 5)
    seen.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert seen.page.locator(".tip img").count() == 1
    assert str(row) in seen.page.locator(".tip").inner_text()


def test_without_scripts_the_exemplars_are_there(visit, record):
    seen = visit(record, java_script_enabled=False)
    assert seen.page.locator("img.still").count() == 18


@pytest.mark.parametrize("turn", range(3))
def test_nothing_in_the_data_is_ever_run(visit, record, turn):
    images = record["thumbnails"]
    poisoned, _ = poison(record, turn)
    poisoned["thumbnails"] = images
    seen = visit(poisoned, viewport={"width": 1200, "height": 900})
    assert seen.ask("document.querySelectorAll('iframe, object, embed, form, a:not([href^=\"#\"])').length") == 0
    assert seen.ask("[...document.images].every(one => one.src.startsWith('data:image/'))")
    seen.ask("document.querySelectorAll('button').forEach(one => one.click())")
    assert seen.ask("window.pwned") is None


@pytest.mark.parametrize("width", [360, 1440])
def test_the_page_fits_its_width(visit, record, width):
    for one in record["rows"]["sample"].values():
        one["picture"] = "an_endless_name_without_a_space_" * 6
    seen = visit(record, viewport={"width": width, "height": 800})
    assert seen.ask("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(visit, record, scheme):
    assert visit(record, color_scheme=scheme, viewport={"width": 1440, "height": 900}).ask(CONTRAST) == []


def test_headings_names_and_landmarks_are_right(visit, record):
    found = visit(record).ask(ACCESS)
    assert (found["landmarks"], found["nameless"], found["repeatedIds"]) == ([1, 1, 1], [], [])
    assert [found[name] for name in ("lostReferences", "lostAnchors", "firsts", "jumps", "scopeless")] == [
        0,
        0,
        1,
        0,
        0,
    ]
