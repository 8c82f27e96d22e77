"""The state of a studio: runs, names, undo, saving and comparing, with processes that do as the test says."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from coterie import report
from coterie.errors import InputError, OutputError, ResourceError
from coterie.studio import jobs
from coterie.studio.saving import Target
from coterie.studio.session import MOST_RUNS, MOST_WAITING, NoSuchRun, Session
from coterie.studio.source import Source
from coterie.studio.work import PAGE

PLAIN = "the page as the run has written it"


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The folder of a run of 60 rows in two groups, with ids that a spreadsheet would run."""
    rng = np.random.default_rng(0)
    data = {"customer_id": [f"=C{i}" for i in range(60)], "age": rng.normal([20, 60], 2, (30, 2)).ravel()}
    found = report.run(data, method="KMeans", n_clusters=2)
    folder = tmp_path_factory.mktemp("stored")
    found.write(folder / "run.coterie")
    record = json.loads((folder / "run.coterie" / "run.json").read_text())
    record["next"] = ["open run.coterie/report.html", "coterie predict run.coterie/model.coterie 'my shop.csv'"]
    (folder / "run.coterie" / "run.json").write_text(json.dumps(record))
    return folder / "run.coterie"


@pytest.fixture
def studio(tmp_path, monkeypatch, stored):
    """A session, its children, and the folder of the user."""
    children = []

    class Child:
        def __init__(self, task, hear):
            self.task, self.hear, self.killed = task, hear, False
            children.append(self)

        def done(self):
            if self.task["kind"] == "run":
                shutil.copytree(stored, f"{self.task['folder']}/{self.task['name']}")
                (Path(self.task["folder"]) / PAGE).write_text(PLAIN)
            self.hear({"ended": "done"})

        def failed(self, sentence):
            self.hear({"ended": "failed", "error": "InputError", "sentence": sentence})

        def result(self):
            return {"headline": "2 groups in 60 rows", "method": "KMeans", "groups": [0, 1]}

        def kill(self):
            self.killed = True

    monkeypatch.setattr(jobs, "Child", Child)
    (tmp_path / "room").mkdir()
    (tmp_path / "here").mkdir()
    about = {"name": "shop.csv", "rows": 60, "columns": [{"name": "age"}, {"name": "customer_id"}], "notes": []}
    target = Target(str(tmp_path / "here" / "shop.coterie"))
    session = Session(
        Source("shop.csv", memory_limit=10**9, time_limit=60.0, excel_safe=True), about, tmp_path / "room", target
    )

    def finished(**settings):
        run_id = session.start(settings)
        children[-1].done()
        return run_id

    return SimpleNamespace(
        session=session, children=children, here=tmp_path / "here", room=tmp_path / "room", finished=finished
    )


def runs(studio):
    return {run["name"]: run for run in studio.session.state()["runs"]}


def test_a_run_is_asked_what_the_page_asks_and_shown_as_soon_as_it_is_done(studio):
    run_id = studio.session.start(
        {"method": "KMeans", "clusters": 2, "min_share": 0.1, "roles": {"customer_id": "ignored"}}
    )
    task = studio.children[0].task
    assert task["options"] == {
        "seed": 0, "purpose": "natural", "method": "KMeans", "n_clusters": 2, "min_share": 0.1, "roles": {"customer_id": "ignored"},
        "time_limit": 60.0,
    }  # fmt: skip
    assert (task["source"]["memory_limit"], task["excel_safe"], task["name"]) == (10**9, True, "run.coterie")
    studio.children[0].hear({"step": "read", "text": "60 rows", "seconds": 0.1})
    studio.children[0].hear({"done": 3, "total": 19, "text": "KMeans, n_clusters 5"})
    told = runs(studio)["Run 1"]
    assert (told["state"], told["progress"]["done"], [step["text"] for step in told["steps"]]) == (
        "running",
        3,
        ["60 rows"],
    )
    studio.children[0].done()
    state = studio.session.state()
    assert state["shown"] == run_id
    assert state["runs"][0]["headline"] == "2 groups in 60 rows"
    assert studio.session.page(run_id) == PLAIN


def test_a_report_has_the_names_and_no_file_and_no_command_before_it_is_saved(studio):
    run_id = studio.finished()
    studio.session.rename(run_id, 0, "Young")
    record = studio.session.page(run_id).partition('id="record">')[2].partition("</script>")[0]
    assert '"given_name":"Young"' in record
    assert "model.coterie" not in record


