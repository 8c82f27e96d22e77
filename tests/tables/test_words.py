"""Words are found in every script, and the same word is the same however it is written."""

import pytest

from coterie.tables.words import LONGEST_TEXT, count_words, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The REFUND came—after 12 days!", ["the", "refund", "came", "after", "12", "days"]),
        ("a b cd 7", ["cd", "7"]),
        ("Cafe\u0301 and café", ["café", "and", "café"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("ﬁne Ｗｉｄｅ", ["fine", "wide"]),
        ("हिन्दी में लिखा", ["हिन्दी", "में", "लिखा"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
        ("ελληνικά ΕΛΛΗΝΙΚΆ", ["ελληνικά", "ελληνικά"]),
        ("東京タワー", ["東京", "京タ", "タワ", "ワー"]),
        ("Tower東京Bay", ["tower", "東京", "bay"]),
        ("日", ["日"]),
        ("ไทย", ["ไท", "ทย"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("good 👍🏽👍 ❤️", ["good", "👍", "👍", "❤"]),
        ("in\u200bvisible soft\u00adhyphen \u202ertl\u202c", ["in", "visible", "softhyphen", "rtl"]),
        ("<script>alert('x')</script>", ["script", "alert", "script"]),
        ("\x00\x01 \ud800 \uffff", []),
        ("", []),
    ],
)
def test_words_of_a_text(text, words):
    assert words_of(text) == words


def test_a_text_without_end_is_looked_at_to_a_bound():
    assert len(words_of("word " * 500_000)) == LONGEST_TEXT // 5


@pytest.mark.parametrize(("text", "count"), [("four words in all", 4), ("東京都港区", 2.5), ("", 0)])
def test_words_are_counted_about(text, count):
    assert count_words(text) == count
