"""What is normal, learnt from a history: scores, p-values, reasons, and that a few bad rows in the history change little."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import coterie
from coterie.applications.anomaly import NormalcyModel
from coterie.applications.anomaly._calibration import (
    alarm_limits,
    beyond_tail,
    least_rate,
    p_values,
    rows_needed,
    threshold,
)
from coterie.applications.anomaly._levels import coded
from coterie.applications.anomaly._measure import remoteness, share_distances2
from coterie.applications.anomaly._profile import is_usual
from coterie.applications.anomaly._unlike import unlike_history
from coterie.applications.anomaly.learning import _farthest, learn_history
from coterie.errors import InputError, ModelFileError
from coterie.tables import read


@pytest.fixture(scope="module")
def history():
    random = np.random.default_rng(0)
    near, far = random.normal(0, 1, (400, 3)), random.normal(8, 1, (200, 3))
    return np.vstack([near, far])


@pytest.fixture(scope="module")
def model(history):
    return NormalcyModel(random_state=0).fit(history)


@parametrize_with_checks([NormalcyModel(n_clusters=8, random_state=0)])
def test_scikit_learns_contract_holds(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert check(estimator) is None  # a check raises where it fails


def test_the_distance_to_a_share_is_that_to_the_nearest_rows_which_make_it_up():
    distances2, weights = np.array([[9.0, 1.0, 4.0]]), np.array([0.5, 0.25, 0.25])
    found = share_distances2(distances2, weights, (0.0, 0.25, 0.375, 1.0))
    # All of the nearest; then half as much of the next one; then everything.
    assert found[0] == pytest.approx([1.0, 1.0, (0.25 * 1 + 0.125 * 4) / 0.375, 0.5 * 9 + 0.25 * 1 + 0.25 * 4])


def test_the_distance_to_all_of_history_is_that_to_its_mean_and_its_spread(history):
    weights = np.full(len(history), 1 / len(history))
    row = np.array([[3.0, -2.0, 5.0]])
    distances2 = ((row[:, None] - history) ** 2).sum(axis=2)
    expected = ((row - history.mean(axis=0)) ** 2).sum() + history.var(axis=0).sum()
    assert share_distances2(distances2, weights, (1.0,))[0, 0] == pytest.approx(expected)
    assert remoteness(distances2, weights, (1.0, 1.0))[0] == pytest.approx(np.sqrt(expected))


def test_a_row_out_of_reach_is_an_alarm_and_a_typical_one_is_not(model):
    assert model.predict([[0.0, 0.0, 0.0], [8.0, 8.0, 8.0], [4.0, 4.0, 4.0], [0.0, 0.0, 9.0]]).tolist() == [
        1,
        1,
        -1,
        -1,
    ]


def test_the_column_that_was_shifted_is_named_first(history):
    random = np.random.default_rng(1)
    model = NormalcyModel(random_state=0).fit(history[:400])
    shifted, which = random.normal(0, 1, (200, 3)), random.integers(3, size=200)
    shifted[np.arange(200), which] += random.choice([-6.0, 6.0], 200)
    assert (model.explain(shifted, top=1).columns[:, 0] == which).mean() >= 0.95


@pytest.mark.parametrize(
    "options", [{"metric": "mahalanobis"}, {"metric": "gower"}, {"contamination": 0}, {"scale": "none"}]
)
def test_every_way_to_measure_finds_what_is_far_and_why(history, options):
    model = NormalcyModel(random_state=0, **options).fit(history)
    assert model.predict([[0.0, 0.0, 0.0], [0.0, 0.0, 30.0]]).tolist() == [1, -1]
    assert model.explain([[0.0, 0.0, 30.0]], top=1).columns.tolist() == [[2]]


def test_a_metric_of_ones_own_measures_rows_as_they_were_given():
    rows = np.random.default_rng(0).normal(1000.0, 1.0, (120, 2))
    model = NormalcyModel(lambda a, b: float(np.abs(a - b).sum()), n_clusters=5, random_state=0).fit(rows)
    assert model.predict([[1000.0, 1000.0], [1000.0, 1050.0]]).tolist() == [1, -1]


def test_a_clump_of_bad_rows_in_history_does_not_make_its_place_normal():
    random = np.random.default_rng(0)
    normal, clump = random.normal(0, 1, (950, 4)), random.normal(5, 0.1, (50, 4))
    tests, truth = (
        np.vstack([random.normal(0, 1, (500, 4)), random.normal(5, 0.1, (50, 4))]),
        np.repeat([0, 1], [500, 50]),
    )
    model = NormalcyModel(random_state=0).fit(np.vstack([normal, clump]))
    trusting = NormalcyModel(contamination=0, random_state=0).fit(np.vstack([normal, clump]))
    assert roc_auc_score(truth, -model.score_samples(tests)) > 0.99
    assert roc_auc_score(truth, -trusting.score_samples(tests)) < 0.5
    known = NormalcyModel(contamination=0.05, random_state=0).fit(np.vstack([normal, clump]))
    assert (known.predict(tests[truth == 1]) == -1).mean() > 0.9


@pytest.mark.parametrize("options", [{}, {"contamination": 0}])
def test_false_alarms_are_as_many_as_were_asked_for(options):
    random = np.random.default_rng(0)
    rates = []
    for seed in range(8):
        rows = random.standard_t(4, (300, 3))
        model = NormalcyModel(n_clusters=20, random_state=seed, **options).fit(rows)
        rates.append((model.p_values(random.standard_t(4, (2000, 3))) <= 0.05).mean())
    # Eight calibrations on 300 rows: the mean rate has a standard error of 0.0045.
    assert np.mean(rates) == pytest.approx(0.05, abs=0.0135)


def test_false_alarms_are_as_many_as_were_asked_for_where_many_rows_are_equal():
    rates, random = [], np.random.default_rng(0)
    for seed in range(4):
        model = NormalcyModel(random_state=seed).fit(random.poisson(3.0, (600, 2)))
        rates.append((model.p_values(random.poisson(3.0, (4000, 2))) <= 0.01).mean())
    # Four calibrations on 600 rows: the mean rate has a standard error of 0.002. It was 0.07 where equal rows made distances vanish.
    assert np.mean(rates) < 0.016


def test_what_is_beyond_the_tail_is_found_and_rows_of_few_distances_have_none():
    random = np.random.default_rng(0)
    scores = np.concatenate([random.lognormal(0.0, 0.3, 950), np.full(50, 100.0)])
    assert beyond_tail(scores).sum() == 50
    flags = np.repeat([1.0, 30.0, 300.0, 3000.0], [530, 390, 60, 20]) * random.uniform(1.0, 1.01, 1000)
    assert beyond_tail(flags).sum() == 0


def test_p_values_count_the_row_itself_and_ties_against_it():
    held_out = np.array([1.0, 2.0, 2.0, 3.0])
    assert p_values(np.array([0.5, 2.0, 3.0, 4.0]), held_out).tolist() == [1.0, 0.8, 0.4, 0.2]


@pytest.mark.parametrize("fpr", [0.01, 0.02, 0.05, 0.2])
def test_the_threshold_says_the_same_as_the_p_values(fpr):
    random = np.random.default_rng(0)
    held_out, scores = np.sort(random.normal(size=299)), random.normal(size=2000)
    assert ((scores > threshold(held_out, fpr)) == (p_values(scores, held_out) <= fpr)).all()


def test_how_many_rows_a_false_alarm_rate_needs():
    assert [rows_needed(fpr) for fpr in (0.5, 0.05, 0.01, 0.001)] == [1, 19, 99, 999]
    with pytest.warns(coterie.errors.ClusterWarning, match="needs 99 rows"):
        model = NormalcyModel(random_state=0).fit(np.random.default_rng(0).normal(size=(30, 2)))
    assert model.fpr_ == pytest.approx(1 / 31)


def test_limits_of_alarms_hold_for_rows_like_those_of_history():
    random = np.random.default_rng(0)
    low, high = alarm_limits(1000, np.arange(500.0), 0.02, 0.05)
    held_out = np.sort(random.random((2000, 500)), axis=1)
    alarms = np.array([(random.random(1000) > threshold(row, 0.02)).sum() for row in held_out])
    assert 0.94 <= ((alarms >= low) & (alarms <= high)).mean() <= 0.98


def test_limits_of_alarms_heed_ties_at_the_threshold():
    held_out = np.sort(np.repeat([1.0, 2.0], 500))
    assert threshold(held_out, 0.01) == 2.0  # which half of the rows reach and none passes
    assert alarm_limits(5000, held_out, 0.01, 0.001)[0] == 0


def test_rows_tied_for_the_last_places_share_them():
    assert _farthest(np.array([1.0, 2.0, 2.01, 3.0]), 2).tolist() == [0.0, 0.5, 0.5, 1.0]


@pytest.mark.parametrize(("n", "rate"), [(60, 0.017), (99, 0.01), (100, 0.01), (3600, 0.00028)])
def test_the_lowest_rate_that_is_named_is_not_refused(n, rate):
    assert least_rate(n) == rate
    assert rows_needed(least_rate(n)) <= n


def test_the_same_seed_gives_the_same_scores(history, model):
    again = NormalcyModel(random_state=0).fit(history)
    assert (again.score_samples(history) == model.score_samples(history)).all()
    assert (model.score_samples(history[:7]) == model.score_samples(history)[:7]).all()


def test_kinds_of_normal_rows_are_the_groups_of_history(history, model):
    assert model.kind_shares_ == pytest.approx([2 / 3, 1 / 3], abs=0.05)
    assert model.nearest_kind([[0.0, 0.0, 0.0], [8.0, 8.0, 8.0]]).tolist() == [0, 1]


def test_later_rows_are_judged_by_earlier_ones():
    random = np.random.default_rng(0)
    rows = random.normal(0, 1, (600, 2))
    rows[420:] += 3.0
    mixed = NormalcyModel(random_state=0).fit(rows)
    ordered = NormalcyModel(calibration="time", random_state=0).fit(rows)
    assert len(ordered.held_out_scores_) == 180
    assert np.median(ordered.held_out_scores_) > 2 * np.median(mixed.held_out_scores_)


def mixed_rows(n, seed=0):
    random = np.random.default_rng(seed)
    kind = random.integers(2, size=n)
    return {"watts": random.normal(np.where(kind, 90.0, 20.0), 3.0), "state": np.where(kind, "busy", "idle").tolist()}


def test_columns_that_are_no_numbers_count_and_are_named():
    model = NormalcyModel(random_state=0).fit(mixed_rows(400))
    rows = {"watts": [20.0, 90.0, 90.0, 400.0], "state": ["idle", "busy", "idle", "busy"]}
    assert model.predict(rows).tolist() == [1, 1, -1, -1]
    assert [model.explain(rows).names[j] for j in model.explain(rows, top=1).columns[3]] == ["watts"]


@pytest.mark.parametrize(("metric", "n_levels"), [("euclidean", 2), ("euclidean", 6), ("gower", 6)])
def test_a_level_that_history_never_had_is_as_far_as_the_levels_are_from_one_another(metric, n_levels):
    random = np.random.default_rng(0)
    history = {"a": random.normal(size=300), "c": random.choice([f"L{i}" for i in range(n_levels)], 300).tolist()}
    model = NormalcyModel(metric, contamination=0, random_state=0).fit(history)
    rows = coded(model.prepared_, read({"a": [0.0, 0.0, 0.0], "c": ["L0", "L1", "NEW"]}), metric)
    apart = np.abs(rows[:, None] - rows).sum(axis=2) if metric == "gower" else ((rows[:, None] - rows) ** 2).sum(axis=2)
    assert min(apart[2, 0], apart[2, 1]) == pytest.approx(apart[0, 1])
    p = model.p_values({"a": [0.0, 0.0], "c": ["L0", "NEW"]})
    assert p[1] < 0.01 < p[0]


def test_new_names_are_told_where_they_are_more_than_history_lets_expect():
    random = np.random.default_rng(0)

    def rows(n, names):
        return {
            "x": random.normal(size=n),
            "user": [f"u{i}" for i in names],
            "state": random.choice(["on", "off"], n).tolist(),
        }

    learnt = learn_history(rows(600, (random.pareto(1.0, 600) * 3).astype(int)))
    as_before = rows(200, (random.pareto(1.0, 200) * 3).astype(int))
    told = [
        unlike_history(read(new), learnt.model, learnt.card)
        for new in (
            as_before,
            rows(200, range(10**6, 10**6 + 200)),
            as_before | {"state": [*as_before["state"][:199], "lost"]},
        )
    ]
    assert [len(warnings) for warnings in told] == [0, 1, 1]
    assert "200 rows have a value of user that history never had" in told[1][0]["text"]
    assert "(such as 'lost')" in told[2][0]["text"]


@pytest.mark.parametrize("metric", ["euclidean", "mahalanobis", "gower"])
def test_a_saved_model_gives_the_same_bits(tmp_path, metric):
    model = NormalcyModel(metric, random_state=0).fit(mixed_rows(300))
    loaded = coterie.load(coterie.save(model, tmp_path / "model.coterie"))
    new = mixed_rows(50, seed=1)
    assert (loaded.estimator.p_values(new) == model.p_values(new)).all()
    assert (loaded.predict(new) == model.predict(new)).all()


def test_a_model_whose_parts_do_not_fit_is_refused(tmp_path, model):
    broken = NormalcyModel(random_state=0)._restore(model._fitted_state())
    broken._history = broken._history._replace(weights=broken._history.weights[:-1])
    path = coterie.save(broken, tmp_path / "model.coterie")
    with pytest.raises(ModelFileError, match="do not fit one another"):
        coterie.load(path)


def test_a_history_of_few_different_rows_leaves_none_of_them_out():
    rows = np.repeat([[1.0, 2.0], [3.0, 4.0]], [240, 60], axis=0)
    model = NormalcyModel(random_state=0).fit(rows)
    assert model.suspects_ == 0
    assert model.predict([[1.0, 2.0], [3.0, 4.0], [1.0, 4.0]]).tolist() == [1, 1, -1]


def test_a_metric_that_returns_no_distance_is_refused():
    with pytest.raises(InputError, match="finite distance"):
        NormalcyModel(lambda a, b: float("nan"), n_clusters=2).fit(np.eye(8)).score_samples(np.eye(8))


def halves_of(path, bad_share):
    """Return training rows, with anomalies as a share of them, and test rows with their truth."""
    with np.load(path) as file:
        X, y = file["X"].astype(float), file["y"].ravel().astype(bool)
    random = np.random.default_rng(0)
    normal, bad = random.permutation(np.flatnonzero(~y)), random.permutation(np.flatnonzero(y))
    half = len(normal) // 2
    n_bad = round(bad_share * half / (1 - bad_share))
    train = np.concatenate([normal[:half], bad[:n_bad]])
    test = np.concatenate([normal[half:], bad[len(bad) // 2 :]])
    return X[train], X[test], y[test]


@pytest.mark.parametrize("bad_share", [0.0, 0.05])
def test_real_anomalies_are_found_better_than_by_the_nearest_rows_and_by_isolation(shared_data, bad_share):
    from sklearn.ensemble import IsolationForest
    from sklearn.neighbors import NearestNeighbors

    found = []
    for name in ("18_Ionosphere", "6_cardio", "7_Cardiotocography", "20_letter", "14_glass", "4_breastw"):
        train, test, truth = halves_of(shared_data / "anomaly" / f"{name}.npz", bad_share)
        contamination = 0 if bad_share == 0 else "auto"
        ours = -NormalcyModel(contamination=contamination, random_state=0).fit(train).score_samples(test)
        forest = -IsolationForest(random_state=0).fit(train).score_samples(test)
        spread = np.where(train.std(axis=0) > 0, train.std(axis=0), 1.0)
        near = NearestNeighbors(n_neighbors=5).fit(train / spread).kneighbors(test / spread)[0][:, 4]
        found.append([roc_auc_score(truth, scores) for scores in (ours, near, forest)])
    ours, near, forest = np.mean(found, axis=0)
    assert ours > forest + 0.01
    assert ours > near - 0.002


@pytest.mark.parametrize(
    ("value", "usual", "answer"),
    [
        (5.0, [1.0, 4.0, 9.0], True), (9.5, [1.0, 4.0, 9.0], False), (None, [1.0, 4.0, 9.0], False), (5.0, None, False),
        ("busy", {"busy": 0.7, "idle": 0.295, "off": 0.005}, True), ("off", {"busy": 0.995, "off": 0.005}, False), ("new", {"busy": 1.0}, False),
        (1.0, {"0": 0.9, "1": 0.1}, True), ("2026-01-05", [20_000.0, 20_450.0, 20_500.0], True), ("1999-01-05", [20_000.0, 20_450.0, 20_500.0], False),
    ],
)  # fmt: skip
def test_what_is_usual_by_itself(value, usual, answer):
    assert is_usual(value, usual) is answer
