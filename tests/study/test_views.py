"""What the choice of columns says of itself."""

from types import SimpleNamespace

import numpy as np
import pytest

from coterie.study.views import view_text


@pytest.mark.parametrize(
    ("columns", "used", "numbers", "said"),
    [
        (1, 1, 1, "1 of 1 column used, 1 number a row"),
        (2, 1, 1, "1 of 2 columns used, 1 number a row"),
        (3, 3, 5, "3 of 3 columns used, 5 numbers a row"),
    ],
)
def test_counts_are_said_in_singular_and_plural(columns, used, numbers, said):
    codings = [SimpleNamespace(used=i < used) for i in range(columns)]
    assert view_text(SimpleNamespace(codings=codings, X=np.zeros((4, numbers))), []) == said
