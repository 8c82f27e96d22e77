"""Displays hold what the estimator says, and draw it: the right artists, for every kind of input, on nobody's global figure."""

import sys

import numpy as np
import pytest

import coterie
from coterie import HDBSCAN, OPTICS, AgglomerativeClustering, BisectingKMeans, KMeans, display
from coterie.errors import InputError, MissingExtraError
from coterie.metrics import silhouette_samples, silhouette_score
from coterie.report.palette import color

figure = pytest.importorskip("matplotlib.figure", reason="drawing needs the extra plot")


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    parts = [rng.normal(center, 0.4, (30, 3)) for center in ((0, 0, 0), (5, 0, 1), (0, 6, 2))]
    return np.vstack([*parts, rng.uniform(-3, 9, (8, 3))])


@pytest.fixture(scope="module")
def kmeans(rows):
    return KMeans(3, random_state=0).fit(rows)


@pytest.fixture(scope="module")
def hdbscan(rows):
    return HDBSCAN(min_cluster_size=8).fit(rows)


def colors(collections):
    """Return the face colours, as #RRGGBB."""
    from matplotlib.colors import to_hex

    return [to_hex(one.get_facecolor()[0]).upper() for one in collections]


def test_a_map_of_two_columns_shows_them_as_they_are(rows, hdbscan):
    shown = display.ClusterMapDisplay.from_predictions(rows[:, :2], hdbscan.labels_, feature_names=["age", "spend"])
    np.testing.assert_array_equal(shown.labels, hdbscan.labels_)
    np.testing.assert_allclose(shown.points, rows[:, :2], atol=2e-4)
    assert (shown.ax_.get_xlabel(), shown.ax_.get_ylabel(), shown.method) == ("age", "spend", "columns")


def test_a_map_draws_each_group_in_its_color_with_a_marker_of_its_own(rows, hdbscan):
    shown = display.ClusterMapDisplay.from_estimator(hdbscan, rows)
    drawn = shown.ax_.collections
    groups = [-1, *range(hdbscan.labels_.max() + 1)]
    assert [len(one.get_offsets()) for one in drawn] == [int((hdbscan.labels_ == group).sum()) for group in groups]
    assert colors(drawn) == [color(group).upper() for group in groups]
    assert len({one.get_paths()[0].vertices.tobytes() for one in drawn}) == len(groups)
    assert [text.get_text() for text in shown.ax_.texts] == [str(group) for group in groups[1:]]
    legend = [text.get_text() for text in shown.ax_.get_legend().get_texts()]
    assert legend[0] == f"group 0 ({(hdbscan.labels_ == 0).sum()})"
    assert legend[-1].startswith("no group (")


def test_a_map_of_many_rows_draws_some_and_knows_which(rows, kmeans):
    shown = display.ClusterMapDisplay.from_estimator(kmeans, rows, max_rows=20)
    assert 15 <= len(shown.points) <= 20
    assert set(shown.labels) == {0, 1, 2}
    np.testing.assert_array_equal(shown.labels, kmeans.labels_[shown.rows])


def test_new_rows_are_labelled_by_the_estimator(rows, kmeans):
    shown = display.ClusterMapDisplay.from_estimator(kmeans, rows[:40] + 0.01)
    np.testing.assert_array_equal(shown.labels, kmeans.predict(rows[:40] + 0.01))


def test_silhouettes_are_those_of_the_metric(rows, hdbscan):
    shown = display.SilhouetteDisplay.from_estimator(hdbscan, rows)
    np.testing.assert_array_equal(shown.values, silhouette_samples(rows, hdbscan.labels_))
    assert shown.score == pytest.approx(silhouette_score(rows, hdbscan.labels_))
    assert len(shown.ax_.collections) == hdbscan.labels_.max() + 1
    assert shown.ax_.lines[0].get_xdata()[0] == shown.score
    # The widths of a band are the values of its group, highest first.
    band = shown.ax_.collections[0].get_paths()[0].vertices[:, 0]
    assert set(np.round(shown.values[shown.labels == 0], 9)) <= set(np.round(band, 9))


