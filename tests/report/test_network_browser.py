"""The page of a network in a real browser: quiet, readable, usable by keyboard, and nothing in the data is ever run."""

import pytest

from coterie.report.network_page import network_html
from report.network_records import make_network_record, make_timed_record
from report.payloads import PAYLOADS, poison
from report.test_browser import ACCESS, CONTRAST, Visit

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(browser, tmp_path):
    """Return a function that opens the page of a record; at the end every page must have kept quiet."""
    opened = []

    def open_page(record, **options):
        path = tmp_path / f"network {len(opened)}.html"
        path.write_text(network_html(record), encoding="utf-8")
        found = Visit(browser, path, **options)
        opened.append(found)
        return found.wait()

    yield open_page
    for found in opened:
        found.close()


@pytest.fixture
def record():
    return make_network_record()


def test_the_answer_comes_first_and_every_part_is_there_in_order(visit, record):
    seen = visit(record)
    assert seen.page.locator("h1").inner_text() == "5 classes"
    assert seen.page.locator("main > section h2").all_inner_texts() == [
        "The classes and the links between them",
        "How the classes relate",
        "The classes, one by one",
        "The classes side by side",
        "Who joins the classes",
        "Find a node",
        "How this was done",
        "Words on this page",
    ]
    body = seen.page.locator("body").inner_text()
    for words in ("stay inside a class", "2 nodes belong to no class", "Modularity", "Seed", "times as often"):
        assert words.lower() in body.lower()


@pytest.mark.parametrize("turn", range(3))
def test_nothing_in_the_data_is_ever_run(visit, turn):
    record, used = poison(make_network_record(), turn)
    assert used == set(PAYLOADS)
    seen = visit(record, viewport={"width": 1200, "height": 900})
    assert (
        seen.ask("document.querySelectorAll('body img, iframe, object, embed, form, a:not([href^=\"#\"])').length") == 0
    )
    seen.ask("document.querySelectorAll('button').forEach(one => one.click())")
    seen.page.locator("#member-search").fill("<img src=x onerror=alert(1)>")
    seen.page.locator(".circle").first.hover()
    assert seen.ask("window.pwned") is None


def test_over_time_sizes_moves_and_movers_are_shown(visit):
    record = make_timed_record()
    seen = visit(record)
    part = seen.page.locator("#time")
    assert part.locator(".series-line").count() >= 3
    assert "5 of 90 nodes moved" in part.locator("p[role=status]").first.inner_text()
    assert part.locator(".heat tbody tr").first.locator("td").all_inner_texts() == ["83%", "17%", "0%"]
    part.locator("select").select_option("0")
    assert "0 of 90 nodes moved" in part.locator("p[role=status]").first.inner_text()
    assert part.locator("#view-time-sizes").count() == 1
    movers = part.locator("table").last.locator("tbody tr")
    assert movers.count() == 5
    assert seen.ask(ACCESS)["nameless"] == seen.ask(ACCESS)["repeatedIds"] == []


def test_nothing_in_the_part_on_time_is_ever_run(visit):
    poisoned, _ = poison(make_timed_record(), 1)
    seen = visit(poisoned)
    seen.ask("document.querySelectorAll('#time button').forEach(one => one.click())")
    assert seen.ask("window.pwned") is None


def test_there_is_a_circle_for_each_class_and_no_circle_for_a_node(visit, record):
    seen = visit(record)
    assert seen.page.locator(".circle").count() == 5
    assert seen.page.locator(".tie").count() == len(record["drawing"]["links"])
    boxes = seen.ask(
        "[...document.querySelectorAll('.circle > circle:last-of-type')].map(one => { const b = one.getBoundingClientRect();"
        " return [b.x + b.width / 2, b.y + b.height / 2, b.width / 2]; })"
    )
    for i, (x, y, r) in enumerate(boxes):
        for a, b, other in boxes[i + 1 :]:
            assert ((x - a) ** 2 + (y - b) ** 2) ** 0.5 >= r + other - 1


def test_directed_links_have_heads_and_undirected_ones_none(visit, record):
    assert visit(record).page.locator(".tie-head").count() == 0
    directed = make_network_record(3, directed=True)
    seen = visit(directed)
    assert seen.page.locator(".tie-head").count() == len(directed["drawing"]["links"]) > 0
    assert "From class" in seen.page.locator(".relation").nth(1).get_attribute("title")


def test_pointing_at_a_circle_or_a_cell_says_its_numbers_in_words(visit, record):
    seen = visit(record, viewport={"width": 1200, "height": 900})
    seen.page.locator(".circle").first.hover()
    assert f"{record['classes'][0]['nodes']} nodes" in seen.page.locator("#drawing .said").inner_text()
    seen.page.locator(".relation").nth(0).hover()
    said = seen.page.locator("#relations .said").inner_text()
    assert "Verdict: attracts" in said
    assert f"{int(record['relations']['links'][0][0])} links" in said


