"""Texts are compared by an embedding model where one is named: a folder, a name kept on this machine, or a function."""

import json
import shutil
import sys

import numpy as np
import pytest

import coterie
from coterie import KMeans
from coterie.errors import InputError, MissingExtraError
from coterie.metrics import adjusted_rand_score
from coterie.tables import Prepared, prepare, read, text_model
from coterie.tables.embedded import _dealt

# Each text is of words of its own: only who knows what words mean sees that there are three themes.
MEANINGS = np.eye(3, 8)
STAND_IN = """
import json, pathlib
import numpy as np

class StaticModel:
    def __init__(self, vectors):
        self.vectors = vectors

    @classmethod
    def from_pretrained(cls, folder):
        return cls(json.loads((pathlib.Path(folder) / "vectors.json").read_text()))

    def encode(self, texts, use_multiprocessing):
        return np.array([np.sum([self.vectors.get(w[0], [0] * 8) for w in t.split()], axis=0) for t in texts])
"""


def meaning(texts):
    """Words of theme 0, 1, 2 begin with a, b, c; others say nothing."""
    rows = np.zeros((len(texts), 8))
    for i, text in enumerate(texts):
        for word in text.split():
            if word[0] in "abc":
                rows[i] += MEANINGS["abc".index(word[0])]
    return rows


@pytest.fixture(scope="module")
def themes():
    return np.random.default_rng(0).integers(0, 3, 240)


@pytest.fixture(scope="module")
def texts(themes):
    rng = np.random.default_rng(1)
    own = [[f"{'abc'[theme]}{rng.integers(10**6)}" for _ in range(3)] for theme in themes]
    return [" ".join([*words, *(f"x{rng.integers(9)}" for _ in range(3))]) for words in own]


@pytest.fixture(scope="module")
def prepared(texts):
    return prepare(read({"note": texts}), text_model=meaning)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A model's folder, and a stand-in for the library that reads it."""
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "model2vec.py").write_text(STAND_IN, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "library")
    monkeypatch.delitem(sys.modules, "model2vec", raising=False)
    model = tmp_path / "meanings"
    model.mkdir()
    (model / "config.json").write_text('{"model_type": "model2vec"}', encoding="utf-8")
    vectors = {letter: row.tolist() for letter, row in zip("abc", MEANINGS, strict=False)}
    (model / "vectors.json").write_text(json.dumps(vectors), encoding="utf-8")
    yield model
    sys.modules.pop("model2vec", None)


def test_texts_of_one_meaning_are_near_though_they_share_no_word(prepared, texts, themes):
    labels = KMeans(n_clusters=3, random_state=0).fit_predict(prepared.X)
    assert adjusted_rand_score(themes, labels) == 1
    by_words = prepare(read({"note": texts}), roles={"note": "text"}).X
    assert adjusted_rand_score(themes, KMeans(n_clusters=3, random_state=0).fit_predict(by_words)) < 0.2


def test_it_weighs_as_one_column_of_as_many_directions_as_stand_out(prepared):
    assert prepared.codings[0].coding == "embedding"
    assert prepared.X.shape[1] == 2
    assert prepared.X.var(axis=0).sum() == pytest.approx(1, rel=1e-6)
    np.testing.assert_allclose(prepared.X.mean(axis=0), 0, atol=1e-7)
    assert "by the model meaning" in prepared.notes[0]


def test_directions_are_those_of_the_centered_rows_of_length_1(prepared, texts):
    rows = meaning(texts)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    values = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2
    assert prepared.codings[0].text.share == pytest.approx(values[:2].sum() / values.sum(), rel=1e-6)


def test_meanings_at_random_are_left_out_and_the_reason_is_told(texts):
    rng = np.random.default_rng(3)
    mixed = [" ".join(f"{letter}{i}" for letter in rng.choice(list("abc"), 6)) for i in range(240)]
    prepared = prepare(read({"note": mixed, "x": np.arange(240.0) ** 2}), text_model=meaning)
    assert [coding.used for coding in prepared.codings] == [False, True]
    assert "the model meaning sees no more in them than in shuffled words" in prepared.notes[0]


