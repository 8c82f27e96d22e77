"""Groups renamed in the page: everywhere at once, by keyboard, kept by the browser, and carried by a copy of the page."""

import json
import re

import pytest

from coterie import report
from coterie.report.naming import rename
from coterie.report.network_page import network_html
from report.network_records import make_network_record
from report.payloads import PAYLOADS
from report.records import make_record
from report.visits import Visit

pytestmark = pytest.mark.browser

SHOWN = """(name) => ({
  bar: document.querySelectorAll(`.part[title^="${name}"]`).length,
  legend: [...document.querySelectorAll('.legend-name')].filter(one => one.textContent === name).length,
  card: [...document.querySelectorAll('.card h3')].filter(one => one.textContent === name).length,
  table: [...document.querySelectorAll('#compare .named bdi')].filter(one => one.textContent === name).length,
})"""
EVERYWHERE = {"bar": 1, "legend": 1, "card": 1, "table": 1}
NOWHERE = dict.fromkeys(EVERYWHERE, 0)


@pytest.fixture(scope="module")
def record():
    return make_record()


def call_it(seen, group, name, key="Enter"):
    seen.page.get_by_role("button", name=f"Rename group {group}").click()
    seen.page.keyboard.type(name)
    seen.page.keyboard.press(key)


def test_a_new_name_is_used_everywhere_at_once_and_told_to_whoever_listens(visit, record):
    seen = visit(record).wait()
    seen.ask(
        "window.told = []; document.addEventListener('coterie:renamed', (event) => window.told.push(event.detail))"
    )
    picture = seen.ask("document.querySelector('canvas').toDataURL()")
    call_it(seen, 1, "Big spenders")
    assert seen.ask(SHOWN, "Big spenders") == EVERYWHERE
    assert seen.ask(SHOWN, record["clusters"][1]["name"]) == NOWHERE
    assert seen.ask("document.activeElement.getAttribute('aria-label')") == "Rename group 1"
    seen.page.wait_for_timeout(100)
    assert seen.ask("document.querySelector('canvas').toDataURL()") != picture
    call_it(seen, 1, " ")
    assert seen.ask(SHOWN, record["clusters"][1]["name"]) == EVERYWHERE
    assert seen.ask("window.told") == [{"cluster": 1, "name": "Big spenders"}, {"cluster": 1, "name": ""}]


def test_escape_leaves_the_name_as_it_was(visit, record):
    seen = visit(record).wait()
    call_it(seen, 0, "Never mind", "Escape")
    assert seen.ask(SHOWN, "Never mind") == NOWHERE
    assert seen.page.locator(".name-field").count() == 0


def test_a_name_is_taken_from_whoever_sends_one(visit, record):
    seen = visit(record).wait()
    send = "(detail) => document.dispatchEvent(new CustomEvent('coterie:rename', {detail}))"
    seen.ask(send, {"cluster": 2, "name": "Sent from outside"})
    assert seen.ask(SHOWN, "Sent from outside") == EVERYWHERE
    for odd in (None, {}, {"cluster": 99, "name": "x"}, {"cluster": "__proto__", "name": "x"}):
        seen.ask(send, odd)
    assert seen.ask("[...document.querySelectorAll('.card h3')].length") == 5


def test_names_are_kept_by_the_browser_for_this_analysis_alone(visit, record):
    seen = visit(record).wait()
    call_it(seen, 1, "Big spenders")
    seen.page.reload()
    seen.wait()
    assert seen.ask(SHOWN, "Big spenders") == EVERYWHERE
    other = record | {"created": "2026-11-25T12:00:00Z"}
    path = seen.address.removeprefix("file://").replace("%20", " ").replace("report 0", "other")
    with open(path, "w", encoding="utf-8") as file:
        file.write(report.html(other))
    seen.address = "file://" + path.replace(" ", "%20")
    seen.page.goto(seen.address)
    seen.wait()
    assert seen.ask(SHOWN, "Big spenders") == NOWHERE


def test_names_given_to_the_record_meanwhile_count_more_than_kept_ones(visit, record, tmp_path):
    seen = visit(record).wait()
    call_it(seen, 1, "From the page")
    (tmp_path / "report 0.html").write_text(report.html(rename(record, {0: "From the folder"})), encoding="utf-8")
    seen.page.reload()
    seen.wait()
    assert seen.ask(SHOWN, "From the folder") == EVERYWHERE
    assert seen.ask(SHOWN, "From the page") == NOWHERE


def test_the_page_works_where_nothing_can_be_stored(browser, record, tmp_path):
    path = tmp_path / "private.html"
    path.write_text(report.html(record), encoding="utf-8")
    seen = Visit(browser, path)
    seen.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"
    )
    seen.page.reload()
    seen.wait()
    call_it(seen, 1, "Big spenders")
    assert seen.ask(SHOWN, "Big spenders") == EVERYWHERE
    seen.close()


def test_a_copy_of_the_page_holds_the_names_and_is_otherwise_the_same(browser, visit, record, tmp_path):
    seen = visit(record).wait()
    save = seen.page.get_by_role("button", name="Save page with names")
    assert save.count() == 0
    call_it(seen, 1, "Big </script> spenders")
    name, content = seen.saved(save.click)
    assert name == "customers-named.html"
    embedded = re.compile(r'(<script type="application/json" id="record">)(.*?)</script>', re.S)
    before, after = report.html(record), content.decode()
    assert json.loads(embedded.search(after).group(2))["clusters"][1]["given_name"] == "Big </script> spenders"
    assert "//" not in embedded.search(after).group(2)
    # What the browser writes differs in blanks between elements, and in strokes that need no escape.
    same = [re.sub(r">\s+<", "><", embedded.sub("", page)).replace("&#47;", "/").strip() for page in (before, after)]
    assert same[0] == same[1]
    path = tmp_path / "copy.html"
    path.write_bytes(content)
    copy = Visit(browser, path).wait()
    assert copy.page.locator(".card h3").nth(1).inner_text() == "Big </script> spenders"
    assert copy.page.get_by_role("button", name="Save page with names").count() == 0
    copy.close()


def test_no_name_is_ever_run(visit, record):
    seen = visit(record).wait()
    for payload in PAYLOADS[::5]:
        seen.ask(
            "(name) => document.dispatchEvent(new CustomEvent('coterie:rename', {detail: {cluster: 0, name}}))", payload
        )
    seen.page.locator("canvas").hover(position={"x": 300, "y": 250})
    assert seen.ask("window.pwned") is None
    assert seen.ask("document.querySelectorAll('body img, iframe, object, embed, form').length") == 0


def test_classes_of_a_network_are_renamed_in_its_drawing_too(browser, tmp_path):
    path = tmp_path / "network.html"
    path.write_text(network_html(make_network_record()), encoding="utf-8")
    seen = Visit(browser, path).wait()
    seen.page.get_by_role("button", name="Rename class 1").click()
    seen.page.keyboard.type("The club")
    seen.page.keyboard.press("Enter")
    assert "The club" in seen.page.locator(".circle-name").all_text_contents()
    assert "class 1 (The club)" in seen.page.locator(".circle").nth(1).get_attribute("aria-label").replace(
        "Class", "class"
    )
    seen.close()