def test_a_dendrogram_has_the_heights_of_the_last_merges(rows):
    model = AgglomerativeClustering(3).fit(rows)
    shown = display.DendrogramDisplay.from_estimator(model)
    heights = [merge["height"] for merge in shown.merges]
    np.testing.assert_allclose(heights, model.linkage_matrix_[-len(heights) :, 2], rtol=1e-3)
    assert len(shown.ax_.lines) == len(heights) + 1  # and the cut
    assert sum(leaf["rows"] for leaf in shown.leaves) == len(rows)
    groups = {text.get_text() for text in shown.ax_.get_legend().get_texts()}
    assert {"group 0", "group 1", "group 2"} <= groups


def test_a_tree_of_divisions_is_a_dendrogram_too(rows):
    shown = display.DendrogramDisplay.from_estimator(BisectingKMeans(4, random_state=0).fit(rows))
    assert (len(shown.leaves), len(shown.merges)) == (4, 3)


def test_a_reachability_plot_is_the_walk(rows):
    model = OPTICS(min_samples=5, min_cluster_size=10).fit(rows)
    shown = display.ReachabilityDisplay.from_estimator(model, rows)
    np.testing.assert_array_equal(shown.reachability, model.reachability_[model.ordering_])
    np.testing.assert_array_equal(shown.labels, model.labels_[model.ordering_])
    assert len(shown.ax_.collections) == len(np.unique(model.labels_))
    top = max(path.vertices[:, 1].max() for one in shown.ax_.collections for path in one.get_paths())
    finite = model.reachability_[np.isfinite(model.reachability_)]
    assert top == pytest.approx(1.05 * finite.max())


def test_a_condensed_tree_has_every_group_with_its_rows(rows, hdbscan):
    shown = display.CondensedTreeDisplay.from_estimator(hdbscan)
    drawn = {one["group"] for one in shown.clusters if one["group"] is not None}
    assert drawn == set(range(hdbscan.labels_.max() + 1))
    assert shown.clusters[0]["rows"] == len(rows)
    assert len(shown.ax_.collections) == len(shown.clusters)
    for one, band in zip(shown.clusters, shown.ax_.collections, strict=True):
        x = band.get_paths()[0].vertices[:, 0]
        assert np.ptp(x) == pytest.approx(one["rows"])  # as wide as it has rows


def test_a_profile_tells_means_in_the_units_of_the_rows(rows, kmeans):
    shown = display.ProfileDisplay.from_estimator(kmeans, rows, feature_names=["a", "b", "c"])
    expected = np.array([rows[kmeans.labels_ == group].mean(axis=0) for group in range(3)])
    np.testing.assert_allclose(shown.means, expected)
    np.testing.assert_allclose(shown.effects, (expected - rows.mean(axis=0)) / rows.std(axis=0))
    assert [text.get_text() for text in shown.ax_.texts] == [f"{mean:.3g}" for mean in expected.ravel()]


def test_a_profile_of_many_columns_keeps_those_that_differ_most(rows, kmeans):
    wide = np.column_stack([np.zeros(len(rows)), rows[:, 0], np.random.default_rng(1).normal(size=len(rows))])
    shown = display.ProfileDisplay.from_estimator(kmeans, wide, feature_names=["zero", "x", "noise"], max_features=1)
    assert shown.feature_names == ["x"]


def test_stability_is_that_of_the_refits_and_repeats(rows, kmeans):
    shown, again = (display.StabilityDisplay.from_estimator(kmeans, rows, n_resamples=4) for _ in range(2))
    np.testing.assert_array_equal(shown.similarity, again.similarity)
    assert shown.similarity.shape == (3, 4)
    bars = [patch.get_width() for patch in shown.ax_.patches]
    np.testing.assert_allclose(bars, shown.similarity.mean(axis=1))
    given = display.StabilityDisplay.from_predictions(
        [0, 0, 0, 1, 1], [(np.array([0, 1, 3]), np.array([7, 7, 8])), (np.array([0, 1]), np.array([1, 2]))]
    )
    np.testing.assert_array_equal(given.similarity, [[1, 0.5], [1, np.nan]])