def test_a_failed_run_says_why_and_shows_nothing(studio):
    run_id = studio.session.start({})
    studio.children[0].failed("age holds no numbers; choose another column")
    assert runs(studio)["Run 1"]["sentence"] == "age holds no numbers; choose another column"
    assert studio.session.state()["shown"] is None
    for act in (studio.session.page, studio.session.show):
        with pytest.raises(InputError, match="Run 1 has no results"):
            act(run_id)


def test_one_run_at_a_time_a_few_wait_and_more_are_refused(studio):
    ids = [studio.session.start({}) for _ in range(1 + MOST_WAITING)]
    assert [run["state"] for run in studio.session.state()["runs"]] == ["running", *["waiting"] * MOST_WAITING]
    for _ in range(100):
        with pytest.raises(ResourceError, match="others are waiting"):
            studio.session.start({})
    assert len(studio.children) == 1
    studio.session.cancel(ids[1])
    studio.session.cancel(ids[0])
    assert studio.children[0].killed
    assert [run["state"] for run in studio.session.state()["runs"]] == ["cancelled", "cancelled", "running", "waiting"]
    studio.children[0].done()  # too late: nobody listens any more
    assert runs(studio)["Run 1"]["state"] == "cancelled"


def test_where_no_process_is_to_be_had_the_run_fails_and_the_next_may_try(studio, monkeypatch):
    def no_process(task, hear):
        raise OSError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as changed:
        changed.setattr(jobs, "Child", no_process)
        studio.session.start({})
    assert runs(studio)["Run 1"]["sentence"] == "the run could not be started: Resource temporarily unavailable"
    studio.finished()
    assert runs(studio)["Run 2"]["state"] == "done"


def test_there_are_not_more_runs_than_can_be_kept(studio):
    for _ in range(MOST_RUNS):
        studio.session.cancel(studio.session.start({}))
    with pytest.raises(ResourceError, match="remove some"):
        studio.session.start({})


def test_undo_goes_back_step_by_step_over_names_and_runs(studio):
    first, second = studio.finished(), studio.finished(clusters=2)
    studio.session.rename(second, 1, "  Old \n friends ")
    studio.session.rename(second, 0, "Young")
    studio.session.rename(second, 0, "Young")  # no change, nothing to undo
    studio.session.show(first)
    seen = []
    for _ in range(5):
        state = studio.session.state()
        seen.append((state["shown"] == second, state["runs"][1]["names"], state["undoes"]))
        studio.session.undo()
    assert seen == [
        (False, {"0": "Young", "1": "Old friends"}, "the change to Run 1"),
        (True, {"0": "Young", "1": "Old friends"}, "the name of group 0 in Run 2"),
        (True, {"1": "Old friends"}, "the name of group 1 in Run 2"),
        (True, {}, "the change to Run 2"),
        (False, {}, "the change to Run 1"),
    ]
    assert studio.session.state()["shown"] is None
    with pytest.raises(InputError, match="nothing to undo"):
        studio.session.undo()


def test_an_empty_name_takes_the_name_back(studio):
    run_id = studio.finished()
    studio.session.rename(run_id, 0, "Young")
    studio.session.rename(run_id, 0, "")
    assert runs(studio)["Run 1"]["names"] == {}


@pytest.mark.parametrize(
    ("group", "name"),
    [(2, "x"), ("0", "x"), (True, "x"), ([0], "x"), ({"0": 0}, "x"), (None, "x"), (0, None), (0, "x" * 81)],
)
def test_what_is_no_name_of_a_group_is_refused(studio, group, name):
    run_id = studio.finished()
    with pytest.raises(InputError):
        studio.session.rename(run_id, group, name)


