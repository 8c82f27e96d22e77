"""scikit-learn's own checks on every line of the catalog; none is expected to fail."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from common.cases import NAMES, estimator_class

EXPECTED_FAILURES: dict[str, dict[str, str]] = {}


@parametrize_with_checks(
    [estimator_class(name)() for name in NAMES],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(type(estimator).__name__, {}),
)
def test_passes_the_check_of_scikit_learn(estimator, check):
    assert check(estimator) is None  # a check raises where it fails


def test_no_check_is_expected_to_fail():
    assert not EXPECTED_FAILURES
