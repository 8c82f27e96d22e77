"""New rows are read as history was, whatever else is in their file or batch."""

import io
import time

import numpy as np
import pytest

from coterie import load
from coterie.applications.anomaly import judge_rows, learn_history
from coterie.applications.anomaly.stream import batches, judge_batches
from coterie.errors import InputError
from coterie.models import save

N = 300


def csv_of(columns, mark=","):
    return "".join(mark.join(map(str, line)) + "\n" for line in [list(columns), *zip(*columns.values(), strict=True)])


@pytest.fixture
def model_of(tmp_path):
    """Return what learns from columns, through a file."""

    def learnt(columns, mark=",", **options):
        (tmp_path / "history.csv").write_text(csv_of(columns, mark))
        found = learn_history(str(tmp_path / "history.csv"), **options)
        save(found.model, tmp_path / "m.coterie", card=found.card)
        return load(tmp_path / "m.coterie")

    return learnt


def whole(model, tmp_path, text):
    (tmp_path / "new.csv").write_text(text)
    return judge_rows(model, str(tmp_path / "new.csv"))


def streamed(model, text, n_rows):
    source = io.BufferedReader(io.BytesIO(text.encode()))
    return [judged for _, judged in judge_batches(model, batches(source, n_rows, "new.csv"), "new.csv")]


def p_values(parts):
    return np.concatenate([part.p_values for part in parts])


def normal(seed=0):
    return np.random.default_rng(seed).normal(size=N).round(3)


@pytest.mark.parametrize(
    "levels",
    [("01", "02", "A"), ("1.0", "2.0", "x"), ("1e3", "2e3", "x"), ("0.10", "0.20", "x"), ("5%", "6%", "x"), ("2020-01-01", "2020-02-02", "x")],
    ids=lambda levels: levels[0],
)  # fmt: skip
def test_a_level_is_the_same_one_among_others_that_are_numbers(model_of, tmp_path, levels):
    model = model_of({"a": normal(), "c": np.random.default_rng(1).choice(levels, N)})
    text = csv_of({"a": [0.1, 0.2, 0.3], "c": levels})
    told = whole(model, tmp_path, text)
    few = whole(model, tmp_path, csv_of({"a": [0.1, 0.2], "c": levels[:2]}))
    assert few.p_values.tolist() == told.p_values[:2].tolist()
    assert few.warnings == told.warnings == []
    for n_rows in (1, 2):
        assert p_values(streamed(model, text, n_rows)).tolist() == told.p_values.tolist()


def test_levels_that_were_numbers_are_the_same_beside_a_text(model_of, tmp_path):
    model = model_of({"a": normal(), "c": np.random.default_rng(1).choice(["007", "008"], N)}, roles={"c": "category"})
    told = whole(model, tmp_path, csv_of({"a": [0.1, 0.2], "c": ["007", "008"]}))
    beside = whole(model, tmp_path, csv_of({"a": [0.1, 0.2, 0.1], "c": ["007", "008", "x"]}))
    assert beside.p_values[:2].tolist() == told.p_values.tolist()
    assert "1 row has a value of c that history never had (such as 'x')" in beside.warnings[0]["text"]


@pytest.mark.parametrize("mark", ["\t", ";"], ids=["tab", "semicolon"])
def test_a_decimal_comma_is_one_in_a_row_that_alone_does_not_show_it(model_of, tmp_path, mark):
    values = np.random.default_rng(2).normal(55, 3, N)
    written = [(f"{x:.3f}" if i % 2 else f"{x:.1f}").replace(".", ",") for i, x in enumerate(values)]
    model = model_of({"a": normal(), "v": written}, mark)
    both = whole(model, tmp_path, csv_of({"a": [0.1, 0.1], "v": ["50,123", "51,2"]}, mark))
    alone = whole(model, tmp_path, csv_of({"a": [0.1], "v": ["50,123"]}, mark))
    assert alone.table.column("v").values.tolist() == [50.123]
    assert alone.p_values[0] == both.p_values[0]
    parts = streamed(model, csv_of({"a": [0.1, 0.1], "v": ["50,123", "51,2"]}, mark), 1)
    assert p_values(parts).tolist() == both.p_values.tolist()


def test_a_thousands_comma_stays_one(model_of, tmp_path):
    written = [f'"{x:,.0f}"' for x in np.random.default_rng(2).normal(5_000, 300, N)]
    model = model_of({"a": normal(), "v": written})
    assert whole(model, tmp_path, csv_of({"a": [0.1], "v": ['"5,123"']})).table.column("v").values.tolist() == [5123.0]


@pytest.fixture
def plain(model_of):
    return model_of({"a": normal(), "b": normal(1)})


def test_an_inch_mark_opens_no_quote(plain):
    lines = "".join(f'{0.1 * i:.1f},0.2,{chr(53)}" pipe\n' if i == 3 else f"{0.1 * i:.1f},0.2,ok\n" for i in range(12))
    assert [len(part.p_values) for part in streamed(plain, "a,b,note\n" + lines, 2)] == [2] * 6


def test_a_quoted_line_end_belongs_to_its_row(plain):
    text = 'a,b,note\n0.1,0.2,"two\nlines, ""so"""\n0.3,0.4,"one"\n0.5,0.6,""\n'
    parts = streamed(plain, text, 1)
    assert [part.table.column("note").values[0] for part in parts] == ['two\nlines, "so"', "one", None]


def test_a_quote_that_stays_open_is_refused_soon(plain):
    text = 'a,b,note\n0.1,0.2,ok\n0.1,0.2,"open\n' + "0.1,0.2,ok\n" * 400_000
    began = time.perf_counter()
    with pytest.raises(InputError, match=r"opened in record 3 of new\.csv, counting the header"):
        streamed(plain, text, 1000)
    assert time.perf_counter() - began < 10


def test_a_row_with_a_field_too_many_is_no_row_with_a_name(plain):
    with pytest.raises(InputError, match="3 fields where 2 are expected"):
        streamed(plain, "a,b\n0.1,0.2\n0.3,7.5,0.1\n", 1)


def test_what_stands_before_the_header_is_left_out(plain):
    for before in ("\n\n", "# made by hand\n", "sep=,\n"):
        parts = streamed(plain, before + "a,b\n0.1,0.2\n0.3,0.4\n0.5,0.6\n", 2)
        assert [part.table.column("b").values.tolist() for part in parts] == [[0.2, 0.4], [0.6]]


def test_a_row_without_a_time_is_judged_all_the_same(model_of, tmp_path):
    days = (np.datetime64("2024-01-01") + np.arange(N)).astype(str)
    model = model_of({"a": normal(), "b": normal(1), "t": days}, time_column="t", fpr=0.05)
    for odd in ("", "x"):
        text = csv_of({"a": [0.1, 9.0, 0.1], "b": [0.2, 9.0, 0.2], "t": ["2024-11-01", odd, "2024-11-03"]})
        told = whole(model, tmp_path, text)
        assert told.alarms.tolist() == [1]
        assert told.windows.label == "first row"
        assert "the order of the file" in told.warnings[0]["text"]
        parts = streamed(model, text, 1)
        assert [len(part.alarms) for part in parts] == [0, 1, 0]
        assert not any("order of the file" in warning["text"] for part in parts for warning in part.warnings)
