"""Where the clusters of a grid lie, in the units of the table."""

import re

import numpy as np
import pytest

from coterie.study import study


@pytest.fixture(scope="module")
def found():
    random = np.random.default_rng(0)
    kind = np.arange(1200) % 3
    table = {
        "age": np.array([25.0, 45, 70])[kind] + 2 * random.normal(size=1200),
        "income": np.exp(np.array([7, 9, 11])[kind] + 0.15 * random.normal(size=1200)),
        "since": np.datetime64("2020-01-01") + (np.array([0, 400, 900])[kind]).astype("timedelta64[D]"),
        "plan": np.array(["a", "b"], dtype=object)[random.integers(0, 2, 1200)].tolist(),
    }
    return table, study(table, method="CLIQUE", roles={"since": "ignored", "plan": "ignored"})


def test_a_region_holds_the_rows_of_its_group_and_hardly_others(found):
    table, result = found
    for cluster in result.record["clusters"]:
        inside = np.ones(1200, dtype=bool)
        for name in ("age", "income"):
            said = re.search(name + r" (?:from ([\d,.]+))?(?: ?to ([\d,.]+))?(?:below ([\d,.]+))?", cluster["region"])
            low, high, below = (None if text is None else float(text.replace(",", "")) for text in said.groups())
            values = table[name]
            inside &= (values >= (low or -np.inf)) & (values <= (high or below or np.inf))
        own = result.labels == cluster["id"]
        assert (inside & own).sum() >= 0.93 * own.sum()
        assert (inside & ~own).sum() <= 0.02 * own.sum()


def test_dates_are_written_as_days(found):
    table, _ = found
    result = study({"age": table["age"], "since": table["since"]}, method="CLIQUE", roles={"since": "date"})
    assert any("since" in (cluster["region"] or "") for cluster in result.record["clusters"])
    assert all(
        re.search(r"20\d\d-\d\d-\d\d", cluster["region"])
        for cluster in result.record["clusters"]
        if "since" in cluster["region"]
    )


def test_categories_have_no_interval_and_other_methods_no_region(found):
    table, _ = found
    mixed = study({"age": table["age"], "plan": table["plan"]}, method="CLIQUE")
    assert all("plan" not in (cluster["region"] or "") for cluster in mixed.record["clusters"])
    assert all(
        cluster["region"] is None
        for cluster in study({"age": table["age"], "income": table["income"]}).record["clusters"]
    )