def test_shuffled_texts_keep_their_lengths_and_all_words():
    dealt = _dealt(["a b  c", "d", "", "東京 e"], 0)
    assert [len(text.split()) for text in dealt] == [3, 1, 0, 3]
    assert sorted(" ".join(dealt).split()) == sorted(["a", "b", "c", "d", "東", "京", "e"])


def test_what_the_model_knows_nothing_of_is_placed_as_a_missing_text(texts, themes):
    prepared = prepare(read({"note": texts, "x": themes * 9.0 + np.arange(240) / 240}), text_model=meaning)
    new = prepared.transform(read({"note": ["zz yy", None, "a1 a2"], "x": [9.1, 9.1, 9.1]}))
    np.testing.assert_array_equal(new[0], new[1])
    own = prepared.X[themes == 1].mean(axis=0)
    assert np.linalg.norm(new[0] - own) < np.linalg.norm(new[2] - own)


def test_groups_are_told_by_words_and_new_rows_follow(texts, themes, tmp_path):
    found = coterie.run({"note": texts}, text_model=meaning, n_clusters=3, method="KMeans")
    assert adjusted_rand_score(themes, found.labels) == 1
    assert found.record["columns"][0]["text"]["model"] == {"name": "meaning", "library": None, "sha256": None}
    assert found.record["options"]["text_model"] == "meaning"
    np.testing.assert_array_equal(found.predict({"note": texts}), found.labels)
    found.save_model(tmp_path / "m.coterie")
    with pytest.raises(InputError, match=r"a function, meaning, which a model file cannot hold; give it again"):
        coterie.load(tmp_path / "m.coterie").predict({"note": texts})
    again = coterie.load(tmp_path / "m.coterie", text_model=meaning)
    np.testing.assert_array_equal(again.predict({"note": texts[::-1]}), found.labels[::-1])
    narrow = coterie.load(tmp_path / "m.coterie", text_model=lambda texts: meaning(texts)[:, :3])
    with pytest.raises(InputError, match="gives 3 numbers a text, and 8 when the groups were found"):
        narrow.predict({"note": texts})


def test_texts_that_share_no_word_at_all_have_groups_without_words():
    own = [f"{'abc'[i % 3]}{i} {'abc'[i % 3]}0{i}" for i in range(90)]
    found = coterie.run({"note": own}, roles={"note": "text"}, text_model=meaning, method="KMeans", n_clusters=3)
    assert adjusted_rand_score(np.arange(90) % 3, found.labels) == 1
    assert found.to_html()
    assert found.to_text()


