"""Free text becomes a few numbers that keep its themes, and nothing where there are none."""

import numpy as np
import pytest

from coterie import KMeans
from coterie.errors import InputError
from coterie.metrics import adjusted_rand_score
from coterie.tables import Prepared, find_roles, prepare, read, word_counts
from coterie.tables.bags import bag_of
from coterie.tables.table import factorize
from coterie.tables.text_directions import MOST_DIRECTIONS
from coterie.tables.texts import code_texts, fit_texts, says
from coterie.tables.word_counts import MOST_TERMS, MOST_WORDS
from tables.texts_made import THEMES, made_texts

END = ("endmark0", "endmark1", "endmark2")


@pytest.fixture(scope="module")
def made():
    return made_texts(400)


@pytest.fixture(scope="module")
def prepared(made):
    return prepare(read({"review": made[0]}))


def test_free_text_is_used_and_keeps_its_themes(made, prepared):
    assert [(coding.role, coding.coding) for coding in prepared.codings] == [("text", "tf-idf")]
    labels = KMeans(n_clusters=3, random_state=0).fit_predict(prepared.X)
    assert adjusted_rand_score(made[1], labels) > 0.95


def test_three_themes_are_two_directions_named_by_their_words(prepared):
    assert prepared.X.shape[1] == 2
    told = set(prepared.codings[0].text.terms[:12])
    assert told <= {word for theme in THEMES for word in theme}
    assert all(name.startswith("review ") and " against " in name for name in prepared.feature_names)


def test_a_column_of_texts_weighs_as_one_column(prepared):
    assert prepared.X.var(axis=0).sum() == pytest.approx(1, rel=1e-6)
    np.testing.assert_allclose(prepared.X.mean(axis=0), 0, atol=1e-9)


def test_directions_are_those_of_the_centered_matrix(made):
    from sklearn.feature_extraction.text import TfidfVectorizer

    coding, variance = fit_texts(factorize(made[0]))
    oracle = TfidfVectorizer(
        vocabulary=coding.terms, sublinear_tf=True, token_pattern=r"\b\w\w+\b", norm=None, use_idf=False
    )
    rows = oracle.fit_transform(made[0]).toarray() * coding.weights
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    values = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2 / len(rows)
    assert variance == pytest.approx(values[:2].sum())
    assert coding.share == pytest.approx(values[:2].sum() / values.sum())
    expected = (rows - rows.mean(axis=0)) @ coding.directions
    np.testing.assert_allclose(code_texts(coding, factorize(made[0])), expected, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_texts_without_themes_are_left_out_and_that_is_said(seed):
    texts = made_texts(150, strength=0.0, seed=seed)[0]
    prepared = prepare(read({"review": texts, "x": np.arange(150.0) ** 2}))
    assert [coding.used for coding in prepared.codings] == [False, True]
    assert "no words go together" in prepared.notes[0]


def test_texts_asked_for_are_used_all_the_same():
    texts = made_texts(150, strength=0.0)[0]
    assert prepare(read({"review": texts}), roles={"review": "text"}).X.shape[1] == 2


def test_a_text_that_says_none_of_the_words_is_like_all_others(prepared):
    new = prepared.transform(read({"review": [None, "zzz qqq", "", "refund money"]}))
    np.testing.assert_array_equal(new[:3], 0)
    assert np.abs(new[3]).max() > 0.5


def test_training_rows_come_back_bit_for_bit_from_a_saved_state(made, prepared):
    again = Prepared.from_state(*prepared.state())
    np.testing.assert_array_equal(again.transform(read({"review": made[0]})), prepared.X)


def test_a_damaged_state_is_refused(prepared):
    json, arrays = prepared.state()
    json["codings"][0]["text"]["center"] = np.zeros(7)
    with pytest.raises(InputError, match="damaged"):
        Prepared.from_state(json, arrays)


def test_case_accents_and_order_of_rows_change_nothing(made):
    texts = made[0]
    shouted = [text.upper() for text in texts]
    np.testing.assert_array_equal(prepare(read({"t": shouted})).X, prepare(read({"t": texts})).X)
    turned = prepare(read({"t": texts[::-1]})).X[::-1]
    np.testing.assert_allclose(np.abs(turned), np.abs(prepare(read({"t": texts})).X), atol=1e-9)


def test_repeated_texts_count_as_often_as_rows_have_them(made):
    texts = made[0]
    twice = prepare(read({"t": texts + texts})).X
    np.testing.assert_allclose(twice[: len(texts)], prepare(read({"t": texts})).X, atol=1e-9)


def test_words_and_directions_are_bounded():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 40, 3000)
    texts = [" ".join(f"g{g}w{i}" for i in rng.integers(0, 120, 9)) for g in groups]
    coding, _ = fit_texts(factorize(texts))
    assert len(coding.terms) == MOST_TERMS
    assert coding.directions.shape[1] == MOST_DIRECTIONS


