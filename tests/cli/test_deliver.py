"""What a command does with the sheet of an application: said, written, and judged by its exit code."""

import json

import pytest

from coterie.cli._deliver import deliver
from coterie.cli._errors import DOUBTFUL
from coterie.cli._terminal import Talk
from coterie.report.sheet import Sheet
from report.sheets import make_sheet_record

OPTIONS = {"force": False, "no_report": False, "as_json": False, "strict": False}


def given(folder, *, quiet=False, verbose=False, warnings=None, **options):
    record = make_sheet_record([], warnings=make_sheet_record([])["warnings"] if warnings is None else warnings)
    sheet = Sheet(
        record,
        {"segments.csv": lambda path: path.write_text("customer\n")},
        ["coterie predict {folder}/model.coterie new.csv"],
    )
    with Talk(quiet, verbose) as talk:
        return deliver(sheet, str(folder), OPTIONS | options, talk)


def test_the_answer_what_was_written_and_what_comes_next_are_said(tmp_path, capsys):
    assert given(tmp_path / "a") == 0
    said = capsys.readouterr().err
    assert "4 segments of 2,357 customers" in said
    assert "segments.csv  metrics.json  run.json  report.html" in said
    assert f"open {tmp_path / 'a' / 'report.html'}   |   coterie predict {tmp_path / 'a'}/model.coterie new.csv" in said
    assert "Column id names the customer" not in said


def test_quiet_says_only_the_warnings_and_verbose_the_notes_too(tmp_path, capsys):
    given(tmp_path / "a", quiet=True)
    assert capsys.readouterr().err == "warning    80 customers paid nothing. Leave them out with --min-amount.\n"
    given(tmp_path / "b", verbose=True)
    assert "Column id names the customer" in capsys.readouterr().err


@pytest.mark.parametrize(("warnings", "code"), [(None, DOUBTFUL), ([], 0)])
def test_strict_ends_otherwise_where_there_are_warnings(tmp_path, warnings, code):
    assert given(tmp_path / "a", strict=True, warnings=warnings) == code


def test_json_is_the_record_that_was_written(tmp_path, capsys):
    given(tmp_path / "a", as_json=True, no_report=True)
    said = json.loads(capsys.readouterr().out)
    assert said == json.loads((tmp_path / "a" / "run.json").read_text())
    assert said["next"] == [f"coterie predict {tmp_path / 'a'}/model.coterie new.csv"]
    assert not (tmp_path / "a" / "report.html").exists()
