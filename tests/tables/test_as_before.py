"""New rows under a fitted preparation: read as the rows of the fit were, whatever else the new file holds."""

import numpy as np
import pytest

from coterie.tables import prepare, read
from coterie.tables.convert import as_before
from coterie.tables.table import Column, Table


def _file(tmp_path, columns):
    path = tmp_path / "rows.csv"
    path.write_text("".join("\t".join(line) + "\n" for line in [list(columns), *zip(*columns.values(), strict=True)]))
    return read(path)


def _rows(n, **columns):
    return {name: [values[i % len(values)] for i in range(n)] for name, values in columns.items()}


@pytest.mark.parametrize(
    ("name", "values", "few"),
    [
        ("c", ["01", "02", "A"], ["01", "02"]),
        ("c", ["1.50", "2.0", "n/s"], ["1.50", "2.0"]),
        ("v", ["1,234", "2,5", "3,75"], ["1,234"]),
        ("v", ["1.234", "2.345,5", "3.000,75"], ["1.234"]),
        ("d", ["03/04/2024", "25/04/2024", "07/05/2024"], ["03/04/2024"]),
    ],
    ids=["codes", "halves", "decimal comma", "thousands point", "dates"],
)
def test_some_of_the_rows_alone_are_coded_as_among_all(tmp_path, name, values, few):
    numbers = [f"{i / 7:.3f}" for i in range(60)]
    prepared = prepare(_file(tmp_path, {"a": numbers, **_rows(60, **{name: values})}))
    alone = _file(tmp_path, {"a": numbers[: len(few)], name: few})
    assert prepared.transform(alone).tolist() == prepared.X[: len(few)].tolist()


def test_the_rows_of_the_fit_are_left_as_they_are(tmp_path):
    table = _file(tmp_path, _rows(40, c=["1", "01", "B"], v=["1,234", "2,5"], d=["2024-01-31", "2024-02-01"]))
    again = as_before(table, prepare(table).codings)
    assert all(new is old for new, old in zip(again.columns, table.columns, strict=True))


def test_a_number_that_may_be_either_of_two_levels_is_neither():
    table = Table("t", (Column("c", np.array(["1", "01", "1", "01", "B", "B"] * 5, object), "text"),), 30)
    prepared = prepare(table, roles={"c": "category"})
    new = Table("t", (Column("c", np.array([1.0, 1.0]), "number"),), 2)
    assert as_before(new, prepared.codings).column("c") is new.column("c")  # "1" is known as it stands
    new = Table("t", (Column("c", np.array(["1.0", "001"], object), "text"),), 2)
    assert as_before(new, prepared.codings).column("c") is new.column("c")
