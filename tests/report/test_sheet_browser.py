"""The page of an application in a real browser: quiet, readable, usable by keyboard, and nothing in the data is ever run."""

import pytest

from coterie.report.sheet_page import sheet_html
from report.payloads import PAYLOADS, poison
from report.sheets import make_bars, make_sections, make_sheet_record
from report.test_browser import ACCESS, CONTRAST
from report.visits import Visit

pytestmark = pytest.mark.browser
# Texts that the page chooses by, and a picture: what a poisoned record keeps.
KEPT = ("format", "x_format", "scale", "source")


@pytest.fixture
def visit(browser, tmp_path):
    """Return a function that opens the page of a record; at the end every page must have kept quiet."""
    opened = []

    def open_page(record, **options):
        path = tmp_path / f"sheet {len(opened)}.html"
        path.write_text(sheet_html(record), encoding="utf-8")
        found = Visit(browser, path, **options)
        opened.append(found)
        return found.wait()

    yield open_page
    for found in opened:
        found.close()


@pytest.fixture
def record():
    return make_sheet_record()


def restored(poisoned, record):
    """Put back what a page refuses to show otherwise: formats, scales and pictures."""
    if isinstance(poisoned, dict):
        return {
            name: record[name] if name in KEPT else restored(value, record.get(name))
            for name, value in poisoned.items()
            if name in record
        } | {name: value for name, value in poisoned.items() if name not in record}
    if isinstance(poisoned, list):
        return [restored(one, other) for one, other in zip(poisoned, record, strict=True)]
    return poisoned


def test_the_answer_comes_first_and_every_part_is_there_in_order(visit, record):
    seen = visit(record)
    assert seen.page.locator("h1").inner_text() == "4 segments of 2,357 customers"
    assert seen.page.locator("main > section h2").all_inner_texts() == [
        "The segments, one by one",
        *(part["title"] for part in make_sections()),
        "The figures and what they mean",
        "How this was done",
        "Words on this page",
    ]
    body = seen.page.locator("body").inner_text()
    for words in (
        "Half of the spend",
        "Leave them out with --min-amount",
        "F >= 3 and R < 40 days",
        "1,200 customers",
        "cutoff = 1997-09-30",
    ):
        assert words in body


