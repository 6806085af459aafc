"""Every page that people read is a jinja2 template beside the module that fills it, and all of them
write numbers the same way.

`render` escapes whatever a template prints, as the template's name says: `.html.j2` as HTML,
`.md.j2` as Markdown (CommonMark with GitHub's tables, https://github.github.com/gfm/). A name that
came from a file is text then: it is no markup, ends no line and no cell of a table, makes no link
of what looks like an address, and signs that are not seen are spelled out (`printable.shown`). In
Markdown a span of code inside a value stays one, since nothing in it has a meaning of its own; in
HTML the filter `prose` makes spans of code of them.

Filters: `number`, `signed`, `interval`, `count`, `percent`, `several`, `code` (Markdown) and
`prose` (HTML).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup, escape

from ecgpipe.project import printable

UNDEFINED = "undefined"
_MINUS = "\N{MINUS SIGN}"
_CODE = re.compile(r"(?<!`)(`+)(?!`)([^|]+?)(?<!`)\1(?!`)")
# What may begin markup; an underscore within a word does not, nor does a lone ampersand.
_MARKUP = re.compile(
    r"[\\`*~\[\]<|]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)"
    # GitHub makes links of these: https://a, www.a, a@b.
    r"|(?<=:)/(?=/)|(?<=www)\.|@(?=\w)",
    re.IGNORECASE,
)
# What begins a quotation, a heading, a list or a rule where a line begins with it.
_BLOCK = re.compile(r"^(?:>|(?:#{1,6}|[-+=]|\d{1,9}[.)])(?=[\s=-]|$))")
_ENTITIES = {"<": "&lt;", "&": "&amp;"}


def render(template: Path, **values: Any) -> str:
    """The text of a template file (NAME.html.j2 or NAME.md.j2) with these values."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        autoescape=True,
        finalize=_as_markdown if template.name.endswith(".md.j2") else _as_html,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters = (number, signed, interval, count, percent, several, code, prose)
    environment.filters |= {function.__name__: function for function in filters}
    return environment.get_template(template.name).render(**values)


def number(value: float | None) -> str:
    """Three digits after the point, or that it is undefined. What rounds to zero has no sign.

    >>> number(0.93785), number(-0.0001), number(float("nan")), number(None)
    ('0.938', '0.000', 'undefined', 'undefined')
    """
    if value is None or not np.isfinite(value):
        return UNDEFINED
    return f"{value:z.3f}".replace("-", _MINUS)  # z: no minus before a rounded zero (PEP 682)


def signed(value: float | None) -> str:
    """A difference: a number with its sign.

    >>> signed(0.0123), signed(float("nan"))
    ('+0.012', 'undefined')
    """
    text = number(value)
    return text if text == UNDEFINED or text.startswith(_MINUS) else f"+{text}"


def interval(ends: Mapping[str, float], of_difference: bool = False) -> str:
    """From `low` to `high`; empty where there are none.

    >>> interval({"low": 0.929, "high": 0.946}), interval({"low": 0, "high": 1}, True)
    ('0.929 to 0.946', '+0.000 to +1.000')
    """
    form = signed if of_difference else number
    low, high = form(ends.get("low")), form(ends.get("high"))
    return "" if UNDEFINED in (low, high) else f"{low} to {high}"


def count(value: float | None, digits: int = 0) -> str:
    """How many, thousands parted; empty where nobody knows.

    >>> count(88253), count(410.26, 1), count(float("nan"))
    ('88,253', '410.3', '')
    """
    return "" if value is None or np.isnan(value) else f"{value:,.{digits}f}"


def percent(share: float) -> str:
    """A share in percent, of three digits.

    >>> percent(0.12345), percent(1)
    ('12.3 %', '100 %')
    """
    return f"{100 * share:.3g} %"


def several(value: int, word: str) -> str:
    """A count of things.

    >>> several(1, "label"), several(1200, "label")
    ('1 label', '1,200 labels')
    """
    return f"{count(value)} {word}{'' if value == 1 else 's'}"


def code(text: Any) -> Markup:
    """A Markdown span of code, whatever the text holds (CommonMark, 6.1).

    >>> print(code("train.seed"), code("a`b"))
    `train.seed` ``a`b``
    """
    words = _in_one_line(text)
    longest = max((len(run) for run in re.findall("`+", words)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if words.startswith("`") or words.endswith("`") else ""
    return Markup(fence + pad + words + pad + fence)


def own_markdown(text: str) -> Markup:
    """Markdown of our own, in which every value is escaped already (`code`, `markdown`)."""
    return Markup(text)


def markdown(text: Any) -> str:
    """Markdown that shows this text, on one line.

    >>> print(markdown("r<1 | *2* of `a*b`"))
    r&lt;1 \\| \\*2\\* of `a*b`
    """
    words, parts, done = _in_one_line(text), [], 0
    for span in _CODE.finditer(words):
        parts += [_escaped(words[done : span.start()]), span.group()]
        done = span.end()
    line = "".join([*parts, _escaped(words[done:])])
    return _BLOCK.sub(lambda found: found[0][:-1] + "\\" + found[0][-1], line)


def prose(text: Any) -> Markup:
    """HTML of a sentence of ours: what stands between backticks is a span of code.

    >>> print(prose("a<b, as `predict` says"))
    a&lt;b, as <code>predict</code> says
    """
    words, parts, done = _in_one_line(text), [], 0
    for span in _CODE.finditer(words):
        parts += [escape(words[done : span.start()]), Markup("<code>{}</code>").format(span[2])]
        done = span.end()
    return Markup("").join([*parts, escape(words[done:])])


def _in_one_line(text: Any) -> str:
    return printable.shown(" ".join(str(text).split()))


def _escaped(text: str) -> str:
    return _MARKUP.sub(lambda found: _ENTITIES.get(found.group(), "\\" + found.group()), text)


def _as_html(value: Any) -> Any:
    """What jinja2 prints and then escapes: markup of our own as it is."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return printable.shown_lines(value) if is_text else value


def _as_markdown(value: Any) -> Markup:
    """What jinja2 prints: markup of our own as it is, all else escaped."""
    return value if isinstance(value, Markup) else Markup(markdown(value))
