"""The study of a network: classes that are there are found, what is not there is not claimed, and the record says so."""

import numpy as np
import pytest

from applications.networks import assortative, network_of, planted_links
from coterie.applications import study_network
from coterie.errors import InputError
from coterie.metrics import adjusted_mutual_info_score


@pytest.fixture(scope="module")
def planted():
    """A study of four planted classes, with an attribute that follows them, one that does not, and one isolated node."""
    classes, links = planted_links([40, 30, 30, 20], assortative(4, 0.35, 0.01), seed=1)
    rng = np.random.default_rng(2)
    n = len(classes) + 1
    city = np.array(["Bern", "Kiel", "Lyon", "Oslo"], dtype=object)[np.append(classes, 0)]
    swap = rng.random(n) < 0.1
    city[swap] = "Bern"
    nodes = {
        "city": city,
        "age": np.append(classes * 10.0, 0) + rng.normal(40, 3, n),
        "coin": np.array(["heads", "tails"], dtype=object)[rng.integers(0, 2, n)],
        "node_id": np.array([f"id-{i:04d}" for i in range(n)], dtype=object),
    }
    return classes, study_network(network_of(links, n, nodes=nodes))


def test_planted_classes_are_found_and_called_more_than_chance(planted):
    classes, study = planted
    assert adjusted_mutual_info_score(classes, study.labels[:-1]) > 0.95
    assert study.structure["verdict"] == "clusters"
    assert study.record["n_classes"] == 4
    assert [one["nodes"] for one in study.record["classes"]] == sorted(np.bincount(classes), reverse=True)


def test_an_isolated_node_belongs_to_no_class_and_is_counted(planted):
    _, study = planted
    assert study.labels[-1] == -1
    assert np.isnan(study.members.strength[-1])
    assert study.record["unplaced"] == {"nodes": 1, "isolated": 1}
    assert any("without links" in note for note in study.record["notes"])


def test_the_profile_names_the_attribute_that_follows_the_classes_and_not_the_coin(planted):
    _, study = planted
    named = {feature["column"] for features in study.profile for feature in features}
    assert named == {"city", "age"}
    second = study.record["classes"][1]
    assert second["features"][0]["lift"] == pytest.approx(
        second["features"][0]["here"] / second["features"][0]["overall"]
    )


def test_ids_are_never_described_or_compared(planted):
    _, study = planted
    line = next(one for one in study.record["attributes"] if one["name"] == "node_id")
    assert (line["described"], line["compared"]) == (False, False)


def test_within_attracts_and_between_repels_in_an_assortative_network(planted):
    _, study = planted
    verdict = study.relations.verdict
    assert set(np.diagonal(verdict)) == {"attracts"}
    assert set(verdict[~np.eye(4, dtype=bool)]) <= {"repels", "neutral"}


def test_the_same_seed_gives_the_same_record(planted):
    _, links = planted_links([30, 30], assortative(2, 0.3, 0.02), seed=4)
    records = [study_network(network_of(links, 60), seed=7).record for _ in range(2)]
    for record in records:
        for step in record["steps"]:
            step.pop("seconds")
    assert records[0] == records[1]


def test_a_random_network_is_said_to_have_no_classes():
    _, links = planted_links([120], [[0.08]], seed=3)
    study = study_network(network_of(links, 120), method="leiden")
    assert study.structure["verdict"] == "none"
    assert "no clear classes" in study.record["warnings"][0]["text"].lower()
    assert set(study.relations.verdict.ravel()) == {"neutral"}


def test_a_label_left_among_the_attributes_is_told_of():
    classes, links = planted_links([40, 40, 40], assortative(3, 0.4, 0.005), seed=5)
    label = np.array(["a", "b", "c"], dtype=object)[classes]
    study = study_network(network_of(links, 120, nodes={"team": label}))
    said = [*study.record["notes"], *(one["text"] for one in study.record["warnings"])]
    assert any("team" in text for text in said)
    line = study.record["attributes"][0]
    assert line["ami"] > 0.95


def test_nodes_that_mostly_have_no_attributes_are_warned_about():
    classes, links = planted_links([40, 40], assortative(2, 0.4, 0.01), seed=6)
    trait = np.array(["a", "b"], dtype=object)[classes]
    for last, warned in ((30, True), (60, False)):
        known = np.where(np.arange(80) < last, trait, None)
        said = [one["text"] for one in study_network(network_of(links, 80, nodes={"trait": known})).record["warnings"]]
        assert ("At least 50 of the 80 nodes have no attributes." in said) == warned


def test_the_truth_is_kept_out_and_compared():
    classes, links = planted_links([40, 40], assortative(2, 0.4, 0.01), seed=6)
    label = np.array(["a", "b"], dtype=object)[classes]
    study = study_network(network_of(links, 80, nodes={"team": label}), truth="team")
    assert study.record["truth"]["ami"] > 0.95
    assert not study.record["attributes"][0]["described"]
    assert all(not features for features in study.profile)


