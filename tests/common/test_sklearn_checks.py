"""scikit-learn's own checks on every line of the catalog; none is expected to fail."""

import os
import subprocess
import sys

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from common.cases import NAMES, estimator_class

# Each takes a process of its own, so `make thorough` has the others.
FIRST = ("KMeans", "DBSCAN", "AgglomerativeClustering")
EXPECTED_FAILURES: dict[str, dict[str, str]] = {}


# Some checks give fewer distinct rows than the default number of clusters, and are not about the advice that this brings.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(
    [estimator_class(name)() for name in NAMES],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(type(estimator).__name__, {}),
)
def test_passes_the_check_of_scikit_learn(estimator, check):
    assert check(estimator) is None  # a check raises where it fails


def test_no_check_is_expected_to_fail():
    assert not EXPECTED_FAILURES


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name if name in FIRST else pytest.param(name, marks=pytest.mark.thorough) for name in NAMES]
)
def test_passes_the_array_api_checks_where_scipy_is_told_to_allow_them(name):
    # SciPy reads the variable at import, so the checks that are skipped above run in a process of their own.
    program = (
        "from sklearn.utils.estimator_checks import estimator_checks_generator as checks\n"
        "from common.cases import estimator_class\n"
        f"found = [c for _, c in checks(estimator_class({name!r})()) if 'array_api' in str(c)]\n"
        f"[check(estimator_class({name!r})()) for check in found]\n"
        "print(len(found), 'passed')"
    )
    environment = os.environ | {"SCIPY_ARRAY_API": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.strip() == "1 passed", done.stderr[-2000:]
