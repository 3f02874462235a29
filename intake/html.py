"""HTML to the text a reader sees: own walk over selectolax's tree, without recursion and without trust in the tree.

Links become "text <url>", list items and table rows lines, quotations lines with "> " in front, as in plain mail. What
cannot be seen is left out, and said so: rules must not act on words that nobody reads. Style sheets are not applied.
Very deep or long HTML is not given to the parser at all; its tags are cut out.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from selectolax.lexbor import LexborHTMLParser, LexborNode

from intake import decode

MAX_DEPTH = 200
MAX_LENGTH = 1024 * 1024
MAX_NODES = 100_000
_MAX_URL = 2_000
_MAX_STYLE = 2_000

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})")
_SPACES = re.compile("[ \t\n\r\f\xa0]+")
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9A-Fa-f]{9,}")
_STYLED = re.compile(r"([a-z-]{1,40})\s{0,9}:\s{0,9}([^;]{0,200})")
_SPACES_ONLY = re.compile(" {2,}")
_AROUND_TAB = re.compile(r" ?\t ?")
_FIXED = "\ue000"
"""A blank of preformatted text, until its line is set."""
_SCHEMES = frozenset(("http", "https", "ftp", "mailto", "tel"))
_WHITE = frozenset(("#fff", "#ffffff", "white", "rgb(255,255,255)", "rgba(255,255,255,1)"))
_NOTHING = frozenset(("0", "0px", "0pt", "0em", "0%", "0rem"))
_HIDING = {
    "display": frozenset(("none",)),
    "visibility": frozenset(("hidden", "collapse")),
    "font-size": _NOTHING,
    "opacity": _NOTHING,
    "max-height": _NOTHING,
    "mso-hide": frozenset(("all",)),
}
_QUOTED_MARKS = ("gmail_quote", "yahoo_quoted", "divRplyFwdMsg", "protonmail_quote", "moz-cite-prefix", "appendonsend")
_QUOTED_ELEMENTS = ", ".join(f"{sign}{mark}" for mark in _QUOTED_MARKS for sign in ".#")
_START_WORDS = 5
_CHANGING = frozenset(("pre", "blockquote", "ul", "menu", "dir"))
_CLOSED_BY_OTHERS = frozenset(
    (
        *(
            "p",
            "li",
            "td",
            "th",
            "tr",
            "dt",
            "dd",
            "option",
            "thead",
            "tbody",
            "tfoot",
            "colgroup",
            "html",
            "head",
            "body",
        ),
        *(
            "br",
            "img",
            "hr",
            "meta",
            "input",
            "link",
            "area",
            "base",
            "col",
            "embed",
            "source",
            "track",
            "wbr",
            "param",
        ),
    )
)
_UNSEEN = frozenset(
    ("script", "style", "head", "title", "template", "noscript", "object", "iframe", "select", "textarea")
)
_PARAGRAPHS = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "ul", "ol", "dl", "table", "hr"))
_LINES = frozenset(
    (
        *(
            "div",
            "li",
            "tr",
            "dt",
            "dd",
            "section",
            "article",
            "header",
            "footer",
            "center",
            "form",
            "fieldset",
            "address",
        ),
        *("main", "nav", "aside", "figure", "figcaption", "caption", "legend", "body"),
    )
)


@dataclass(frozen=True, slots=True)
class Shown:
    """The visible text, LF line ends, with what is odd about it."""

    text: str
    defects: tuple[str, ...] = ()


def visible_text(source: str) -> Shown:
    """The text of an HTML document or fragment; never raises, linear in its length."""
    if len(source) > MAX_LENGTH or _depth(source) > MAX_DEPTH:
        return Shown(_cut_out(source[:MAX_LENGTH]), ("HTML too deep or too long: shown without its structure",))
    body = LexborHTMLParser(source.replace(_FIXED, "")).body
    if body is None:
        return Shown("")
    page = _Page()
    complete = _walk(body, page)
    defects = (
        *(("hidden text in HTML",) if page.hidden else ()),
        *(() if complete else (f"HTML of more than {MAX_NODES} nodes: rest not shown",)),
    )
    return Shown(page.text(), defects)


def _depth(source: str) -> int:
    """How deep the elements that need an end tag are nested; one pass."""
    depth = deepest = 0
    for found in _TAG.finditer(source):
        if found[2].lower() in _CLOSED_BY_OTHERS:
            continue
        depth = max(0, depth - 1) if found[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _cut_out(source: str) -> str:
    """The text between the tags, without scripts and styles; one pass."""
    shown = []
    unseen = ""
    for number, piece in enumerate(source.split("<")):
        tag, closed, rest = piece.partition(">") if number else ("", ">", piece)
        word = tag[:12].lower().partition(" ")[0]
        unseen = "" if word == "/" + unseen else unseen
        if unseen or not closed:
            continue
        unseen = word if word in _UNSEEN else ""
        name = word.strip("/")
        shown.append("\n" * (name in _PARAGRAPHS or name in _LINES or name == "br") + rest * (not unseen))
    lines = html.unescape(_LONG_NUMBER.sub("", "".join(shown))).split("\n")
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


@dataclass(frozen=True, slots=True)
class _Style:
    """What an element hands down to what is inside of it."""

    unseen: bool = False
    white: bool = False
    painted: bool = False
    verbatim: bool = False
    quoted: int = 0
    bullet: str = "- "


@dataclass(slots=True)
class _Page:
    """Text as it is set: words gather in a line, lines in the page, each with the marks of its quotation."""

    lines: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    bullet: str = ""
    quoted: int = 0
    hidden: bool = False

    def say(self, text: str, style: _Style) -> None:
        """Add text to the line; in a pre each line end counts."""
        if style.unseen or (style.white and not style.painted):
            self.hidden = self.hidden or not (text.isspace() or not text)
            return
        if style.quoted != self.quoted:
            self.end_line()
            self.quoted = style.quoted
        if not style.verbatim:
            self.line.append(_SPACES.sub(" ", text))
            return
        first, *others = text.expandtabs().replace(" ", _FIXED).split("\n")
        self.line.append(first)
        for other in others:
            self.break_line()
            self.line.append(other)

    def break_line(self) -> None:
        """End the line even if it is empty."""
        if not self.end_line():
            self.lines.append("> " * self.quoted)

    def end_line(self) -> bool:
        """End the line if there is anything in it, and say whether there was."""
        text = _AROUND_TAB.sub("\t", _SPACES_ONLY.sub(" ", "".join(self.line))).strip(" \t")
        self.line.clear()
        if not text:
            return False
        self.lines.append("> " * self.quoted + self.bullet + text.replace(_FIXED, " ").rstrip())
        self.bullet = ""
        return True

    def end_paragraph(self) -> None:
        """End the line, and leave one line empty behind it."""
        self.end_line()
        if self.lines and self.lines[-1].strip("> ") and not self.bullet:
            self.lines.append("> " * self.quoted)

    def text(self) -> str:
        """The whole page."""
        self.end_line()
        return "\n".join(line.rstrip(" ") for line in self.lines).strip("\n")


def _walk(root: LexborNode, page: _Page) -> bool:
    """Set each node on the page, and say whether all were; a string on the stack stands for the end of an element."""
    stack: list[tuple[LexborNode | str, _Style]] = [(root, _Style())]
    for _ in range(2 * MAX_NODES):
        if not stack:
            break
        node, style = stack.pop()
        if isinstance(node, str):
            _leave(node, style, page)
        elif node.is_text_node:
            page.say(node.text_content or "", style)
        elif node.is_element_node and node.tag:
            stack += _entered(node, style, page)
    return not stack


def _entered(node: LexborNode, around: _Style, page: _Page) -> list[tuple[LexborNode | str, _Style]]:
    """Begin the element; what is still to be set, last first."""
    tag = node.tag or ""
    if tag in _UNSEEN:
        return []
    attributes = node.attributes
    style = _inside(tag, attributes, around) if attributes or tag in _CHANGING else around
    if tag == "br":
        page.break_line()
    elif tag in _PARAGRAPHS:
        page.end_paragraph()
    elif tag in _LINES:
        page.end_line()
    elif tag in ("td", "th") and page.line:
        page.line.append("\t")
    if tag == "li":
        page.bullet = around.bullet
    end = _link(node, attributes) if tag == "a" else tag
    return [(end, style), *reversed(list(_children(node, tag, style)))]


def _children(node: LexborNode, tag: str, style: _Style) -> Iterator[tuple[LexborNode | str, _Style]]:
    number = 0
    for child in node.iter(include_text=True):
        number += tag == "ol" and child.tag == "li"
        yield child, replace(style, bullet=f"{number}. ") if tag == "ol" and child.tag == "li" else style


def _leave(tag: str, style: _Style, page: _Page) -> None:
    if tag in _PARAGRAPHS:
        page.end_paragraph()
    elif tag in _LINES:
        page.end_line()
    elif tag.startswith(" <"):
        page.say(tag, replace(style, verbatim=False))


def _inside(tag: str, attributes: Mapping[str, str | None], around: _Style) -> _Style:
    """The style of what the element holds."""
    css = dict(_STYLED.findall((attributes.get("style") or "")[:_MAX_STYLE].lower()))
    ground = css.get("background-color") or css.get("background") or attributes.get("bgcolor") or ""
    colour = _compact(css.get("color") or attributes.get("color") or "")
    return _Style(
        unseen=around.unseen
        or "hidden" in attributes
        or any(_compact(css.get(key, "")) in _HIDING[key] for key in _HIDING),
        white=colour in _WHITE if colour else around.white,
        painted=_compact(ground) not in ("", *_WHITE) or "background" in attributes or (around.painted and not ground),
        verbatim=around.verbatim or tag == "pre" or css.get("white-space", "").startswith(("pre", "break-spaces")),
        quoted=around.quoted + (tag == "blockquote" and "none" not in css.get("border", "")),
        bullet="- " if tag in ("ul", "menu", "dir") else around.bullet,
    )


def _compact(value: str) -> str:
    return value.lower().replace("!important", "").replace(" ", "")


def _link(node: LexborNode, attributes: Mapping[str, str | None]) -> str:
    """What is said behind a link: its address, unless its text says it already or it leads nowhere outside."""
    url = decode.one_line(attributes.get("href") or "")
    shown = node.text(strip=True)
    scheme, _, rest = url.partition(":")
    bare = rest.removeprefix("//").rstrip("/")
    if scheme.lower() not in _SCHEMES or not shown or not bare or len(url) > _MAX_URL or bare in shown:
        return "a"
    return f" <{url}>"


def quotation_start(source: str) -> str:
    """The first words of what the writer's mail program marked as quoted, or empty; linear."""
    if not any(mark in source for mark in _QUOTED_MARKS) or len(source) > MAX_LENGTH or _depth(source) > MAX_DEPTH:
        return ""
    found = LexborHTMLParser(source).css_first(_QUOTED_ELEMENTS)
    words = found.text(separator=" ").split() if found else []
    return " ".join(words[:_START_WORDS])