def test_directions_stay_in_the_relations():
    rates = [[0.02, 0.3, 0.02], [0.02, 0.02, 0.3], [0.02, 0.02, 0.02]]
    _, links = planted_links([40, 40, 40], rates, seed=8, directed=True)
    study = study_network(network_of(links, 120, directed=True), method="leiden")
    total = study.relations.links.sum()
    assert total == len(links)
    assert any("directions" in one["text"] for one in study.record["warnings"])


def test_a_class_below_the_least_share_joins_the_one_it_links_to_most():
    # Two cliques of 10, and a triangle that hangs on the second one by two links.
    cliques = [(i, j) for start in (0, 10) for i in range(start, start + 10) for j in range(i + 1, start + 10)]
    links = [*cliques, (0, 10), (20, 21), (21, 22), (20, 22), (20, 11), (21, 12)]
    free = study_network(network_of(np.array(links), 23))
    assert free.record["n_classes"] == 3
    study = study_network(network_of(np.array(links), 23), min_share=0.2)
    assert study.record["n_classes"] == 2
    assert len(set(study.labels[10:].tolist())) == 1
    assert any("joined" in note for note in study.record["notes"])


def test_a_small_part_that_links_to_nothing_else_gets_no_class():
    cliques = [(i, j) for start in (0, 10) for i in range(start, start + 10) for j in range(i + 1, start + 10)]
    study = study_network(network_of(np.array([*cliques, (0, 10), (20, 21)]), 22), min_share=0.2)
    assert study.labels[20:].tolist() == [-1, -1]


def test_where_no_part_is_large_enough_the_links_are_not_denied():
    study = study_network(network_of(np.array([(0, 1), (1, 2), (3, 4), (4, 5)]), 6), min_share=0.9)
    assert study.record["n_classes"] == 0
    told = " ".join([*study.record["answer"], study.record["structure"]["sentence"]])
    assert "lower --min-share" in told
    assert "has a link" not in told
    assert "at random" not in told


@pytest.mark.parametrize(
    ("links", "n_nodes", "n_classes"),
    [([], 1, 0), ([], 5, 0), ([(0, 1)], 2, 1), ([(0, 0)], 1, 0), ([(0, 0), (1, 1)], 3, 0)],
    ids=["one node", "no links", "one link", "a loop", "loops only"],
)
def test_tiny_networks_have_an_answer(links, n_nodes, n_classes):
    study = study_network(network_of(np.array(links, np.int64).reshape(-1, 2), n_nodes))
    assert study.record["n_classes"] == n_classes
    assert study.record["answer"]


