"""Groups are named by what sets them apart; "with" and "without" are for columns of yes and no."""

import numpy as np
import pytest

from coterie.study.describe import describe
from coterie.study.group_names import group_names
from coterie.study.values import View


def feature(level, effect, column="kind"):
    return {"column": column, "kind": "category", "level": level, "effect": effect, "text": f"{column}: {level}"}


@pytest.mark.parametrize("levels", [("x", "y", "z"), ("0", "1", "2"), ("y", "maybe"), ("1", "no"), ("n", "o")])
def test_a_level_that_reads_as_yes_or_no_among_others_is_named_as_it_is(levels):
    names = group_names([[feature(level, 0.9)] for level in levels], {"kind": levels})
    assert names == [f"Kind: {level}" for level in levels]


@pytest.mark.parametrize("levels", [("yes", "no"), ("False", "True"), ("0", "1"), ("Y", "N")])
def test_yes_and_no_are_with_and_without(levels):
    yes, no = sorted(levels, key=lambda level: level.lower() not in ("yes", "true", "1", "y"))
    told = [[feature(yes, 0.9)], [feature(no, 0.9)]]
    assert group_names(told, {"kind": levels}) == ["With kind", "Without kind"]
    turned = [[feature(no, -0.9)], [feature(yes, -0.9)]]
    assert group_names(turned, {"kind": levels}) == ["With kind", "Without kind"]


def test_codes_of_three_groups_are_not_taken_for_yes_and_no():
    labels = np.arange(90) % 3
    none = np.empty(0)
    view = View("visits", "category", None, none, labels, ("0", "1", "2"))
    told = describe([view], labels[:, None].astype(float), labels, np.ones(90))
    assert [cluster["name"] for cluster in told.clusters] == ["Visits: 0", "Visits: 1", "Visits: 2"]