def test_colour_is_never_the_only_cue():
    from coterie.display._base import look

    for i in range(9):
        assert len({look(i).hatch, *(look(j).hatch for j in range(9) if j != i)}) == 9
    assert len({look(group).marker for group in range(15)}) == 15


def test_nothing_global_remembers_the_figure_and_a_given_axes_is_used(rows, kmeans):
    from matplotlib._pylab_helpers import Gcf

    axes = figure.Figure().subplots(1, 2)
    shown = display.SilhouetteDisplay.from_estimator(kmeans, rows, ax=axes[1])
    assert shown.ax_ is axes[1]
    assert shown.figure_ is axes[1].get_figure()
    assert not axes[0].has_data()
    assert Gcf.get_all_fig_managers() == []


def test_a_display_is_drawn_again_elsewhere_and_shown_in_notebooks(rows, kmeans):
    shown = display.ProfileDisplay.from_estimator(kmeans, rows)
    first = shown.ax_
    assert shown.plot() is shown
    assert shown.ax_ is not first
    assert shown._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_brings_its_names(library, rows, kmeans):
    frame = pytest.importorskip(library).DataFrame(
        {name: rows[:, i] for i, name in enumerate(["age", "spend", "size"])}
    )
    assert display.ProfileDisplay.from_predictions(frame, kmeans.labels_).feature_names == ["age", "spend", "size"]


def test_a_run_is_drawn_from_its_parts(rows):
    table = {f"c{i}": rows[:, i] for i in range(3)}
    found = coterie.run(table, method="KMeans", n_clusters=3)
    assert display.ProfileDisplay.from_predictions(table, found.labels).feature_names == list(table)
    shown = display.ClusterMapDisplay.from_predictions(
        found.prepared.X, found.labels, feature_names=found.prepared.feature_names
    )
    assert len(shown.points) == len(rows)


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda X, k: display.DendrogramDisplay.from_estimator(k), "KMeans has no tree of merges"),
        (lambda X, k: display.ReachabilityDisplay.from_estimator(k), "KMeans has no ordering_"),
        (lambda X, k: display.CondensedTreeDisplay.from_estimator(k), "KMeans has no condensed tree"),
        (lambda X, k: display.ClusterMapDisplay.from_estimator(KMeans(3), X), "KMeans is not fitted; call fit first"),
        (lambda X, k: display.ClusterMapDisplay.from_predictions(X, k.labels_[:5]), "a row for each label"),
        (lambda X, k: display.ProfileDisplay.from_predictions(X, k.labels_ * 1.0), "labels be whole numbers"),
        (lambda X, k: display.ProfileDisplay.from_predictions(X, k.labels_, feature_names=["a"]), "must name the 3 columns"),
        (lambda X, k: display.ProfileDisplay.from_predictions(X, k.labels_ * 0 - 1), "every label is -1"),
        (lambda X, k: display.ProfileDisplay.from_predictions(X * np.nan, k.labels_), "NaN or infinity"),
        (lambda X, k: display.ProfileDisplay.from_predictions([["a"]], [0]), "must hold numbers to be drawn"),
        (lambda X, k: display.StabilityDisplay.from_estimator(k, X, n_resamples=0), "n_resamples of at least 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_said_in_a_sentence(draw, said, rows, kmeans):
    with pytest.raises(InputError, match=said):
        draw(rows, kmeans)


def test_without_matplotlib_the_install_line_is_given(monkeypatch, rows, kmeans):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r'drawing needs Matplotlib; pip install "coterie\[plot\]"'):
        display.ProfileDisplay.from_estimator(kmeans, rows)


def test_importing_the_room_imports_no_matplotlib():
    import subprocess

    code = "import sys, coterie; [getattr(coterie.display, name) for name in coterie.display.__all__]; assert 'matplotlib' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
