"""The private folder of a studio, where users have no numbers as on Windows, and where they have."""

import os
import tempfile

import pytest

from coterie.studio import serving


@pytest.mark.parametrize("numbered", [True, False])
def test_the_private_folder_is_made_and_what_a_killed_studio_has_left_is_removed(tmp_path, monkeypatch, numbered):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if not numbered:
        monkeypatch.delattr(os, "getuid", raising=False)
    (tmp_path / "coterie-studio-old").mkdir()
    (tmp_path / "coterie-studio-old" / "rows.csv").write_text("a\n1\n")
    with serving._private_folder() as room:
        assert [entry.name for entry in tmp_path.iterdir() if entry.is_dir()] == [room.name]
    assert list(tmp_path.iterdir()) == []
