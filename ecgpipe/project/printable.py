"""What strangers wrote (names of files, units, labels) as text that a terminal, a page or a
spreadsheet shows and does not obey."""

import unicodedata
from pathlib import Path

# Controls (terminals obey them), formats (they turn the direction of text, or are not seen at all),
# halves of characters, and separators of lines.
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_JOINERS = "\u200c\u200d"  # Persian, Hindi and emoji are spelled with them
# What a spreadsheet takes for a formula begins so, in some languages in full width too.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def shown(text: Path | str) -> str:
    r"""A text in one line whose characters are all seen: others are spelled out, such as line
    breaks, escapes of a terminal, and signs that turn the direction of writing.

    >>> shown("a\n\x1b[31m.hea"), shown("hea.\u202egpj")
    ('a\\n\\x1b[31m.hea', 'hea.\\u202egpj')
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(ascii(sign)[1:-1] if _is_unseen(sign) else sign for sign in text)


def shown_lines(text: str) -> str:
    """A text of several lines, each as `shown`."""
    return "\n".join(map(shown, text.split("\n")))


def _is_unseen(sign: str) -> bool:
    return unicodedata.category(sign) in _UNSEEN and sign not in _JOINERS


def path_cell(path: Path | str) -> str:
    """A path as a cell of a table that people open in a spreadsheet: where it would be taken for a
    formula, `./` stands before it, which names the same file.

    >>> path_cell("=1+1.hea"), path_cell("a/b.hea")
    ('./=1+1.hea', 'a/b.hea')
    """
    text = shown(path)
    return f"./{text}" if text.startswith(_FORMULA) else text


def text_cell(text: str) -> str:
    """A text, as `shown`, as a cell of a table that people open in a spreadsheet: an apostrophe
    stands before what would be taken for a formula (and before an apostrophe, so that a program
    that takes one off has the text). Numbers are left as they are.

    >>> text_cell("=1+1"), text_cell("-0.5"), text_cell("AF")
    ("'=1+1", '-0.5', 'AF')
    """
    text = shown(text)
    is_formula = text.startswith((*_FORMULA, "'")) and not _is_number(text)
    return f"'{text}" if is_formula else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
