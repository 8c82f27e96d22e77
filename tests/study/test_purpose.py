"""What groups are for: the table of purposes, what contradicts them, and that natural groups are what they were."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from coterie.errors import InputError
from coterie.study import purpose as purposes
from coterie.study import study
from study.same_records import but_for_the_machine

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "study.md"


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(160, 2, centers=[[0, 0], [9, 0], [0, 9]], cluster_std=0.7, random_state=1)[0]


def test_the_guide_shows_the_table_of_the_code():
    shown = re.findall(r"^\| `(\w+)` \| (.+) \|$", GUIDE.read_text(), re.M)
    told = [(one.name, f"{one.aim} | {one.candidates} | {one.criterion} | {one.guards}") for one in purposes.PURPOSES]
    assert shown == told


def test_without_a_purpose_groups_are_natural_and_the_same(found, shoppers):
    asked = study(shoppers, truth="segment", memory_limit="2GB", purpose="natural")
    np.testing.assert_array_equal(asked.labels, found[0].labels)
    parts = [but_for_the_machine(result.record) for result in (asked, found[0])]
    assert json.dumps(parts[0]) == json.dumps(parts[1])
    assert asked.record["purpose"] == {"name": "natural", "aim": purposes.PURPOSES[0].aim}
    assert asked.listing is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"purpose": "beauty"}, "one of natural, reduce, useful, outliers, got 'beauty'"),
        ({"purpose": "reduce", "method": "HDBSCAN"}, "HDBSCAN leaves rows out; take another method"),
        ({"purpose": "useful", "method": "dbscan"}, "DBSCAN leaves rows out; take another method"),
        ({"purpose": "reduce", "min_share": 0.1}, "leave min_share out"),
        ({"purpose": "useful", "n_clusters": 1}, "at least two groups"),
        ({"purpose": "useful", "n_clusters": 30}, "ask for at most 18 groups, or lower min_share"),
        ({"purpose": "useful", "n_clusters": 4, "min_share": 0.4}, "ask for at most 2 groups"),
    ],
)
def test_what_contradicts_a_purpose_is_refused_in_one_sentence(blobs, options, words):
    with pytest.raises(InputError, match=re.escape(words)) as refusal:
        study(blobs, **options)
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize("purpose", ["reduce", "useful", "outliers"])
@pytest.mark.parametrize("rows", [3, 9])
def test_a_few_rows_get_an_answer(purpose, rows):
    result = study(np.random.default_rng(0).normal(size=(rows, 2)), purpose=purpose)
    assert len(result.record["clusters"]) == 1
    assert result.record["purpose"]["answer"]


@pytest.mark.parametrize("purpose", ["reduce", "useful", "outliers"])
def test_the_same_seed_gives_the_same_answer(blobs, purpose):
    one, two = (study(blobs, purpose=purpose, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.labels, two.labels)
    np.testing.assert_array_equal(one.outlier_scores, two.outlier_scores)
    assert one.record["purpose"] == two.record["purpose"]


@pytest.mark.parametrize("purpose", ["reduce", "useful", "outliers"])
def test_predicting_the_rows_gives_the_labels(blobs, purpose):
    result = study(blobs, purpose=purpose)
    own = np.asarray(result.estimator.predict(result.prepared.X))
    np.testing.assert_array_equal(np.append(result.label_map, -1)[own], result.labels)
