"""scikit-learn's own checks on every line of `coterie.catalog.GRAPHS`."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from common.graph_cases import graph_class
from coterie.catalog import GRAPHS

# What is checked is a matrix of similarities of rows, which is a complete graph: these checks ask for the clusters of the rows.
OF_ROWS = {
    "check_clustering": "asks for the clusters of the rows behind a complete graph of their similarities",
}
EXPECTED_FAILURES: dict[str, dict[str, str]] = {line.name: OF_ROWS for line in GRAPHS}
EXPECTED_FAILURES["AttributedGraphClustering"] = OF_ROWS | {
    "check_fit_score_takes_y": "fit takes the attributes second, and y after them",
}


# Some checks give matrices that are not symmetric.
@pytest.mark.filterwarnings("ignore:the graph is directed:UserWarning")
@parametrize_with_checks(
    [graph_class(line.name)() for line in GRAPHS],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(type(estimator).__name__, {}),
)
def test_passes_the_check_of_scikit_learn(estimator, check):
    assert check(estimator) is None  # a check raises where it fails
