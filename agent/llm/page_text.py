"""A page of the web as text, in bounded time whatever it holds."""

import html
import re

# A page of a documentation's size has a few thousand tags; beyond this only the words are kept.
_MOST_TAGS = 40_000
_DEEPEST = 200


def page_text(page: str) -> str:
    """Return an HTML page as Markdown, without scripts and hidden text.

    What is too large or too deep to be understood comes as its plain words.
    """
    whole = _with_whole_tags(_without_comments(page))
    if _is_simple(whole):
        return _as_markdown(whole)
    return html.unescape(_TAG.sub(" ", _SILENT.sub(" ", whole)))


def _without_comments(page: str) -> str:
    """Take comments out; one that is not closed goes on to the end."""
    parts, place = [], 0
    while (begin := page.find("<!--", place)) >= 0:
        parts.append(page[place:begin])
        end = page.find("-->", begin + 4)
        place = end + 3 if end >= 0 else len(page)
    return "".join([*parts, page[place:]])


_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]{0,30})[^<>]{0,4000}>")
_DECLARATION = re.compile(r"<[!?][^<>]{0,4000}>")
_LOOSE = re.compile(r"<(?!/?[a-zA-Z][a-zA-Z0-9-]{0,30}[^<>]{0,4000}>)")
_SILENT = re.compile(r"<(script|style)\b[^<>]*>[^<]*</\1>", re.IGNORECASE)
_EMPTY = frozenset("area base br col embed hr img input link meta source track wbr".split())


def _with_whole_tags(page: str) -> str:
    """Show as text what begins like a tag and is none: parsers look far and wide for its end."""
    return _LOOSE.sub("&lt;", _DECLARATION.sub("", page))


def _is_simple(page: str) -> bool:
    """Return whether a page can be read as a tree without going deep or on and on."""
    depth = 0
    for tags, found in enumerate(_TAG.finditer(page)):
        if found[2].lower() not in _EMPTY:
            depth = max(depth - 1, 0) if found[1] else depth + 1
        if depth > _DEEPEST or tags > _MOST_TAGS:
            return False
    return True


def _as_markdown(page: str) -> str:
    from bs4 import BeautifulSoup  # noqa: PLC0415 - only where a page is HTML
    from markdownify import MarkdownConverter  # noqa: PLC0415

    tree = BeautifulSoup(page, "html.parser")
    for hidden in tree(["script", "style", "noscript", "template", "svg", "nav", "footer"]):
        hidden.decompose()
    for hidden in tree.select("[hidden], [aria-hidden=true], [style*='display:none']"):
        hidden.decompose()
    body = tree.find("main") or tree.find("article") or tree.body or tree
    return str(MarkdownConverter(heading_style="ATX", strip=["img"]).convert_soup(body))
