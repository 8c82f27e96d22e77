"""Who moved between segments: counts that close, and what is known by construction."""

import numpy as np
import pytest

from applications.customers import made_purchases, made_subscriptions
from coterie import MarketSegmentation
from coterie.applications.segments.migration import migration
from coterie.report.segments import segments_sheet


def test_moves_are_counted_by_hand():
    earlier = np.array([2, 3, 5, 9]), np.array([0, 0, 1, 0])
    later = np.array([1, 2, 3, 5, 9]), np.array([1, 0, 1, 1, 2])
    moved = migration((10, 20), earlier, later, np.array([True, False, False, True]), (3, 3))
    assert moved.counts.tolist() == [[1, 1, 1], [0, 1, 0], [0, 0, 0], [0, 1, 0]]
    assert moved.lost[:2] == pytest.approx([2 / 3, 0])
    assert np.isnan(moved.lost[2])


def test_each_buyer_is_in_one_place_at_both_days():
    found = MarketSegmentation(3).fit(made_purchases()).found_
    counts = found.moved.counts
    assert counts.shape == (4, 3)
    assert counts.sum(axis=0).tolist() == np.bincount(found.segments.labels, minlength=3).tolist()


def _by_hand(table, day):
    """Return who pays on a day and who ever has, by name."""
    begun = table["start"] <= day
    over = begun & (table["end"] < day)
    return {name for name, a, b in zip(table["customer"], begun, over, strict=True) if a and not b}, set(
        table["customer"][begun]
    )


@pytest.mark.parametrize("cutoff", [None, "2023-03-31"])
def test_subscribers_who_left_and_who_came_are_those_counted_by_hand(cutoff):
    table = made_subscriptions(200)
    found = MarketSegmentation(3, cutoff=cutoff).fit(table).found_
    before, after = (np.datetime64(day, "D") for day in found.moved.days)
    paid, ever = _by_hand(table, before)
    pays, known = _by_hand(table, after)
    counts = found.moved.counts
    assert counts.shape == (4, 4)
    assert counts[:3].sum() == len(paid)
    assert counts[:3, 3].sum() == len(paid - pays)
    assert counts[3, 3] == len(known - ever - pays)
    assert counts[3, :3].sum() == len(pays - paid)
    sizes = counts[:3].sum(axis=1)
    assert (found.moved.lost * sizes).sum() == pytest.approx(len(paid - pays))


def test_the_page_and_the_file_name_who_left(tmp_path):
    sheet = segments_sheet(MarketSegmentation(3).fit(made_subscriptions()))
    part = next(part for part in sheet.record["sections"] if part["title"] == "Who moved")
    assert part["columns"][-1] == "left"
    assert part["rows"][-1] == "no customer then"
    assert all(sum(row) == pytest.approx(1) for row in part["values"] if None not in row)
    sheet.writers["migration.csv"](tmp_path / "migration.csv")
    lines = (tmp_path / "migration.csv").read_text().splitlines()
    assert lines[0] == "from,to,customers,left_share_of_from"
    assert len(lines) == 1 + 4 * 4


def test_all_who_start_on_one_day_have_nowhere_to_come_from():
    day = np.datetime64("2024-01-01")
    table = {
        "customer": [f"c{i}" for i in range(60)],
        "start": [day] * 60,
        "end": [None] * 60,
        "price": [10.0 + i for i in range(60)],
    }
    assert MarketSegmentation(2).fit(table).found_.moved is None


@pytest.mark.parametrize("last", [True, False], ids=["last in the file", "first in the file"])
def test_who_returned_everything_since_moves_nowhere(last):
    bought = made_purchases(60)
    n = len(bought["customer_id"])
    own = {
        "customer_id": ["zz", "zz"], "date": np.array(["2023-01-10", "2024-06-20"], "datetime64[D]"), "amount": [50.0, -50.0], "order_id": ["X1", "X1"],
    }  # fmt: skip
    table = {**bought, "order_id": [f"o{i}" for i in range(n)]}
    parts = [table, own] if last else [own, table]
    rows = {
        name: np.concatenate(
            [np.asarray(part[name], object if name in ("customer_id", "order_id") else None) for part in parts]
        )
        for name in own
    }
    found = MarketSegmentation(3).fit(rows).found_
    assert found.moved.counts.sum() == len(found.segments.labels)