@pytest.mark.parametrize("turn", range(3))
def test_nothing_in_the_data_is_ever_run(visit, turn):
    whole = make_sheet_record()
    poisoned, used = poison(whole, turn)
    assert len(used) > len(PAYLOADS) // 2
    seen = visit(restored(poisoned, whole), viewport={"width": 1200, "height": 900})
    assert seen.ask("document.querySelectorAll('iframe, object, embed, form, a:not([href^=\"#\"])').length") == 0
    kinds = "[...new Set([...document.querySelectorAll('svg, svg *, input, img')].map(one => one.tagName))].sort()"
    assert seen.ask(kinds) == visit(make_sheet_record()).ask(kinds)
    seen.ask("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    seen.ask("document.querySelectorAll('button').forEach(one => one.click())")
    seen.page.locator("input[type=search]").first.fill("<img src=x onerror=alert(1)>")
    assert seen.ask("window.pwned") is None


def test_bars_carry_their_values_whiskers_and_what_is_not_known(visit, record):
    seen = visit(record)
    drawn = seen.page.locator("#view-part-1")
    assert drawn.locator("rect.swatch").count() == 2 + 7  # the key, and eight values of which one is not known
    assert drawn.locator(".whisker").count() == 3
    assert "$120.00" in drawn.inner_text()
    assert "not known" in drawn.inner_text()
    drawn.locator("summary").click()
    drawn.locator("tbody tr").first.wait_for()  # the table is made when it is first unfolded
    cells = drawn.locator("tbody tr").nth(2).locator("td").all_inner_texts()
    assert cells == ["–", "–", "–", "$33.33"]


def test_bars_of_groups_have_their_names_and_follow_a_new_one(visit, record):
    seen = visit(record)
    seen.ask("document.dispatchEvent(new CustomEvent('coterie:rename', {detail: {cluster: 0, name: 'Whales'}}))")
    assert "Whales" in seen.page.locator("#view-part-0 .chart").inner_text()
    seen.page.locator("#view-part-0 .sign-of-group").first.focus()
    seen.page.keyboard.press("ArrowDown")
    seen.page.keyboard.press("Enter")
    assert seen.page.locator(".card.picked").get_attribute("id") == "group-1"


@pytest.mark.parametrize("n", [0, 1, 300])
def test_any_number_of_bars_can_be_drawn(visit, n):
    seen = visit(make_sheet_record([make_bars(n)]))
    drawn = seen.page.locator("#view-part-0 .name-words")
    assert drawn.count() == min(n, 40)
    assert seen.page.get_by_text("There is nothing to draw").count() == (n == 0)
    if n > 40:
        seen.page.get_by_role("button", name="Draw the other 260").click()
        drawn.nth(299).wait_for(state="attached")


def test_a_table_is_searched_sorted_and_cut(visit, record):
    seen = visit(record)
    table = seen.page.locator("#part-6")
    lines = table.locator("tbody tr")
    assert lines.count() == 15
    assert "The first 60 of 2,357 rows; segments.csv holds all." in table.inner_text()
    table.get_by_role("button", name="Spend").click()
    assert "$324.50" in lines.first.inner_text()
    table.locator("input[type=search]").fill("one-timers")
    assert "None of" in table.locator("[role=status]").inner_text()
    table.locator("input[type=search]").fill("c01")
    assert lines.count() == 10
    assert "$104.50" in lines.first.inner_text()
    table.locator("input[type=search]").fill("")
    table.get_by_role("button", name="Show the other 45").click()
    assert lines.count() == 60
    name, content = seen.saved(lambda: table.get_by_role("button", name="Save as a table").click())
    assert name.endswith(".csv")
    assert content.decode().startswith("Customer,Segment,Spend,Last seen\n")
    assert content.decode().count("\n") == 61


def test_values_that_stand_together_have_as_many_decimals_unless_a_small_one_would_be_lost(visit):
    def table(title, values, form="number"):
        columns = [{"name": "x", "format": form}]
        return {"kind": "table", "title": title, "columns": columns, "rows": [[value] for value in values]}

    even, wide, money, whole = [4.199, 2.7, 1.53], [900.5, 0.00012], [25766.4, 259.84], [1200, 7]
    seen = visit(make_sheet_record([table("a", even), table("b", wide), table("c", money, "money"), table("d", whole)]))
    shown = [seen.page.locator(f"#part-{i} tbody td").all_inner_texts() for i in range(4)]
    assert shown == [["4.20", "2.70", "1.53"], ["900.5", "0.00012"], ["25,766", "260"], ["1,200", "7"]]


def test_a_group_with_a_tint_has_that_colour_everywhere(visit, record):
    record["groups"][0]["tint"] = "#123456"
    seen = visit(record)
    assert seen.page.locator("#view-part-0 rect.swatch").first.get_attribute("fill") == "#123456"
    color = "getComputedStyle(document.querySelector('#group-0 .badge')).backgroundColor"
    assert seen.ask(color) == "rgb(18, 52, 86)"


def test_names_that_do_not_fit_are_told_apart_on_a_second_line(visit):
    labels = [f"new customers on medium plans, tenure about {i} months" for i in (2, 13)]
    seen = visit(make_sheet_record([make_bars(2, labels=labels)]), viewport={"width": 1200, "height": 800})
    assert len(set(seen.page.locator("#view-part-0 .name-words").all_text_contents()[1::2])) == 2


def test_the_slider_goes_through_the_levels_by_keyboard(visit, record):
    seen = visit(record)
    levels = seen.page.locator("#part-8")
    assert levels.locator("output").inner_text() == "4"
    seen.page.get_by_label("Regions").press("ArrowRight")
    assert levels.locator("output").inner_text() == "6"
    assert levels.locator("img").get_attribute("alt") == "the picture in 6 regions"
    assert seen.page.get_by_label("Regions").get_attribute("aria-valuetext") == "Regions: 6"
    name, content = seen.saved(lambda: levels.get_by_role("button", name="Save the picture").click())
    assert name.endswith(".png")
    assert content.startswith(b"\x89PNG")


def test_a_drawing_can_be_saved(visit, record):
    seen = visit(record)
    name, content = seen.saved(lambda: seen.page.get_by_role("button", name="Save as a drawing: Scores").click())
    assert (name, content[:4]) == ("sales-part-3.svg", b"<svg")
    assert b"var(--" not in content
    name, content = seen.saved(lambda: seen.page.get_by_role("button", name="Save as a picture: Scores").click())
    assert (name, content[:4]) == ("sales-part-3.png", b"\x89PNG")


def test_a_sheet_of_next_to_nothing_still_makes_a_page(visit):
    seen = visit(make_sheet_record([], groups=[], metrics=[], warnings=[], notes=[], steps=[], words=[], options={}))
    assert seen.page.locator("h1").inner_text() == "4 segments of 2,357 customers"


def awkward():
    """Return a record of endless names, names from right to left, emoji, and values that are hard to draw."""
    names = ["endless_name_without_a_space_" * 8, "עסקים קטנים שקונים לעתים קרובות", "👩‍👩‍👧‍👦 families 🛒", "x" * 300]
    groups = [
        {"id": i, "name": name, "size": 10, "share": 0.25, "phrases": [name], "facts": [[name, name]], "rule": name}
        for i, name in enumerate(names)
    ]
    none = [None] * 4
    same = [5.0] * 4
    sections = [
        make_bars(labels=names),
        make_bars(title="none", series=[{"name": "", "values": none, "low": none, "high": none}]),
        make_bars(title="below", series=[{"name": name, "values": [-5, 0, 2, None]} for name in names]),
        {"kind": "lines", "title": "flat", "x": names, "series": [{"name": names[0], "values": same}], "marks": [{"x": names[2], "label": names[1]}]},
        {"kind": "lines", "title": "one place", "x": [3], "series": [{"values": [2], "low": [1], "high": [4]}, {"values": [None]}]},
        {"kind": "lines", "title": "no place", "x": [], "series": []},
        {"kind": "histogram", "title": "empty", "edges": [0, 1], "series": [{"name": "a", "counts": [0]}], "log": True},
        {"kind": "histogram", "title": "skewed", "edges": [1e-3, 1e-2, 0.1, 1, 10], "series": [{"name": "a", "counts": [3, 1e6, None, 2]}]},
        {"kind": "heat", "title": "wide", "rows": names, "columns": [f"{names[0]}{i}" for i in range(40)], "values": [[1e9] * 40] * 3 + [[None] * 40]},
        {"kind": "table", "title": "long", "columns": [{"name": names[0]}, {"name": "b"}], "rows": [[name, None] for name in names] * 3},
        {"kind": "table", "title": "no lines", "columns": [{"name": "a"}], "rows": []},
    ]  # fmt: skip
    return make_sheet_record(sections, groups=groups, headline=f"{names[1]} {names[0]}")


@pytest.mark.parametrize("width", [360, 820, 1400])
def test_the_page_fits_its_width_whatever_the_names(visit, width):
    seen = visit(awkward(), viewport={"width": width, "height": 800})
    assert seen.ask("document.documentElement.scrollWidth") <= width
    assert (
        seen.ask(
            "[...document.querySelectorAll('.chart svg')].filter(one => /NaN|Infinity/.test(one.outerHTML)).length"
        )
        == 0
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(visit, record, scheme):
    seen = visit(record, color_scheme=scheme, viewport={"width": 1400, "height": 900})
    assert seen.ask(CONTRAST) == []


def test_headings_names_and_landmarks_are_right(visit, record):
    seen = visit(record)
    seen.ask("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    found = seen.ask(ACCESS)
    assert found == {
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


def test_the_page_prints(visit, record):
    assert visit(record, color_scheme="dark").page.pdf()[:5] == b"%PDF-"
