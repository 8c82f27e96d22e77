"""Classes over time: planted movers are found and no others; classes that part, join, come and go; windows of whole months."""

import numpy as np
import pytest

from applications.temporal import planted_in_time, write_dated
from coterie.applications import study_network
from coterie.applications._network_windows import cut
from coterie.errors import InputError

K, N = 4, 240
STAY = np.repeat(np.arange(K), N // K)


def studied(tmp_path, classes, *, seed=0, links=14, **options):
    path = write_dated(tmp_path / "mails.csv", planted_in_time(classes, seed, links=links))
    return study_network(path, **options)


def moved_in(record, window):
    return {int(one["node"][1:]) for one in record["time"]["movers"] if one["window"] == window}


@pytest.fixture(scope="module")
def moving(tmp_path_factory):
    who = np.random.default_rng(1).choice(N, 24, replace=False)
    after = STAY.copy()
    after[who] = (after[who] + 1) % K
    return set(who.tolist()), studied(tmp_path_factory.mktemp("time"), [STAY] * 3 + [after] * 3)


def test_those_who_move_are_found_and_nobody_else(moving):
    who, study = moving
    found = moved_in(study.record, 3)
    assert len(found & who) >= 0.95 * len(who)
    assert len(found - who) <= 0.02 * N
    assert [one["moved"] for one in study.record["time"]["moves"]] == [0, 0, len(found), 0, 0]


def test_the_record_says_in_words_when_and_how_many(moving):
    _, study = moving
    moved = study.record["time"]["moves"][2]["moved"]
    assert f"{moved} of the 240 nodes seen in both 2026-03 and 2026-04 (10%) changed their class" in " ".join(
        study.record["answer"]
    )
    assert study.record["time"]["cut"] == "a month each"


def test_the_share_that_moved_is_a_metric_beside_what_chance_would_show(moving):
    found = {one["name"]: one["value"] for one in moving[1].record["metrics"]}
    assert found["churn"] == pytest.approx(24 / 1200, abs=0.002)
    assert found["churn_by_chance"] <= 0.002


def test_where_classes_change_halves_of_a_window_agree_more_than_windows_do(moving):
    windows = moving[1].record["time"]["windows"]
    assert windows[0]["agrees_with_before"] is None
    gaps = [one["halves_agree"] - one["agrees_with_before"] for one in windows[1:]]
    assert np.argmax(gaps) == 2
    assert gaps[2] > 0.1


def test_sizes_and_moves_add_up_to_the_nodes_seen(moving):
    time = moving[1].record["time"]
    assert np.sum([one["sizes"] for one in time["classes"]], axis=0).tolist() == [
        one["nodes"] for one in time["windows"]
    ]
    for one in time["moves"]:
        assert np.sum(one["nodes"]) == one["both"]
        assert one["both"] + sum(one["arrived"]) == time["windows"][one["window"]]["nodes"]


@pytest.mark.parametrize("seed", range(3))
def test_where_nothing_changes_nobody_moves(tmp_path, seed):
    time = studied(tmp_path, [STAY] * 5, seed=seed).record["time"]
    assert (time["n_movers"], time["events"], time["n_classes"]) == (0, [], K)


def test_half_a_class_that_moves_together_is_found(tmp_path):
    after = STAY.copy()
    after[:30] = 1
    record = studied(tmp_path, [STAY] * 3 + [after] * 3).record
    found = moved_in(record, 3)
    assert len(found & set(range(30))) >= 28
    assert len(found - set(range(30))) <= 0.02 * N


def test_a_class_that_parts_and_one_that_joins_another_are_told(tmp_path):
    parts = STAY.copy()
    parts[:30] = K
    apart, together = (
        studied(tmp_path, classes, links=24).record["time"]
        for classes in ([STAY] * 3 + [parts] * 3, [parts] * 3 + [STAY] * 3)
    )
    assert [
        (one["window"], one["kind"], one["nodes"] // 10)
        for one in apart["events"]
        if one["kind"] in ("split", "merged")
    ] == [(3, "split", 3)]
    assert [(one["window"], one["kind"]) for one in together["events"] if one["window"] > 0] == [(3, "merged")]
    assert all(one["moved"] <= 2 for one in (*apart["moves"], *together["moves"]))


def test_a_class_that_comes_up_and_one_that_is_seen_no_more_are_told(tmp_path):
    early, late = STAY.copy(), STAY.copy()
    early[STAY == 3] = -1
    late[STAY == 0] = -1
    time = studied(tmp_path, [early] * 2 + [late] * 3).record["time"]
    assert sorted((one["window"], one["kind"]) for one in time["events"]) == [(2, "born"), (2, "gone")]
    assert time["n_movers"] == 0
    assert sum(time["moves"][1]["arrived"]) == sum(time["moves"][1]["left"]) == 60


def test_the_same_seed_gives_the_same_paths(tmp_path, moving):
    again = study_network(write_dated(tmp_path / "mails.csv", planted_in_time([STAY] * 4)))
    other = study_network(write_dated(tmp_path / "mails.csv", planted_in_time([STAY] * 4)))
    assert np.array_equal(again.time.labels, other.time.labels)
    assert again.record["time"] == other.record["time"]


def test_with_a_given_number_of_classes_none_part(tmp_path):
    parts = STAY.copy()
    parts[:30] = K
    time = studied(tmp_path, [STAY] * 2 + [parts] * 2, links=24, method="balanced_cut", n_clusters=4).record["time"]
    assert time["n_classes"] == 4
    assert not [one for one in time["events"] if one["kind"] in ("split", "merged")]
    assert time["windows"][0]["halves_agree"] is None


def test_windows_with_few_links_are_warned_of(tmp_path):
    warnings = studied(tmp_path, [STAY] * 4, links=2, windows="1mo").record["warnings"]
    assert any("too few links to say where most of them belong" in one["text"] for one in warnings)


def test_links_without_times_or_too_few_of_them_leave_time_out(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("source,target,date\na,b,2026-01-01\nb,c,2026-02-01\nc,a,2026-03-01\n")
    assert "time" not in study_network(path).record
    assert study_network(path, windows=2).record["time"]["n_movers"] == 0
    path.write_text("source,target\na,b\nb,c\n")
    with pytest.raises(InputError, match="windows need the times of links; name the column"):
        study_network(path, windows=2)


def days(*texts):
    return np.array(texts, dtype="datetime64[us]").astype(np.int64).astype(np.float64)


@pytest.mark.parametrize(
    ("windows", "labels"),
    [
        ("1mo", ["2025-11", "2025-12", "2026-01"]),
        ("1q", ["2025 Q4", "2026 Q1"]),
        ("1y", ["2025", "2026"]),
        (
            "2w",
            [
                "week of 2025-11-17",
                "week of 2025-12-01",
                "week of 2025-12-15",
                "week of 2025-12-29",
                "week of 2026-01-12",
            ],
        ),
    ],
)
def test_windows_are_whole_units_of_the_calendar(windows, labels):
    found = cut(days("2025-11-30", "2025-12-01", "2026-01-13"), True, 3, windows, "date")
    assert found.labels[-len(labels) :] == labels
    assert found.of.tolist() == [0, 1 if windows == "1mo" else found.of[1], len(found.labels) - 1]


def test_by_default_windows_are_the_finest_units_with_enough_links():
    times = np.linspace(*days("2025-01-01", "2025-12-31"), 4000)
    assert len(cut(times, True, 80, None, "date").labels) == 12
    assert cut(times, True, 200, None, "date").words == "a quarter each"
    assert cut(times, True, 600, None, "date") is None


def test_windows_by_number_hold_about_as_many_links_and_never_part_a_moment():
    times = np.repeat([1.0, 2, 3, 4, 5], [500, 10, 10, 10, 470])
    of = cut(times, False, 10, 3, "round").of
    assert sorted(set(of)) == [0, 1, 2]
    assert all(len(set(of[times == value])) == 1 for value in range(1, 6))


@pytest.mark.parametrize(
    ("windows", "words"),
    [(1, "from 2 to 60"), (99, "from 2 to 60"), ("5x", "a length such as 1mo"), ("1s", "give a length that makes 2 to 60"), ("9y", "makes 2 to 60"), (9, "ask for fewer windows")],
)  # fmt: skip
def test_windows_that_cannot_be_made_are_refused_in_one_sentence(windows, words):
    with pytest.raises(InputError, match=words):
        cut(days("2025-11-30", "2025-12-01", "2026-01-13"), True, 3, windows, "date")


@pytest.mark.parametrize(
    ("times", "are_dates", "windows", "said"),
    [
        (np.arange(9.0) * 8.64e10, True, "99999999999999999999d", "a length such as 1mo"),
        (np.arange(9.0) * 8.64e10, True, "1.5mo", "a length such as 1mo"),
        (np.arange(9.0) * 8.64e10, True, 2.5, "a whole number or a length"),
        (np.arange(9.0), False, "1mo", "the times in 'when' are numbers"),
        (np.arange(9.0), False, "0.000001", "more than 100,000"),
        (np.array([0.0, 1.0, np.inf]), False, 2, "'when' holds an infinite time"),
    ],
)
def test_windows_that_cannot_be_are_refused_in_one_sentence(times, are_dates, windows, said):
    with pytest.raises(InputError, match=said):
        cut(times, are_dates, 4, windows, "when")
