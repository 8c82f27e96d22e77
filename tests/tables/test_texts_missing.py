"""Rows without a text lie where rows like them have theirs, not in a heap of their own in the middle of all texts."""

import numpy as np
import pytest

from coterie.errors import InputError
from coterie.metrics import adjusted_rand_score
from coterie.study import study
from coterie.tables import Prepared, prepare, read
from coterie.tables.donors import MOST_DONORS, fill_texts, find_donors
from tables.texts_made import made_texts


@pytest.fixture(scope="module")
def themes():
    return made_texts(400)[1]


@pytest.fixture(scope="module")
def columns(themes):
    """Reviews of three themes, a quarter of them not there, and an amount that goes with the theme."""
    rng = np.random.default_rng(1)
    gone = rng.random(400) < 0.25
    texts = [None if lost else text for lost, text in zip(gone, made_texts(400)[0], strict=True)]
    return {"review": texts, "amount": rng.normal(themes * 3.0, 0.6)}


@pytest.fixture(scope="module")
def gone(columns):
    return np.array([text is None for text in columns["review"]])


@pytest.fixture(scope="module")
def prepared(columns):
    return prepare(read(columns))


def text_part(prepared):
    return prepared.X[:, prepared.feature_columns == 0]


def test_rows_without_a_text_lie_among_the_texts_of_rows_like_theirs(prepared, themes, gone):
    places = text_part(prepared)
    middles = np.stack([places[(themes == theme) & ~gone].mean(axis=0) for theme in range(3)])
    nearest = np.argmin(((places[gone][:, None] - middles) ** 2).sum(axis=2), axis=1)
    assert np.mean(nearest == themes[gone]) > 0.95
    assert {tuple(place) for place in places[gone]} <= {tuple(place) for place in places[~gone]}


def test_groups_are_themes_and_none_is_of_rows_without_a_text(columns, themes, gone):
    labels = study(read(columns)).labels
    assert labels.max() + 1 == 3
    assert adjusted_rand_score(themes, labels) > 0.95
    assert max(gone[labels == label].mean() for label in range(3)) < 0.5


def test_what_stands_for_a_missing_text_is_told(prepared, gone):
    told = f"{gone.sum()} of 400 values of review are missing and count as a text such as rows like theirs have"
    assert told in prepared.notes


def test_new_rows_are_placed_alike_in_any_company_by_a_saved_state_too(prepared, columns):
    again = Prepared.from_state(*prepared.state())
    rows = np.random.default_rng(0).permutation(400)[:37]
    new = read({name: [values[i] for i in rows] for name, values in columns.items()})
    np.testing.assert_array_equal(again.transform(new), prepared.X[rows])
    np.testing.assert_array_equal(again.transform(read(columns)), prepared.X)


def test_a_text_of_unknown_words_is_placed_as_a_missing_one_and_a_row_that_says_nothing_in_the_middle(prepared):
    new = prepared.transform(
        read({"review": ["zzz qqq", None, None], "amount": [6.0, 6.0, None]}),
    )
    np.testing.assert_array_equal(new[0], new[1])
    assert np.abs(new[0, prepared.feature_columns == 0]).max() > 0.3
    np.testing.assert_array_equal(new[2, prepared.feature_columns == 0], 0)


def test_of_the_five_nearest_texts_the_central_one_is_taken():
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(60, 4)), 1)
    X[::3, 2:] = np.nan
    own = np.array([False, False, True, True])
    filled = X.copy()
    fill_texts(filled, np.array([0, 1, 2, 2]), {0: np.ones(60, bool)}, {2: find_donors(X, own)})
    known = X[~np.isnan(X[:, 2])]
    for row, place in zip(X[::3], filled[::3, 2:], strict=True):
        donor = min(known, key=lambda other: sum((other[:2] - row[:2]) ** 2))
        far = sorted(sum((other[:2] - donor[:2]) ** 2) for other in known)[4]
        near = [other[2:] for other in known if sum((other[:2] - donor[:2]) ** 2) <= far]
        sums = [sum(np.linalg.norm(one - other) for other in near) for one in near]
        np.testing.assert_array_equal(place, near[int(np.argmin(sums))])


def test_donors_are_bounded_and_spread_over_the_rows():
    X = np.column_stack([np.arange(5000.0), np.arange(5000.0)])
    donors = find_donors(X, np.array([False, True]))
    assert len(donors.others) <= MOST_DONORS
    assert donors.others[-1, 0] - donors.others[0, 0] > 4900
    wide = find_donors(np.column_stack([np.ones((900, 999)), np.arange(900.0)]), np.arange(1000) == 999)
    assert wide.others.size <= 100_000


def test_damaged_donors_are_refused(prepared):
    json, arrays = prepared.state()
    with pytest.raises(InputError, match="damaged"):
        Prepared.from_state(json, {name: array[:, :0] for name, array in arrays.items()})
    with pytest.raises(InputError, match="damaged"):
        Prepared.from_state(json, {"donors.0.others": arrays["donors.0.others"]})