def test_a_folder_is_known_by_its_files_and_may_be_moved(folder, texts, tmp_path):
    prepared = prepare(read({"note": texts}), text_model=folder)
    again = Prepared.from_state(*prepared.state())
    np.testing.assert_array_equal(again.transform(read({"note": texts})), prepared.X)
    moved = shutil.copytree(folder, tmp_path / "elsewhere")
    (moved / "README.md").write_text("what it is", encoding="utf-8")
    (moved / ".cache").write_text("", encoding="utf-8")
    shutil.rmtree(folder)
    with pytest.raises(InputError, match="which is not there; put it back, or say where it is"):
        Prepared.from_state(*prepared.state()).transform(read({"note": texts}))
    there = again.with_text_model(moved)
    np.testing.assert_array_equal(there.transform(read({"note": texts})), prepared.X)
    (moved / "vectors.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"coded by the model meanings .SHA-256 .* and elsewhere .* is another"):
        again.with_text_model(moved)
    moved.rename(folder)
    with pytest.raises(InputError, match="is another"):
        Prepared.from_state(*prepared.state()).transform(read({"note": texts}))


def test_what_is_no_model_is_refused_in_one_sentence(folder, tmp_path):
    with pytest.raises(InputError, match=r"neither config\.json nor modules\.json; give a folder"):
        text_model(tmp_path)
    (folder / "vectors.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"^model2vec cannot read the text model in .*: JSONDecodeError: .*; give"):
        text_model(folder)(["a1"])
    with pytest.raises(InputError, match=r"got '/no/such/folder', which is no folder; mend the path"):
        text_model("/no/such/folder")
    with pytest.raises((InputError, MissingExtraError), match=r"none is fetched|pip install"):
        text_model("nobody/has-this")


def test_a_library_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("coterie.tables.text_models.find_spec", lambda name: None)
    (tmp_path / "modules.json").write_text('[{"type": "sentence_transformers.models.Transformer"}]', encoding="utf-8")
    with pytest.raises(MissingExtraError, match="needs sentence-transformers; pip install sentence-transformers"):
        text_model(tmp_path)
    (tmp_path / "modules.json").write_text('[{"type": "sentence_transformers.models.StaticEmbedding"}]', "utf-8")
    with pytest.raises(MissingExtraError, match=r'needs model2vec; pip install "coterie\[text\]"'):
        text_model(tmp_path)


@pytest.mark.parametrize(
    "rows",
    [np.zeros, lambda n: np.full((n, 2), np.nan), lambda n: np.zeros((n + 1, 2)), lambda n: ["a"] * n],
    ids=["one number", "nan", "a row too many", "no numbers"],
)
def test_a_function_that_gives_something_else_is_refused(texts, rows):
    with pytest.raises(InputError, match="must give a row of finite numbers for each of 240 texts"):
        prepare(read({"note": texts}), text_model=lambda given: rows(len(given)))


def test_a_model_without_a_text_to_read_is_refused():
    with pytest.raises(InputError, match="no column holds free text; name one with roles, or leave text_model out"):
        coterie.run({"x": [1.0, 2.0, 5.0], "y": [2.0, 1.0, 7.0]}, text_model=meaning)
    fitted = coterie.run({"x": [1.0, 2.0, 5.0, 9.0]}, method="KMeans", n_clusters=2)
    with pytest.raises(InputError, match="no column was coded by a text model; leave text_model out"):
        fitted.prepared.with_text_model(meaning)


@pytest.mark.parametrize("damage", [{"center": np.zeros(7)}, {"names": ()}, {"model": {"name": 3}}, {"model": None}])
def test_a_damaged_state_is_refused(prepared, damage):
    json, arrays = prepared.state()
    json["codings"][0]["text"] = json["codings"][0]["text"] | damage
    with pytest.raises(InputError, match="damaged"):
        Prepared.from_state(json, arrays)


@pytest.mark.parametrize("place", [r"\\host\share", "//host/share"])
def test_a_model_file_cannot_make_us_look_on_another_machine(prepared, place):
    json, arrays = prepared.state()
    json["codings"][0]["text"]["model"]["folder"] = place
    with pytest.raises(InputError, match="damaged"):
        Prepared.from_state(json, arrays)


def test_a_real_static_model_is_read_without_a_network(tmp_path, monkeypatch, texts, themes):
    model2vec = pytest.importorskip("model2vec", reason="model2vec is not installed")
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    words = sorted({word for text in texts for word in text.split()})
    made = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({"[UNK]": 0} | {word: i for i, word in enumerate(words, 1)}, unk_token="[UNK]")
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    vectors = np.vstack([np.zeros((1, 8)), meaning(words)]).astype(np.float32)
    model2vec.StaticModel(vectors, made, {}).save_pretrained(tmp_path / "real")

    def refused(*_, **__):
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", refused)
    monkeypatch.setattr("socket.getaddrinfo", refused)
    prepared = prepare(read({"note": texts}), text_model=str(tmp_path / "real"))
    assert adjusted_rand_score(themes, KMeans(n_clusters=3, random_state=0).fit_predict(prepared.X)) == 1
    np.testing.assert_array_equal(prepared.transform(read({"note": texts[:9]})), prepared.X[:9])
    with pytest.raises(InputError, match="none is fetched; give a folder, or fetch it yourself: hf download"):
        text_model("nobody/has-this")
