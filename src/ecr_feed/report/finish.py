"""What pytest-html's hooks cannot do, done to the page it wrote.

The page is taken apart at places that occur exactly once in what the supported versions write. A
place that is missing or there twice is an error: a page that was half understood is not published.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Final

from markupsafe import Markup, escape

BEGIN: Final = "<!-- ecr-feed: begin -->"
END: Final = "<!-- ecr-feed: end -->"
LANGUAGE: Final = "en"
_FILTERS: Final = re.compile(
    r'<input checked="true" class="filter" name="filter_checkbox" type="checkbox"'
    r' data-test-result="(\w+)"'
)
_TITLE: Final = re.compile(r'<title id="head-title">[^<]*</title>')
_HEADING: Final = re.compile(
    r'<h1 id="title">[^<]*</h1>\s*<p>Report generated on .*?</p>', re.DOTALL
)
_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_STYLE: Final = re.compile(r'<style type="text/css">(.*?)</style>', re.DOTALL)
_ONCLICK: Final = ' onclick="location.reload()"'
_NOTE: Final = (
    "<p>The same findings of the same run, in pytest-html's own table.</p>"
    "<noscript><p>This last table needs a script; everything above does not.</p></noscript>"
)


class UnknownPage(Exception):  # noqa: N818 - it says what it is
    """pytest-html wrote a page that this version does not know; the text names the place."""


def rebuild(page: str, *, title: str, styles: str, note: str = "") -> str:
    """pytest-html's page with our fragment first, and fit to be read, filed and embedded.

    `note` stands above pytest-html's own table, for instance that it was cut. Raises `UnknownPage`.
    """
    page, fragment = _lift(page)
    page = _once(page, "<html>", f'<html lang="{LANGUAGE}">')
    page = _once_matched(page, _TITLE, f'<title id="head-title">{escape(title)}</title>')
    page = _once(page, "<body>", f"<body>\n<main>\n{fragment}\n")
    page = _once_matched(page, _HEADING, _heading(note))
    page = _once(page, "<h2>Environment</h2>", "<h3>Environment</h3>")
    page = _once(page, "<h2>Summary</h2>", "<h3>Summary</h3>")
    page = _once(page, _ONCLICK, "")
    page = _once(page, '<img src="" />', '<img src="" alt="" />')
    page = _label_filters(page)
    page = _once(
        page,
        '<table id="results-table">',
        '<div class="scroll" role="region" tabindex="0" aria-label="Table of pytest-html">'
        '<table id="results-table">',
    )
    page = _once(page, "<footer>", "</div>\n</section>\n</main>\n<footer>")
    page = _once(page, "</head>", f'<style type="text/css">{styles}</style>\n</head>')
    return _once(page, '<meta charset="utf-8"/>', _meta(page))


def _lift(page: str) -> tuple[str, str]:
    """The page without our fragment, and the fragment, whose content must not match as page."""
    before, begin, rest = page.partition(BEGIN)
    fragment, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in after:
        raise UnknownPage(_unknown(BEGIN))
    return before + after, fragment


def _heading(note: str) -> str:
    extra = f'<p class="notice">{escape(note)}</p>' if note else ""
    return (
        '<section class="pytest-view" aria-labelledby="title">\n'
        f'<h2 id="title">pytest view</h2>\n{_NOTE}{extra}'
    )


def _label_filters(page: str) -> str:
    page, number = _FILTERS.subn(r'\g<0> aria-label="Show \1"', page)
    if number == 0:
        raise UnknownPage(_unknown("the filters' check boxes"))
    return page


def _meta(page: str) -> str:
    """Charset, width, and a policy under which only pytest-html's script and the styles work."""
    scripts = _SCRIPT.findall(page)
    styles = _STYLE.findall(page)
    if len(scripts) != 1 or len(styles) != 2:
        raise UnknownPage(_unknown("one script and one style sheet"))
    policy = "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"script-src {_hash(scripts[0])}",
            f"style-src {' '.join(_hash(style) for style in styles)}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return (
        '<meta charset="utf-8"/>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{Markup(escape(policy))}"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        '<meta name="color-scheme" content="light dark"/>\n'
        '<meta name="referrer" content="no-referrer"/>'
    )


def _hash(content: str) -> str:
    # A browser hashes what it parsed, in which each line ends with a line feed alone.
    digest = hashlib.sha256(content.replace("\r\n", "\n").encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _once(page: str, place: str, instead: str) -> str:
    if page.count(place) != 1:
        raise UnknownPage(_unknown(place))
    return page.replace(place, instead)


def _once_matched(page: str, place: re.Pattern[str], instead: str) -> str:
    if len(place.findall(page)) != 1:
        raise UnknownPage(_unknown(place.pattern))
    return place.sub(lambda _: instead, page)


def _unknown(place: str) -> str:
    return (
        f"pytest-html wrote a page in which {place!r} does not occur exactly once. Install a"
        " version of pytest-html that this project was tested with (see pyproject.toml)."
    )
