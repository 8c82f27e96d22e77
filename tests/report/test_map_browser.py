"""Working on the map: rows picked out by loop, box and keys, found by search, and taken out as files."""

import csv
import io
import re
import xml.etree.ElementTree as tree

import pytest

from coterie import report
from report.records import make_record
from report.visits import Visit

pytestmark = pytest.mark.browser

WIDE = {"viewport": {"width": 1200, "height": 900}, "reduced_motion": "reduce"}


@pytest.fixture(scope="module")
def record():
    made = make_record()
    return made | {
        "rows": made["rows"] | {"ids": {"column": "CustomerID", "values": [f"C{i:05d}" for i in range(200)]}}
    }


@pytest.fixture(scope="module")
def opened(browser, record, tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "report.html"
    path.write_text(report.html(record), encoding="utf-8")
    one = Visit(browser, path, **WIDE).wait()
    yield one
    one.close()


@pytest.fixture
def seen(opened):
    """Return the page with nothing selected, picked or searched for."""
    yield opened
    opened.page.fill("#map-search", "")
    for tool in ("loop", "box"):
        button = opened.page.get_by_role("button", name=f"Select rows with a {tool}")
        if button.get_attribute("aria-pressed") == "true":
            button.click()
    for _ in range(2):
        opened.page.locator("canvas").press("Escape")


@pytest.fixture
def fresh(visit, record):
    return visit(record, **WIDE).wait()


def drag(seen, corners):
    """Draw with the pointer from corner to corner, in shares of the map."""
    canvas = seen.page.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    seen.page.mouse.move(*places[0])
    seen.page.mouse.down()
    for place in places[1:]:
        seen.page.mouse.move(*place, steps=4)
    seen.page.mouse.up()


def selected(seen):
    """Return the lines of the CSV file of the selected rows."""
    _, content = seen.saved(seen.page.get_by_role("button", name="Save the selected rows as a table").click)
    return list(csv.DictReader(io.StringIO(content.decode())))


EVERYTHING = [(0.02, 0.02), (0.98, 0.98)]


def test_a_box_around_everything_selects_every_row_with_its_id_and_group(seen, record):
    seen.page.get_by_role("button", name="Select rows with a box").click()
    drag(seen, EVERYTHING)
    assert seen.page.locator(".selection-said").inner_text() == "200 rows selected, 100% of those on the map."
    lines = selected(seen)
    assert [int(line["row"]) for line in lines] == list(range(200))
    assert lines[7]["CustomerID"] == "C00007"
    sizes = {cluster["id"]: cluster["rows"] for cluster in record["clusters"]}
    assert {i: sum(line["label"] == str(i) for line in lines) for i in sizes} == sizes


def test_a_loop_selects_the_rows_inside_it_and_escape_lets_them_go(seen):
    seen.page.get_by_role("button", name="Select rows with a loop").click()
    drag(seen, [(0.1, 0.1), (0.5, 0.1), (0.5, 0.9), (0.1, 0.9)])
    some = selected(seen)
    assert 0 < len(some) < 200
    seen.page.locator("canvas").press("Escape")
    assert not seen.page.locator(".selection").is_visible()


def test_shift_and_dragging_draw_a_box_without_choosing_a_tool(seen):
    seen.page.keyboard.down("Shift")
    drag(seen, EVERYTHING)
    seen.page.keyboard.up("Shift")
    assert "200 rows selected" in seen.page.locator(".selection-said").inner_text()


def test_a_box_is_drawn_and_moved_by_keys_alone(seen):
    canvas = seen.page.locator("canvas")
    canvas.press("b")
    for _ in range(12):
        canvas.press("ArrowLeft")
        canvas.press("ArrowUp")
    for _ in range(45):
        canvas.press("Shift+ArrowRight")
        canvas.press("Shift+ArrowDown")
    canvas.press("Enter")
    words = seen.page.locator(".selection-said").inner_text()
    assert int(re.match(r"\d+", words).group()) > 150


def test_only_rows_of_the_picked_group_are_selected(seen, record):
    seen.page.locator(".legend-entry").nth(1).click()
    seen.page.get_by_role("button", name="Select rows with a box").click()
    drag(seen, EVERYTHING)
    assert {line["label"] for line in selected(seen)} == {"1"}
    assert seen.page.locator(".among li").count() == 1


def test_typical_values_of_selected_rows_are_those_of_the_data(seen, record):
    seen.page.locator(".legend-entry").nth(2).click()
    seen.page.get_by_role("button", name="Select rows with a box").click()
    drag(seen, EVERYTHING)
    rows = [int(line["row"]) for line in selected(seen)]
    ages = sorted(record["rows"]["sample"][str(row)]["Age"] for row in rows if str(row) in record["rows"]["sample"])
    line = seen.page.locator(".selection tr", has_text="Age").locator("td").first.inner_text()
    assert float(line) == pytest.approx(ages[(len(ages) - 1) // 2], rel=1e-3)


@pytest.mark.parametrize(
    ("wanted", "first"),
    [
        ("high income, low", "High income, low spending"),
        ("17", "row 17"),
        ("c00150", "row 150 C00150"),
        ("Female", "Gender: Female"),
    ],
)
def test_search_finds_groups_rows_ids_and_values(seen, wanted, first):
    seen.page.fill("#map-search", wanted)
    assert first in " ".join(seen.page.locator(".hit").first.inner_text().split())
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_timeout(150)
    assert seen.page.locator(".ring:visible, .legend-entry[aria-pressed='true']").count() == 1


def test_search_says_when_there_is_nothing(seen):
    seen.page.fill("#map-search", "no such thing anywhere")
    assert "Nothing found" in seen.page.locator(".search-said").inner_text()
    assert seen.page.locator(".hit").count() == 0


def test_the_map_is_saved_as_picture_and_as_drawing(fresh, record):
    name, content = fresh.saved(fresh.page.get_by_role("button", name="Save the map as a picture").click)
    assert (name, content[:8]) == ("customers-map.png", b"\x89PNG\r\n\x1a\n")
    name, content = fresh.saved(fresh.page.get_by_role("button", name="Save the map as a drawing").click)
    drawing = tree.fromstring(content)
    dots = sum(path.get("d").count("h0") for path in drawing.iter("{http://www.w3.org/2000/svg}path"))
    assert (name, dots) == ("customers-map.svg", 200)
    assert {c["name"] for c in record["clusters"]} & {t.text for t in drawing.iter("{http://www.w3.org/2000/svg}text")}


def saved_views(seen, ending):
    # Chromium asks before the eleventh file that a page saves in a row.
    buttons = seen.page.locator(".view-head .view-tools button", has_text=ending)
    assert buttons.count() == 7
    return [seen.saved(buttons.nth(i).click)[1] for i in range(7)]


def test_every_view_is_saved_as_a_drawing(fresh):
    for content in saved_views(fresh, "SVG"):
        drawing = tree.fromstring(content)
        assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
        assert not any({"class", "style"} & set(part.keys()) for part in drawing.iter())


def test_a_view_is_saved_as_a_picture(fresh):
    button = fresh.page.locator(".view-head .view-tools button", has_text="PNG").first
    assert fresh.saved(button.click)[1].startswith(b"\x89PNG\r\n")


def test_every_view_is_saved_as_a_table(fresh):
    for content in saved_views(fresh, "CSV"):
        lines = list(csv.reader(io.StringIO(content.decode())))
        assert len(lines) > 1
        assert len({len(line) for line in lines}) == 1


def test_the_tables_of_groups_and_of_rows_that_stand_out_are_saved(fresh, record):
    _, content = fresh.saved(fresh.page.locator("#compare .view-tools button").click)
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    assert [line["Name"] for line in lines] == [cluster["name"] for cluster in record["clusters"]]
    age = next(column for column in record["profile"]["columns"] if column["name"] == "Age")
    assert [float(line["Age"]) for line in lines] == [value["median"] for value in age["by_cluster"]]
    _, content = fresh.saved(fresh.page.locator("#outliers .view-tools button").click)
    rows = [int(line["Row"]) for line in csv.DictReader(io.StringIO(content.decode()))]
    assert rows == [line["row"] for line in record["outliers"]["top"]]


def test_a_formula_in_a_name_is_defused_in_saved_tables(visit):
    record = make_record()
    record["clusters"][0]["name"] = "=HYPERLINK(1)"
    seen = visit(record, **WIDE).wait()
    seen.page.keyboard.down("Shift")
    drag(seen, EVERYTHING)
    seen.page.keyboard.up("Shift")
    assert "'=HYPERLINK(1)" in {line["group"] for line in selected(seen)}


def test_a_group_picked_in_any_view_is_picked_everywhere(seen):
    for i, view in enumerate(["silhouettes", "dendrogram", "condensed-tree", "reachability", "cells"]):
        group = str(i % 5)
        sign = seen.page.locator(f"#view-{view} .sign-of-group[data-group='{group}']")
        sign.scroll_into_view_if_needed()
        sign.click()
        pressed = seen.ask(
            "[...document.querySelectorAll('.sign-of-group[aria-pressed=true]')].map(one => one.dataset.group)"
        )
        assert set(pressed) == {group}
        assert seen.ask(
            f"document.querySelector('#view-silhouettes path[data-group=\"{(i + 1) % 5}\"]').classList.contains('faded')"
        )
        sign.click()


def test_arrow_keys_go_from_sign_to_sign_and_enter_picks(seen):
    seen.ask("document.querySelector('#view-silhouettes .sign-of-group[tabindex=\"0\"]').focus()")
    seen.page.keyboard.press("ArrowDown")
    seen.page.keyboard.press("Enter")
    assert seen.page.locator("#view-silhouettes .sign-of-group[aria-pressed='true']").get_attribute("data-group") == "1"


def test_dark_and_light_are_chosen_and_remembered(visit, record):
    seen = visit(record, color_scheme="light").wait()
    ground = "getComputedStyle(document.body).backgroundColor"
    light = seen.ask(ground)
    seen.page.get_by_role("button", name="Dark colours").click()
    dark = seen.ask(ground)
    assert dark != light
    seen.page.reload()
    assert seen.wait().ask(ground) == dark
    seen.page.get_by_role("button", name="Light colours").click()
    assert seen.ask(ground) == light
