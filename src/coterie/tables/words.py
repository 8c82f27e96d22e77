"""The words of a text in any script.

Letters, marks and digits make words, whatever the case and the way in which accents are written. Scripts that put no blanks between
words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) give pairs of neighbouring characters, each emoji is a word of its own, and what
only steers the display (joiners, marks of direction) is left out.
"""

import re
import unicodedata

__all__ = ["LONGEST_TEXT", "UNSPACED", "count_words", "words_of"]

LONGEST_TEXT = 10_000  # characters of a text that are looked at
_ZERO_WIDTH_SPACE = 0x200B
UNSPACED = (  # characters of scripts without blanks, for a class of a regular expression
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_RUNS = re.compile(f"[{UNSPACED}]+|[^{UNSPACED}]+")
_UNSPACED_RUN = re.compile(f"[{UNSPACED}]")


class _Kept(dict):
    """What each character becomes, found when it is first met: itself, a blank, or nothing."""

    def __missing__(self, code: int) -> str:
        kind = unicodedata.category(chr(code))
        if kind[0] in "LMN":
            kept = chr(code)
        elif kind == "So":
            kept = f" {chr(code)} "
        else:
            kept = "" if kind == "Cf" and code != _ZERO_WIDTH_SPACE else " "
        # U+FE0E and U+FE0F choose how an emoji looks, skin tones are modifiers of it.
        self[code] = "" if 0xFE00 <= code <= 0xFE0F or 0x1F3FB <= code <= 0x1F3FF else kept
        return self[code]


_KEPT = _Kept()


def words_of(text: str) -> list[str]:
    """Return the words of a text in their order, folded to one case; words of one letter are left out.

    Examples
    --------
    >>> words_of("The REFUND came—after 12 days! 👍🏽")
    ['the', 'refund', 'came', 'after', '12', 'days', '👍']
    >>> words_of("東京タワー")
    ['東京', '京タ', 'タワ', 'ワー']
    """
    plain = unicodedata.normalize("NFKC", text[:LONGEST_TEXT]).casefold().translate(_KEPT)
    found = []
    for piece in plain.split():
        if piece.isascii():
            if len(piece) > 1 or piece.isdigit():
                found.append(piece)
            continue
        for run in _RUNS.findall(piece):
            if _UNSPACED_RUN.match(run):
                found += [run[i : i + 2] for i in range(max(len(run) - 1, 1))]
            elif len(run) > 1 or not run.isalpha():
                found.append(run)
    return found


def count_words(text: str) -> float:
    """Return about how many words a text has; without blanks, two characters are one."""
    text = text[:LONGEST_TEXT]
    unspaced = 0 if text.isascii() else len(_UNSPACED_RUN.findall(text))
    return max(len(text.split()), unspaced / 2)