def test_a_thousand_components_are_a_thousand_classes():
    ends = np.arange(2000).reshape(-1, 2)
    study = study_network(network_of(ends, 2000))
    assert study.record["n_classes"] == 1000
    assert len(study.record["classes"]) == 500
    assert study.record["relations"]["left_out"] == 1000 - study.record["relations"]["classes"]
    assert any("1,000 parts" in note for note in study.record["notes"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "balanced_cut"}, "needs the number of classes"),
        ({"method": "leiden", "n_clusters": 3}, "finds the number of classes itself"),
        ({"method": "balanced_cut", "n_clusters": 99}, "at most the number of nodes"),
        ({"method": "balanced_cut", "n_clusters": 2, "resolution": 2.0}, "resolution is no option"),
        ({"method": "leiden", "imbalance": 0.1}, "imbalance is no option"),
        ({"method": "attributed"}, "needs attributes"),
        ({"truth": "team"}, "no column is called 'team'"),
        ({"roles": {"age": "category"}}, "no column is called 'age'"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_sentence(options, said):
    _, links = planted_links([10, 10], assortative(2, 0.5, 0.05), seed=9)
    with pytest.raises(InputError, match=said):
        study_network(network_of(links, 20), **options)


def test_weights_change_the_classes():
    # A ring of eight: heavy links decide where it is cut.
    ring = np.array([(i, (i + 1) % 8) for i in range(8)])
    weights = np.array([9.0, 9, 9, 1, 9, 9, 9, 1])
    study = study_network(network_of(ring, 8, weights=weights))
    assert study.record["n_classes"] == 2
    assert len(set(study.labels[:4].tolist())) == len(set(study.labels[4:].tolist())) == 1
    assert study.quality.cut == 2.0


def test_links_and_attributes_are_used_together_where_asked_and_each_side_s_part_is_told():
    classes, links = planted_links([30, 30, 30], assortative(3, 0.2, 0.03), seed=11)
    rng = np.random.default_rng(12)
    nodes = {"age": classes * 12.0 + rng.normal(30, 4, 90), "shoe": rng.normal(40, 2, 90)}
    study = study_network(network_of(links, 90, nodes=nodes), method="attributed", n_clusters=3)
    assert adjusted_mutual_info_score(classes, study.labels) > 0.8
    parts = study.record["chosen"]["contributions"]
    assert parts["links"] + parts["attributes"] == pytest.approx(1)
    assert [line["compared"] for line in study.record["attributes"]] == [True, True]


def test_a_label_that_took_part_is_warned_about_with_what_to_do():
    classes, links = planted_links([40, 40, 40], assortative(3, 0.4, 0.005), seed=5)
    label = np.array(["a", "b", "c"], dtype=object)[classes]
    study = study_network(network_of(links, 120, nodes={"team": label}), method="attributed", n_clusters=3)
    warning = next(one for one in study.record["warnings"] if "team" in one["text"])
    assert "--roles team=ignored" in warning["remedy"]


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_weights_at_the_edge_of_floating_point_give_the_same_classes(unit):
    classes, links = planted_links([20, 20], assortative(2, 0.5, 0.03), seed=13)
    study = study_network(network_of(links, 40, weights=np.full(len(links), unit)))
    assert adjusted_mutual_info_score(classes, study.labels) == 1
    assert np.isfinite(study.record["structure"]["modularity"])
    assert any("units of" in note for note in study.record["notes"])


def with_texts(n=120, seed=5, **more):
    """Return three classes that links show weakly and words show weakly: each says some of its own words among common ones."""
    rng = np.random.default_rng(seed)
    classes, links = planted_links([n] * 3, assortative(3, 9 / n, 3 / n), seed=seed)
    own = [["football", "goal", "league"], ["election", "party", "vote"], ["guitar", "concert", "album"]]
    common = ["news", "official", "page", "welcome", "follow", "daily", "team", "world"]
    texts = [" ".join([*rng.choice(common, 5), *rng.choice(own[one], 2)]) for one in classes]
    texts[7] = None
    return classes, network_of(links, len(classes), nodes={"about": texts, **more})


def test_words_of_the_nodes_take_part_and_describe_the_classes():
    classes, network = with_texts()
    both = study_network(network, method="attributed", n_clusters=3)
    alone = study_network(network, method="spectral", n_clusters=3)
    agreement = [adjusted_mutual_info_score(classes, study.labels) for study in (both, alone)]
    assert agreement[0] > 0.9 > agreement[1]
    assert [line["compared"] and line["described"] for line in both.record["attributes"]] == [True]
    told = {frozenset(one["value"] for one in features) for features in both.profile}
    assert told == {
        frozenset(words)
        for words in (("football", "goal", "league"), ("election", "party", "vote"), ("guitar", "concert", "album"))
    }
    first = both.profile[0][0]
    assert first["kind"] == "text"
    assert first["text"].startswith("about says “")
    members = both.labels == 0
    says = np.array([first["value"] in (text or "").split() for text in network.nodes.column("about").values])
    known = np.arange(len(says)) != 7
    assert first["here"] == says[members & known].mean()
    assert first["lift"] == pytest.approx(says[members & known].mean() / says[known].mean())


def test_words_take_part_beside_other_columns_and_names_do_not():
    rng = np.random.default_rng(0)
    names = [
        f"The {a} {b} of number {i}" for i, (a, b) in enumerate(rng.choice(["old", "new", "red", "big"], (360, 2)))
    ]
    classes, network = with_texts(age=rng.normal(40, 5, 360), title=names)
    found = study_network(network, method="attributed", n_clusters=3)
    lines = {line["name"]: line for line in found.record["attributes"]}
    assert {name: line["compared"] for name, line in lines.items()} == {"about": True, "age": True, "title": False}
    assert found.attributes.display_column == "title"
    assert adjusted_mutual_info_score(classes, found.labels) > 0.9


def test_texts_without_a_shared_word_are_not_compared_by():
    _, links = planted_links([30, 30], assortative(2, 0.4, 0.02), seed=1)
    alone = [" ".join(f"{word}{i}" for word in ("ab", "cd", "ef", "gh")) for i in range(60)]
    network = network_of(links, 60, nodes={"about": alone})
    with pytest.raises(InputError, match="attributed needs attributes of the nodes that can be compared"):
        study_network(network, method="attributed", n_clusters=2)
    assert study_network(network).attributes.codings[0].why == "no two rows share a word"


def test_planted_classes_come_back_without_a_tenth_of_the_links_and_chance_does_not(planted):
    _, study = planted
    assert study.stability.runs == 10
    assert study.stability.agreement > 0.95
    assert all(one["stability"] > 0.95 for one in study.record["classes"])
    told = next(one["value"] for one in study.record["metrics"] if one["name"] == "stability")
    assert told == pytest.approx(study.stability.agreement)
    _, links = planted_links([100], [[0.05]], seed=3)
    random = study_network(network_of(links, 100), method="leiden")
    assert random.stability.agreement < 0.6
    assert any("partly change" in sentence for sentence in random.record["answer"])


def test_classes_that_joined_by_the_least_share_join_again_where_links_are_left_out():
    _, links = planted_links([60, 40, 12, 12], assortative(4, 0.5, 0.01), seed=2)
    study = study_network(network_of(links, 124), min_share=0.2)
    assert study.found.k == 2
    assert study.stability.agreement > 0.95


def test_directions_are_kept_where_links_are_left_out():
    rates = np.full((3, 3), 0.02)
    rates[0, 1] = rates[1, 2] = 0.4
    _, links = planted_links([40] * 3, rates, seed=4, directed=True)
    study = study_network(network_of(links, 120, directed=True), method="block_model")
    assert study.found.k == 3
    assert study.stability.agreement > 0.9
