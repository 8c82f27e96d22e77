"""``--text-model``: what is no model on this machine is refused in one sentence, before anything is written."""

from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("/no/such/folder", "which is no folder; mend the path"),
        (".", "holds no text model: it has neither config.json"),
    ],
)
def test_what_is_no_model_ends_with_3_and_leaves_no_folder(call, model, said):
    Path("reviews.csv").write_text("review,stars\nlate again and again,1\nall is well today,5\n", encoding="utf-8")
    ended = call("run", "reviews.csv", "--text-model", model)
    assert (ended.code, ended.out) == (3, "")
    assert said in ended.err
    assert ended.err.count("error:") == 1
    assert [path.name for path in Path().iterdir()] == ["reviews.csv"]


def test_a_model_without_texts_takes_none(call):
    Path("a.csv").write_text("x,y\n1,2\n3,4\n8,9\n2,2\n", encoding="utf-8")
    assert call("run", "a.csv", "--method", "kmeans", "-k", "2", "-q").code == 0
    ended = call("predict", "a.coterie", "a.csv", "--text-model", ".")
    assert (ended.code, ended.out) == (3, "")
