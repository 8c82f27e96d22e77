"""What the tests of the report share: one real analysis a session."""

import numpy as np
import pytest

from coterie import report
from report.visits import Visit


@pytest.fixture(scope="session")
def analysis():
    """Return the analysis of 90 rows in three clear groups, with an id column and one strange row."""
    rng = np.random.default_rng(0)
    centers = np.repeat([[20, 5.0], [40, 9.0], [60, 1.0]], 30, axis=0)
    points = centers + rng.normal(0, [1.5, 0.4], (90, 2))
    points[0] = 90, 20
    data = {
        "customer_id": np.array([f"=C{i:03d}" for i in range(90)], dtype=object),
        "age": points[:, 0].round(1),
        "spend": points[:, 1].round(2),
        "city": np.array(["Bonn", "Kiel"] * 45, dtype=object),
    }
    return report.run(data, method="KMeans", n_clusters=3, roles={"city": "ignored"})


@pytest.fixture
def visit(browser, tmp_path):
    """Return a function that opens the page of a record; at the end every page must have kept quiet."""
    opened = []

    def open_page(record, **options):
        path = tmp_path / f"report {len(opened)}.html"
        path.write_text(report.html(record), encoding="utf-8")
        found = Visit(browser, path, **options)
        opened.append(found)
        return found

    yield open_page
    for found in opened:
        found.close()
