"""DEC and IDEC on small images: better than their start, the same twice, and what they say of themselves."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import normalized_mutual_info_score

from coterie.deep import DEC, IDEC

IMAGES, DIGITS = (part[:600] for part in (load_digits().images / 16, load_digits().target))


@pytest.fixture(scope="module", params=[DEC, IDEC])
def fitted(request):
    return request.param(10, pretrain_epochs=40, epochs=15, random_state=0).fit(IMAGES)


def test_the_clusters_are_better_than_those_it_began_with(fitted):
    assert normalized_mutual_info_score(DIGITS, fitted.labels_) > normalized_mutual_info_score(
        DIGITS, fitted.start_labels_
    )
    assert fitted.score_ > fitted.start_score_


def test_the_history_says_how_many_rows_changed_and_ends_where_few_do(fitted):
    hardening = [record for record in fitted.history_ if record["phase"] == "harden"]
    assert hardening[0]["changed"] == 0  # the centers are those of the start
    assert all(record["smallest"] > 0 for record in hardening)
    assert len(hardening) <= 15
    assert fitted.n_iter_ == len(fitted.history_)


def test_the_assignment_has_become_surer(fitted):
    start = type(fitted)(10, pretrain_epochs=40, epochs=0, random_state=0).fit(IMAGES)
    assert fitted.soft_labels_.max(1).mean() > 1.1 * start.soft_labels_.max(1).mean()


def test_only_idec_keeps_the_loss_of_the_encoder(fitted):
    assert ("encoder" in fitted.history_[-1]) == isinstance(fitted, IDEC)


def test_a_training_ends_by_itself_when_no_row_changes():
    model = DEC(10, pretrain_epochs=20, epochs=50, tol=1.0, random_state=0).fit(IMAGES)
    assert (model.stop_reason_, model.converged_) == ("converged", True)
    assert len([record for record in model.history_ if record["phase"] == "harden"]) == 2


def test_without_epochs_the_start_is_the_result():
    model = DEC(10, pretrain_epochs=5, epochs=0, random_state=0).fit(IMAGES)
    assert np.bincount(model.labels_, minlength=10).min() > 0
