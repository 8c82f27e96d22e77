"""Results appear whole or not at all: failures and crashes at every step, full disks, two writers."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coterie import report
from coterie.errors import OutputError
from coterie.report import folder as folders

STEPS = ("open", "fsync", "rename", "replace", "mkdir", "chmod", "link", "scandir")


def writers(version):
    """Return the writers of four files that all carry the same version."""
    return {
        name: lambda path: path.write_text(version)
        for name in ("labels.csv", "model.coterie", "run.json", "report.html")
    }


def state(folder):
    """Return which version stands in the folder, None for no folder, or what is torn."""
    if not folder.exists():
        return None
    texts = {name: (folder / name).read_text() for name in writers("") if (folder / name).exists()}
    versions = set(texts.values())
    return versions.pop() if len(texts) == 4 and len(versions) == 1 else f"torn: {texts}"


class Failing:
    """Make the step number ``at`` of everything that touches the disk fail."""

    def __init__(self, monkeypatch, at, number=errno.EIO):
        self.count, self.at, self.number = 0, at, number
        for name in STEPS:
            monkeypatch.setattr(os, name, self.wrap(getattr(os, name)))
        monkeypatch.setattr(Path, "write_text", self.wrap(Path.write_text))
        monkeypatch.setattr(folders, "_exchange", self.wrap(folders._exchange))

    def wrap(self, real):
        def step(*args, **options):
            self.count += 1
            if self.count == self.at:
                raise OSError(self.number, os.strerror(self.number))
            return real(*args, **options)

        return step


def test_a_new_folder_holds_every_file_and_nothing_is_left_beside_it(tmp_path):
    target = folders.write_folder(tmp_path / "a.coterie", writers("new"))
    assert state(target) == "new"
    assert os.listdir(tmp_path) == ["a.coterie"]
    assert sorted(os.listdir(target)) == ["labels.csv", "model.coterie", "report.html", "run.json"]


@pytest.mark.parametrize("exchange", [True, False], ids=["exchanged", "renamed twice"])
def test_an_older_analysis_is_replaced_and_other_files_in_it_stay(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(folders, "_exchange", lambda new, target: False)
    target = folders.write_folder(
        tmp_path / "a", {"labels.parquet": lambda path: path.write_text("old")} | writers("old")
    )
    (target / "notes.txt").write_text("mine")
    (target / "deep").mkdir()
    (target / "deep" / "more.txt").write_text("mine too")
    folders.write_folder(target, writers("new"))
    assert state(target) == "new"
    assert not (target / "labels.parquet").exists()
    assert (target / "notes.txt").read_text() == "mine"
    assert (target / "deep" / "more.txt").read_text() == "mine too"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("before", [None, "old"])
@pytest.mark.parametrize("exchange", [True, False], ids=["exchanged", "renamed twice"])
def test_a_failure_at_any_step_leaves_the_old_or_the_new_whole(tmp_path, monkeypatch, before, exchange):
    torn, failures, at = [], 0, 0
    while failures == at:  # until a run has fewer steps than `at`, so that nothing fails any more
        at += 1
        target = tmp_path / str(at)
        if before:
            folders.write_folder(target, writers(before))
            (target / "notes.txt").write_text("mine")
        with monkeypatch.context() as patch:
            if not exchange:
                patch.setattr(folders, "_exchange", lambda new, target: False)
            failing = Failing(patch, at)
            try:
                folders.write_folder(target, writers("new"))
            except OutputError as error:
                torn += [] if str(target) in str(error) else [(at, str(error))]
        failures += failing.count >= at
        found = state(target)
        torn += [] if found in (before, "new") else [(at, found)]
        torn += [] if before is None or (target / "notes.txt").read_text() == "mine" else [(at, "notes")]
        # What a failure kept from being swept away is hidden, and the next run removes it.
        folders.write_folder(target, writers("newer"))
        torn += [(at, name) for name in os.listdir(tmp_path) if name.startswith(".")]
    assert torn == []
    assert failures > 12


CRASHES = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from report.test_folder import STEPS, folders, state, writers

root, exchange, torn, at, ended = Path(sys.argv[1]), sys.argv[3] == "exchange", [], 0, 0
while ended == at:
    at += 1
    target = root / str(at)
    folders.write_folder(target, writers("old"))
    child = os.fork()
    if child == 0:
        count = 0
        def stop(real, after):
            def step(*args, **options):
                global count
                count += 1
                if count == at and not after:
                    os._exit(9)
                value = real(*args, **options)
                if count == at and after:
                    os._exit(9)
                return value
            return step
        folders._exchange = stop(folders._exchange if exchange else lambda new, target: False, True)
        for name in STEPS:
            setattr(os, name, stop(getattr(os, name), at % 2))
        Path.write_text = stop(Path.write_text, at % 2)
        folders.write_folder(target, writers("new"))
        os._exit(0)
    ended += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    # Where folders cannot be exchanged, a crash between two renames leaves the old one aside, and the next run finds it.
    if state(target) not in (("old", "new") if exchange else (None, "old", "new")):
        torn.append((at, state(target)))
    folders.write_folder(target, writers("newer"))
    if state(target) != "newer":
        torn.append((at, "not recovered"))
left = [name for name in os.listdir(root) if name.startswith(".")]
print(ended, torn, left)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="crashes are made by killing a forked child")
@pytest.mark.parametrize("exchange", ["exchange", "rename"])
def test_a_crash_at_any_step_leaves_the_old_or_the_new_whole_and_the_next_run_cleans_up(tmp_path, exchange):
    command = [sys.executable, "-c", CRASHES, str(tmp_path), str(Path(__file__).parents[1]), exchange]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    ended, _, rest = done.stdout.partition(" ")
    assert int(ended) > 12
    assert rest.strip() == "[] []"


RACE = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from report.test_folder import folders, state, writers
from coterie.errors import OutputError

target, outcomes = Path(sys.argv[1]) / "shared", []
for turn in range(50):
    children = []
    for name in ("a", "b"):
        child = os.fork()
        if child == 0:
            try:
                folders.write_folder(target, writers(f"{name}{turn}"))
            except OutputError as error:
                os._exit(1 if "another coterie process" in str(error) else 2)
            os._exit(0)
        children.append(child)
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    outcomes.append(codes[0] == 0 and codes[1] in (0, 1) and state(target) in (f"a{turn}", f"b{turn}"))
print(all(outcomes), len(outcomes), os.listdir(sys.argv[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the two writers are forked")
def test_two_processes_that_race_for_a_folder_never_mix_their_files(tmp_path):
    command = [sys.executable, "-c", RACE, str(tmp_path), str(Path(__file__).parents[1])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.stdout.strip() == "True 50 ['shared']"


def test_a_second_writer_is_told_to_wait_and_changes_nothing(tmp_path):
    target = folders.write_folder(tmp_path / "a", writers("old"))
    with report.locked(target), pytest.raises(OutputError, match="another coterie process is writing"):
        folders.write_folder(target, writers("new"))
    assert state(target) == "old"
    folders.write_folder(target, writers("new"))
    assert state(target) == "new"


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / ".a.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match=r"\.a\.lock is a link to somewhere else; remove it"):
        folders.write_folder(tmp_path / "a", writers("new"))
    assert sorted(os.listdir(tmp_path)) == [".a.lock"]


def test_a_full_disk_leaves_the_old_results_and_names_the_path(tmp_path):
    target = folders.write_folder(tmp_path / "a", writers("old"))
    # The kernel itself refuses to write past the limit, as it does when the disk is full.
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); from pathlib import Path;"
        "from coterie.report.folder import write_folder;"
        "write_folder(Path(sys.argv[1]), {'run.json': lambda path: path.write_text('x' * 5000)})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(target)], capture_output=True, text=True, timeout=60, check=False
    )
    assert f"could not write {target}: File too large; nothing was changed there" in done.stderr
    assert state(target) == "old"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EACCES])
def test_a_disk_that_refuses_is_reported_in_one_sentence(tmp_path, monkeypatch, number):
    target = folders.write_folder(tmp_path / "a", writers("old"))

    def refuse(path, text):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(OutputError) as caught:
        folders.write_folder(target, writers("new"))
    assert str(caught.value) == f"could not write {target}: {os.strerror(number)}; nothing was changed there"
    assert state(target) == "old"


def test_a_folder_of_something_else_is_never_touched(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="not an analysis by coterie"):
        folders.write_folder(tmp_path, writers("new"))
    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_a_folder_of_something_else_keeps_its_files_when_forced(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "thesis.txt").write_text("years of work")
    folders.write_folder(tmp_path / "a", writers("new"), force=True)
    assert state(tmp_path / "a") == "new"
    assert (tmp_path / "a" / "thesis.txt").read_text() == "years of work"


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "a").mkdir()
    assert state(folders.write_folder(tmp_path / "a", writers("new"))) == "new"


def test_the_unfinished_results_of_a_folder_with_a_longer_name_are_left_alone(tmp_path):
    other = tmp_path / ".a.b.12345678.part"
    other.mkdir()
    folders.write_folder(tmp_path / "a", writers("new"))
    assert other.is_dir()


def test_a_link_to_a_folder_stays_a_link(tmp_path):
    folders.write_folder(tmp_path / "real", writers("old"))
    (tmp_path / "link").symlink_to(tmp_path / "real")
    folders.write_folder(tmp_path / "link", writers("new"))
    assert (tmp_path / "link").is_symlink()
    assert state(tmp_path / "real") == "new"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("file", "a file of that name"), ("none/a", "does not exist"), ("x" * 300, "too long"), ("a\0b", "null")],
)
def test_a_place_that_cannot_hold_results_is_refused_before_any_work(tmp_path, name, complaint):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=complaint):
        report.check_target(tmp_path / name)
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("name", ["größe 📊.coterie", "-rf", "a b'c\"d", "x" * 250, "ü" * 125])
def test_odd_names_of_folders_work(tmp_path, name):
    target = folders.write_folder(tmp_path / name, writers("old"))
    folders.write_folder(target, writers("new"))
    assert state(target) == "new"
    assert os.listdir(tmp_path) == [name]


def test_render_makes_the_page_anew_and_keeps_the_old_one_when_the_record_is_bad(tmp_path):
    from report.records import make_record

    (tmp_path / "run.json").write_text(json.dumps(make_record()))
    page = report.render(tmp_path)
    first = page.read_text()
    assert first.startswith("<!doctype html>")
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(ValueError, match="not valid JSON"):
        report.render(tmp_path)
    assert page.read_text() == first


def test_render_says_where_it_looked(tmp_path):
    with pytest.raises(ValueError, match=r"could not read .*run\.json"):
        report.render(tmp_path)