def test_scripts_without_blanks_have_themes_too():
    rng = np.random.default_rng(0)
    themes = (
        "注文した商品が届くのが遅い配送業者",
        "画面が割れて電池もすぐ切れる携帯電話",
        "返金してほしい請求書の金額が違う銀行",
    )
    which = rng.integers(0, 3, 240)
    texts = ["".join(themes[t][i : i + 3] for i in rng.integers(0, 14, 6)) for t in which]
    table = read({"感想": texts})
    assert find_roles(table)[0].role == "text"
    labels = KMeans(n_clusters=3, random_state=0).fit_predict(prepare(table).X)
    assert adjusted_rand_score(which, labels) > 0.8


def test_says_names_the_words_of_each_row():
    levels = factorize(["Refund, please!", None, "late again", "refunds"])
    np.testing.assert_array_equal(
        says(("refund", "late"), levels), [[True, False], [False, False], [False, True], [False, False]]
    )


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_with_missing_texts(library, made):
    frames = pytest.importorskip(library)
    texts = [None if i % 9 == 0 else text for i, text in enumerate(made[0])]
    prepared = prepare(read(frames.DataFrame({"review": texts})))
    assert prepared.codings[0].missing == sum(text is None for text in texts)
    np.testing.assert_array_equal(prepared.X[::9], 0)
    assert any("count as a text that is like all others" in note for note in prepared.notes)


def test_texts_that_share_no_words_are_left_out_even_when_asked_for_and_the_reason_is_told():
    table = read({"note": [f"a{i}" for i in range(60)], "x": np.arange(60.0) ** 2})
    coding = prepare(table, roles={"note": "text"}).codings[0]
    assert (coding.used, coding.why) == (False, "as you asked; left out, since they share too few words")
    with pytest.raises(InputError, match=r"1 free text without common themes \(note\)"):
        prepare(table.select(["note"]), roles={"note": "text"})


def test_words_are_counted_within_bounds_and_the_frequent_ones_kept(made, monkeypatch):
    coding, _ = fit_texts(factorize(made[0]))
    rare = [f"{text} " + " ".join(f"r{i}n{j}" for j in range(40)) for i, text in enumerate(made[0])]
    most = []
    forget = word_counts.without_rarest

    def watched(texts_with):
        most.append(len(texts_with))
        left = forget(texts_with)
        assert len(left) <= 1_000
        return left

    monkeypatch.setattr(word_counts, "MOST_COUNTED", 2_000)
    monkeypatch.setattr(word_counts, "without_rarest", watched)
    again, _ = fit_texts(factorize(rare))
    assert len(most) > 5
    assert max(most) < 2_100
    frequent = dict(zip(coding.terms, coding.weights, strict=True))
    told = dict(zip(again.terms[:24], again.weights[:24], strict=True))
    assert set(told) <= {word for theme in THEMES for word in theme}
    assert told == {word: frequent[word] for word in told}


def test_of_a_long_text_the_beginning_is_looked_at(made):
    longer = [text + " the" * MOST_WORDS + f" {END[theme]}" for text, theme in zip(*made, strict=True)]
    coding, _ = fit_texts(factorize(longer))
    assert not set(END) & set(coding.terms)
    far = code_texts(coding, factorize(longer)) - code_texts(coding, factorize([text[:-9] for text in longer]))
    assert np.abs(far).max() == 0


def test_bags_are_counted_within_the_same_bounds():
    texts = [" ".join(f"u{i}x{j}" for j in range(200)) + " common word" for i in range(1_500)]
    found = bag_of(read({"about": texts}).column("about"))
    assert found.terms == ("common", "word")
    assert found.counts.sum() == 3_000
