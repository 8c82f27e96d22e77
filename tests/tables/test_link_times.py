"""When links were made: dates in their many ways, seconds since 1970, years, rounds, and what is no time at all."""

import numpy as np
import pytest

from coterie.errors import InputError
from coterie.tables import read_graph

NEW_YEAR = np.datetime64("2026-01-01", "us").astype(np.int64)


def timed(tmp_path, text, **options):
    path = tmp_path / "links.csv"
    path.write_text(text, encoding="utf-8")
    return read_graph(path, **options)


@pytest.mark.parametrize(
    "first",
    [
        "2026-01-01",
        "2026-01-01T00:00:00Z",
        "1 Jan 2026",
        "1767225600",
        "1767225600000",
        "20260101",
        "2026-01-01 00:00:00",
    ],
)
def test_a_moment_is_read_however_it_is_written(tmp_path, first):
    found = timed(tmp_path, f"source,target,time\na,b,{first}\nb,c,{first}\n").timed
    assert (found.column, found.are_dates, found.times.tolist()) == ("time", True, [NEW_YEAR, NEW_YEAR])


def test_days_before_months_are_settled_by_the_column(tmp_path):
    found = timed(tmp_path, "source,target,date\na,b,03/02/2026\nb,c,28/02/2026\n").timed
    assert np.diff(found.times).tolist() == [25 * 86_400_000_000]


def test_years_are_dates_and_rounds_are_numbers(tmp_path):
    assert timed(tmp_path, "s,t,year\na,b,1970\nb,c,1971\n").timed.times.tolist() == [0, 365 * 86_400_000_000]
    found = timed(tmp_path, "s,t,round\na,b,1\nb,c,2\n").timed
    assert (found.are_dates, found.times.tolist()) == (False, [1, 2])


def test_without_a_header_seconds_since_1970_are_no_weights(tmp_path):
    network = timed(tmp_path, "1 2 1300000000\n2 3 1300000500\n")
    assert not network.weighted
    assert network.timed.are_dates
    assert "the third column was taken for times, seconds since 1970" in network.notes
    assert timed(tmp_path, "1 2 3\n2 3 5\n").weighted


def test_a_column_is_named_or_left_out(tmp_path):
    text = "source,target,sold,date\na,b,2026-01-01,x\nb,c,2026-01-02,y\n"
    assert timed(tmp_path, text).timed is None
    assert timed(tmp_path, text, time="sold").timed.column == "sold"
    assert timed(tmp_path, "source,target,date\na,b,2026-01-01\n", time="").timed is None


def test_links_without_a_time_are_counted(tmp_path):
    network = timed(tmp_path, "source,target,date\na,b,2026-01-01\nb,c,\nc,d,2026-01-03\n")
    assert np.isnan(network.timed.times).tolist() == [False, True, False]
    assert "1 link has no time that can be read" in network.notes


def test_a_named_column_without_times_is_refused_by_its_line(tmp_path):
    with pytest.raises(
        InputError, match=r"the column 'note' holds no times: line 2 of links.csv has 'hello'; expected dates"
    ):
        timed(tmp_path, "source,target,note\na,b,hello\nb,c,you\n", time="note")
    with pytest.raises(InputError, match="no column is called 'when'"):
        timed(tmp_path, "source,target\na,b\n", time="when")
