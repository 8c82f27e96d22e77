"""The forecast of K-means on blocks: its passes are those of a fit, and it grows with the rows."""

import numpy as np
import pytest

from coterie import KMeans

pytest.importorskip("distributed", reason="rows in blocks need the extra distributed")
import dask.array as da

from coterie.primitives.rates import kmeans_rates
from coterie.study.scale import forecast_kmeans


@pytest.fixture(scope="module")
def rows():
    return da.from_array(np.random.default_rng(0).normal(size=(40_000, 4)).astype(np.float32), chunks=(10_000, 4))


@pytest.fixture(scope="module")
def rates(rows):
    return kmeans_rates(rows, 6)


def test_the_forecast_counts_the_passes_that_a_fit_makes(rows, rates, monkeypatch):
    from coterie.primitives._dask import passes

    made = []
    work = passes._work
    monkeypatch.setattr(passes, "_work", lambda *arguments: (made.append(1), work(*arguments))[1])
    for tol, init in ((0.0, "k-means++"), (1e-4, "k-means++"), (1e-4, np.asarray(rows[:6]))):
        made.clear()
        model = KMeans(6, random_state=0, tol=tol, init=init, max_iter=7).fit(rows)
        plan = forecast_kmeans(
            rows, 6, 40_000, n_iter=model.n_iter_, tol=tol > 0, init=isinstance(init, str), rates=rates
        )
        assert sum(one.times for one in plan.passes) == len(made)


def test_the_forecast_is_linear_in_the_rows_and_falls_with_threads(rows, rates):
    small, large = (forecast_kmeans(rows, 6, n, rates=rates, memory=1.0) for n in (10**9, 2 * 10**9))
    assert large.seconds == pytest.approx(2 * small.seconds, rel=0.01)
    assert large.bytes_read == 2 * small.bytes_read
    assert forecast_kmeans(rows, 6, 10**9, rates=rates, memory=1.0, n_threads=64).seconds < small.seconds / 20


def test_rows_that_workers_keep_are_read_once(rows, rates):
    kept, anew = (forecast_kmeans(rows, 6, 10**8, rates=rates, memory=memory) for memory in (1e12, 1e9))
    assert kept.kept
    assert not anew.kept
    assert kept.bytes_read == 1.6e9
    assert anew.bytes_read > 20 * kept.bytes_read
    assert kept.seconds < anew.seconds


def test_what_is_printed_names_each_pass_and_the_sum(rows, rates):
    plan = forecast_kmeans(rows, 6, 10**8, rates=rates)
    *passes, total = str(plan).splitlines()
    assert len(passes) == len(plan.passes)
    assert any("draw far rows, round 5" in line for line in passes)
    assert total.startswith(f"{plan.seconds:,.1f} s; reads 1.6e+09 bytes")
