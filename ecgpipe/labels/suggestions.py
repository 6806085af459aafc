"""Which entry of a vocabulary a label that nobody understands may mean."""

import difflib
import functools
import unicodedata
from collections.abc import Iterable, Sequence

# A typo leaves texts this alike (`difflib`: twice the letters in common, by all letters), which
# keeps abbreviations apart (LBBB, RBBB),
_ALIKE = 0.9
# and each word this alike: anterior and inferior are 0.75.
_WORDS_ALIKE = 0.8
_MOST_LETTERS = 2  # that differ in all
_SHORTEST_WORD = 4  # letters of a word that may hold a typo: II is not III


def suggestion(label: str, entries: Iterable[str]) -> str:
    """The entry that differs from a label in capitals, blanks and forms of letters alone, else the
    one that differs by a typo; or ''.

    A typo is one letter or two, in words without digits that are no abbreviations (in capitals),
    and in none's first letter: `incomplete`, `abnormal` and `atypical` are no typos of what they
    deny.

    >>> suggestion("Sinus  rhythm", ["sinus rhythm"]), suggestion("sinus rythm", ["sinus rhythm"])
    ('sinus rhythm', 'sinus rhythm')
    """
    entries = tuple(entries)
    folded = "".join(_words(label))
    same = (entry for entry in entries if "".join(_words(entry)) == folded != "")
    return next(same, "") or _of_typo(label, entries)


@functools.lru_cache(maxsize=4096)
def _of_typo(label: str, entries: tuple[str, ...]) -> str:
    """The entry that differs from a label by a typo, or ''."""
    if _has_digit(label):
        return ""
    written = {" ".join(_words(entry)): entry for entry in entries if not _has_digit(entry)}
    words = _words(label)
    for text in difflib.get_close_matches(" ".join(words), written, cutoff=_ALIKE):
        if _is_typo(words, text.split(), written[text].split()):
            return written[text]
    return ""


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _is_typo(words: Sequence[str], others: Sequence[str], written: Sequence[str]) -> bool:
    """Whether words are those of an entry, `written` in its capitals, but for letters that someone
    mistyped."""
    if len(words) != len(others):
        return False
    letters = 0
    for word, other, in_capitals in zip(words, others, map(str.isupper, written), strict=True):
        if word == other:
            continue
        matcher = difflib.SequenceMatcher(None, word, other)
        is_long = max(len(word), len(other)) >= _SHORTEST_WORD
        if not is_long or in_capitals or word[0] != other[0]:
            return False
        if matcher.ratio() < _WORDS_ALIKE:
            return False
        for kind, start, end, other_start, other_end in matcher.get_opcodes():
            if kind != "equal":
                letters += max(end - start, other_end - other_start)
    return letters <= _MOST_LETTERS


def _words(text: str) -> list[str]:
    return unicodedata.normalize("NFKC", text).casefold().split()