def test_a_saved_run_carries_its_names_and_leads_to_its_folder(studio, stored):
    run_id = studio.finished()
    studio.session.rename(run_id, 1, "Old friends")
    assert studio.session.save(run_id, None, replace=False) == {"saved": str(studio.here / "shop.coterie")}
    assert runs(studio)["Run 1"]["is_saved"]
    folder = studio.here / "shop.coterie"
    record = json.loads((folder / "run.json").read_text())
    assert record["clusters"][1]["given_name"] == "Old friends"
    assert record["next"][1] == f"coterie predict {folder}/model.coterie 'my shop.csv'"
    assert "Old friends" in (folder / "report.html").read_text()
    assert (folder / "model.coterie").read_bytes() == (stored / "model.coterie").read_bytes()
    assert {file.name for file in folder.iterdir()} == {file.name for file in stored.iterdir()}
    studio.session.rename(run_id, 1, "")
    assert not runs(studio)["Run 1"]["is_saved"]
    assert studio.session.save(run_id, None, replace=False)["saved"]  # its own folder is written anew without asking


def test_an_earlier_analysis_is_replaced_only_when_somebody_says_so(studio, stored):
    shutil.copytree(stored, studio.here / "shop.coterie")
    (studio.here / "shop.coterie" / "notes.txt").write_text("mine")
    run_id = studio.finished()
    told = studio.session.save(run_id, "shop", replace=False)
    assert "2 groups in 60 rows, of 20" in told["earlier"]
    assert not runs(studio)["Run 1"]["saved"]
    assert "saved" in studio.session.save(run_id, "shop", replace=True)
    assert (studio.here / "shop.coterie" / "notes.txt").read_text() == "mine"


def test_a_folder_of_something_else_is_left_alone(studio):
    (studio.here / "other.coterie").mkdir()
    (studio.here / "other.coterie" / "thesis.txt").write_text("mine")
    run_id = studio.finished()
    for replace in (False, True):
        with pytest.raises(OutputError, match="not an analysis"):
            studio.session.save(run_id, "other", replace=replace)
    assert [file.name for file in (studio.here / "other.coterie").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "..", ".", "", " x", ".hidden", "x\0", "x\n", "C:\\x", "\\\\host\\x", "x" * 61, 3, ["x"]]
)
def test_a_name_to_save_under_is_never_a_path(studio, name):
    run_id = studio.finished()
    with pytest.raises(InputError, match="a name has"):
        studio.session.save(run_id, name, replace=True)
    assert list(studio.here.iterdir()) == []


@pytest.mark.parametrize("said", ["", ".", "..", "/", "a/..", "./"])
def test_a_target_without_a_name_is_refused(said):
    with pytest.raises(InputError, match=r"a folder with a name, got .*; give one, for example results\.coterie"):
        Target(said)


def test_a_run_beside_the_folder_of_the_user_is_saved_there(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert Target("~").called("shop").said == str(tmp_path / "shop.coterie")


def test_a_link_to_somewhere_else_is_not_followed(studio, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (studio.here / "trap.coterie").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="a link"):
        studio.session.save(studio.finished(), "trap", replace=True)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_removed_run_is_gone_with_its_files_and_from_what_undo_goes_back_to(studio):
    first, second = studio.finished(), studio.finished()
    studio.session.remove(first)
    assert [folder.name for folder in studio.room.iterdir()] == [second]
    with pytest.raises(NoSuchRun):
        studio.session.page(first)
    studio.session.undo()
    assert studio.session.state()["shown"] is None


def test_a_comparison_tells_of_two_different_runs_under_the_names_they_have(studio):
    first, second = studio.finished(), studio.finished()
    studio.session.rename(second, 1, "Old friends")
    with pytest.raises(InputError, match="two different runs"):
        studio.session.compare(first, first)
    found = studio.session.compare(first, second)
    task = studio.children[-1].task
    assert (task["names"], task["given"]) == (["Run 1", "Run 2"], [{}, {"1": "Old friends"}])
    with pytest.raises(InputError, match="no such comparison"):
        studio.session.compared(found)
    studio.children[-1].done()
    assert studio.session.state()["comparison"]["state"] == "done"
    assert studio.session.compared(found)
    again = studio.session.compare(second, first)
    with pytest.raises(InputError, match="no such comparison"):
        studio.session.compared(found)
    studio.session.remove(first)
    assert studio.session.state()["comparison"] is None
    assert studio.children[-1].killed
    assert again != found


def test_closing_ends_every_process_and_tells_what_was_not_saved(studio):
    kept = studio.finished()
    studio.session.save(kept, None, replace=False)
    studio.finished()
    studio.session.start({})
    studio.session.start({})
    assert studio.session.close() == ["Run 2"]
    assert studio.children[-1].killed
    assert len(studio.children) == 3
