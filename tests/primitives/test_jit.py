"""Stale machine code never runs: an edit is noticed wherever it can be reached, and only there."""

import pytest

from coterie.primitives._numba import jit


@pytest.fixture
def kernels(tmp_path):
    """Three kernel files, of which the first imports the second."""
    folder = tmp_path / "_numba"
    folder.mkdir()
    (folder / "first.py").write_text("from .second import (\n    f,\n)\nfrom . import fourth\n")
    (folder / "second.py").write_text("from .jit import kernel\n")
    (folder / "third.py").write_text("from .jit import kernel\n")
    (folder / "fourth.py").write_text("    from .fifth import g\n")
    (folder / "fifth.py").write_text("")
    forget()
    yield folder
    forget()


def forget():
    for cached in (jit._imported, jit._is_kernel_file, jit._source, jit.cache_folder):
        cached.cache_clear()


def hashes(folder):
    forget()
    return {path.stem: jit._source_hash(path) for path in folder.glob("*.py")}


@pytest.mark.parametrize(
    ("edited", "changed"),
    [
        ("first", {"first"}),
        ("second", {"first", "second"}),
        ("third", {"third"}),
        ("fourth", {"first", "fourth"}),
        ("fifth", {"first", "fourth", "fifth"}),
    ],
)
def test_an_edit_renames_the_folders_of_what_can_reach_it(kernels, edited, changed):
    before = hashes(kernels)
    with open(kernels / f"{edited}.py", "a") as file:
        file.write("x = 1\n")
    after = hashes(kernels)
    assert {name for name in before if before[name] != after[name]} == changed


def test_an_edit_while_the_process_runs_keeps_the_names_it_has_given(kernels):
    before = jit._source_hash(kernels / "second.py")
    (kernels / "second.py").write_text("x = 1\n")
    jit.cache_folder.cache_clear()
    assert jit._source_hash(kernels / "second.py") == before
    assert jit._source_hash(kernels / "first.py") != hashes(kernels)["first"]


def test_files_that_import_each_other_are_read_once(kernels):
    (kernels / "fifth.py").write_text("from .first import f\n")
    forget()
    assert {path.stem for path in jit._reached(kernels / "first.py")} == {"first", "second", "fourth", "fifth"}


def test_the_folder_is_private_and_the_last_few_are_kept(kernels, tmp_path, monkeypatch):
    monkeypatch.setenv("COTERIE_CACHE_DIR", str(tmp_path / "cache"))
    for text in "abcdefg":
        (kernels / "third.py").write_text(f"# {text}\n")
        forget()
        folder = jit.cache_folder(kernels / "third.py")
        assert folder.stat().st_mode & 0o777 == 0o700
    assert len(list(folder.parent.glob("third-*"))) == jit._KEPT_FOLDERS
    assert folder.exists()


def test_a_folder_that_others_can_write_is_not_used(kernels, tmp_path, monkeypatch):
    monkeypatch.setattr(jit, "_roots", lambda: [tmp_path / "cache"])
    (tmp_path / "cache" / "kernels").mkdir(parents=True)
    (tmp_path / "cache" / "kernels").chmod(0o777)
    assert jit.cache_folder(kernels / "third.py") is None