def test_the_matrix_is_a_table_of_words_for_those_who_cannot_see_it(visit, record):
    seen = visit(record)
    assert seen.page.locator(".matrix caption").count() == 1
    assert seen.page.locator(".matrix tbody th[scope=row]").count() == 5
    cells = seen.page.locator(".relation .unseen").all_inner_texts()
    assert len(cells) == 25
    assert all("chance would give" in words and "Verdict" in words for words in cells)


def test_the_arrow_keys_move_through_the_matrix_with_one_stop_for_tab(visit, record):
    seen = visit(record)
    assert seen.page.locator(".relation[tabindex='0']").count() == 1
    seen.page.locator(".relation[tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft"):
        seen.page.keyboard.press(key)
    where = "[document.activeElement.parentElement.rowIndex, document.activeElement.cellIndex]"
    assert seen.ask(where) == [3, 1]
    assert seen.page.locator(".relation[tabindex='0']").count() == 1


def test_a_class_is_picked_by_mouse_and_by_keyboard_and_the_others_fade(visit, record):
    seen = visit(record)
    seen.page.locator(".circle").nth(1).focus()
    seen.page.keyboard.press("Enter")
    assert seen.page.locator(".circle[aria-pressed='true']").count() == 1
    assert seen.page.locator(".legend-entry[aria-pressed='true']").count() == 1
    assert seen.page.locator(".relation.faded").count() == 16
    seen.page.keyboard.press("Escape")
    assert seen.page.locator(".circle[aria-pressed='true']").count() == 0
    seen.page.locator(".legend-entry").nth(2).click()
    assert seen.page.locator(".circle").nth(2).get_attribute("aria-pressed") == "true"


def test_the_search_finds_a_node_by_name_and_by_id_exact_ones_first(visit, record):
    seen = visit(record)
    field = seen.page.locator("#member-search")
    field.fill("person 007")
    assert seen.page.locator("#members tbody tr").count() == 1
    assert "n7" in seen.page.locator("#members tbody tr").inner_text()
    field.fill("n1")
    assert "Person 001" in seen.page.locator("#members tbody tr").first.inner_text()
    assert seen.page.locator("#members tbody tr").count() > 10
    field.fill("nobody")
    assert "No node is called like that" in seen.page.locator("#members [role=status]").inner_text()


def test_the_search_keeps_to_the_picked_class(visit, record):
    seen = visit(record)
    seen.page.locator(".legend-entry").nth(3).click()
    said = seen.page.locator("#members [role=status]").inner_text()
    assert said.startswith(f"{record['classes'][3]['nodes']} nodes of class 3")


def test_no_classes_is_said_at_the_top(visit, record):
    record["structure"] |= {"verdict": "none", "sentence": "Chance divides as well."}
    seen = visit(record)
    assert seen.page.locator("h1").inner_text() == "No clear classes"
    assert "No clear classes in this network" in seen.page.locator(".banner").inner_text()


def test_a_network_without_classes_still_makes_a_page(visit, record):
    record |= {"classes": [], "n_classes": 0, "drawing": None, "bridges": [], "answer": ["No links."]}
    record["relations"] |= {name: [] for name in ("links", "expected", "log_ratio", "z", "verdict")} | {"classes": 0}
    record["members"]["class"] = [-1] * len(record["members"]["class"])
    record["members"]["next_class"] = [-1] * len(record["members"]["class"])
    assert visit(record).page.locator("h1").inner_text() == "No classes"


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_the_page_fits_its_width(visit, width):
    record = make_network_record(24)
    record["classes"][0]["name"] = "an_endless_name_without_a_space_" * 6
    record["classes"][0]["short"] = "an_endless_name_without_a_space_" * 6
    record["input"]["name"] = "x" * 300
    seen = visit(record, viewport={"width": width, "height": 800})
    assert seen.ask("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("directed", [False, True])
def test_every_text_stands_out_from_its_ground(visit, scheme, directed):
    record = make_network_record(3 if directed else 24, directed=directed)
    seen = visit(record, color_scheme=scheme, viewport={"width": 1440, "height": 900})
    while seen.page.locator("button.more").count():  # each goes away when clicked
        seen.page.locator("button.more").first.click()
    assert [text for text in seen.ask(CONTRAST) if "circle-number" not in text] == []


def test_headings_names_and_landmarks_are_right(visit, record):
    found = visit(record).ask(ACCESS)
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
