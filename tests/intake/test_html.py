"""HTML becomes the text a reader sees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.html import MAX_LENGTH, MAX_NODES, quotation_start, visible_text

HIDDEN = "hidden text in HTML"
CRUDE = "HTML too deep or too long: shown without its structure"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hello", "Hello"),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<div>One</div><div>Two</div>", "One\nTwo"),
        ("<div>One<br>Two<br><br>Three</div>", "One\nTwo\n\nThree"),
        ("  many \n\t blanks&nbsp;&nbsp;here ", "many blanks here"),
        ("<b>bo</b>ld", "bold"),
        ("a&lt;b &amp; c&#x105;", "a<b & cą"),
        ("<ul><li>a</li><li><p>b</p></li></ul>", "- a\n- b"),
        ("<ol><li>a<li>b</ol>", "1. a\n2. b"),
        ("<ol><li>a<ul><li>x</ul><li>b</ol>", "1. a\n\n- x\n\n2. b"),
        ("<table><tr><td>A</td><td>1</td></tr><tr><td>B<td> 2 </table>", "A\t1\nB\t2"),
        ("<h1>Title</h1>text", "Title\n\ntext"),
        ("a<hr>b", "a\n\nb"),
        ("<pre>  x\n    y</pre>", "  x\n    y"),
        ("<div style='white-space: pre-wrap'>a\nb</div>", "a\nb"),
        ("<a href='https://x.example/p'>Click</a> here", "Click <https://x.example/p> here"),
        ("<a href='https://x.example/'>x.example</a>", "x.example"),
        ("<a href='mailto:a@x.example'>a@x.example</a>", "a@x.example"),
        ("<a href='mailto:a@x.example'>Ann</a>", "Ann <mailto:a@x.example>"),
        ("<a href='javascript:alert(1)'>x</a>", "x"),
        ("<a href='#top'>x</a><a>y</a><a href>z</a>", "xyz"),
        ("<a href='https://x.example/pixel'><img src=p></a>text", "text"),
        ("<script>s</script><style>t</style><title>u</title>v", "v"),
        ("<!-- comment -->a<!doctype x>b", "ab"),
        ("<blockquote>old</blockquote>new", "> old\n>\nnew"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n>\n> > b\n> >"),
        ("<blockquote style='margin:0 0 0 40px;border:none'>indented</blockquote>", "indented"),
        ("<body><div>a</div></body></html>tail", "a\ntail"),
        ("", ""),
        ("<", "<"),
        ("\ue000a", "a"),
    ],
)
def test_markup_becomes_lines(source, text):
    assert visible_text(source).text == text
    assert visible_text(source).defects == ()


@pytest.mark.parametrize(
    "style",
    [
        *(
            "display:none",
            "DISPLAY : NONE !important",
            "visibility:hidden",
            "font-size:0",
            "font-size: 0px",
            "opacity:0",
        ),
        *("mso-hide:all", "max-height:0", "color:#fff", "color:white", "color: rgb(255, 255, 255)"),
    ],
)
def test_what_nobody_sees_is_left_out_and_told(style):
    found = visible_text(f"<p>seen</p><div style='{style}'><p>payroll <b>urgent</b></p></div>")
    assert (found.text, found.defects) == ("seen", (HIDDEN,))


@pytest.mark.parametrize(
    "source",
    [
        "<div style='background:#000'><p style='color:#fff'>seen</p></div>",
        "<table bgcolor='#003366'><tr><td><font color='#FFFFFF'>seen</font></table>",
        "<p style='color:#fff'><span style='color:#333'>seen</span></p>",
        "<p style='font-size:10px;opacity:0.5'>seen</p>",
    ],
)
def test_what_can_be_read_is_no_hidden_text(source):
    assert visible_text(source).text == "seen"
    assert visible_text(source).defects == ()


def test_white_on_white_that_is_painted_white_is_hidden():
    found = visible_text("<div style='background:#000'><p style='color:#fff;background:#fff'>x</p></div>")
    assert (found.text, found.defects) == ("", (HIDDEN,))


def test_the_hidden_attribute_hides():
    assert visible_text("<p hidden>x</p>y").defects == (HIDDEN,)


def test_hidden_blanks_are_not_worth_a_word():
    assert visible_text("<p style='display:none'> &nbsp; </p>y").defects == ()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<div>" * 300 + "deep <b>text</b>", "deep text"),
        ("<div>" * 40_000 + "x", "x"),
        ("<div>" * 300 + "a<br>b<p>c &amp; d", "a\nb\nc & d"),
        ("<div>" * 300 + "<style>x{}</style>a<script>b<b></script>c", "ac"),
        ("<div>" * 300 + "&#" + "9" * 50_000 + ";x", ";x"),
        ("<a " * 20_000, ""),
    ],
)
def test_very_deep_html_is_shown_without_its_structure(source, text):
    found = visible_text(source)
    assert (found.text, found.defects) == (text, (CRUDE,))


def test_very_long_html_is_shown_without_its_structure():
    found = visible_text("<p>word</p>" * (MAX_LENGTH // 10))
    assert found.defects == (CRUDE,)
    assert found.text.startswith("word\nword")


def test_html_of_very_many_nodes_is_cut():
    found = visible_text("<p>a" * (MAX_NODES + 1))
    assert found.defects == (f"HTML of more than {MAX_NODES} nodes: rest not shown",)
    assert found.text.startswith("a\n\na")


@pytest.mark.parametrize(
    "piece", ["<a x='", "<!--", "</", "<td>", "<p>", "<table>", "<font size=1>", "<svg>", "<option>"]
)
def test_a_long_run_of_one_piece_is_read(piece):
    assert len(visible_text(piece * 20_000).text) <= 2 * 20_000 * len(piece)


@pytest.mark.parametrize(
    ("source", "start"),
    [
        (
            "hi<div class='gmail_quote'>On <b>Monday</b> Ann wrote: <blockquote>old</blockquote></div>",
            "On Monday Ann wrote: old",
        ),
        ("hi<div id='divRplyFwdMsg'><b>From:</b> Ann</div>", "From: Ann"),
        ("hi<blockquote>old</blockquote>", ""),
        ("<p>gmail_quote is a word here", ""),
        ("<div>" * 300 + "<div class=gmail_quote>x", ""),
    ],
)
def test_the_writers_program_marks_where_quotation_starts(source, start):
    assert quotation_start(source) == start


TAGS = st.sampled_from(
    [
        *("<p>", "</p>", "<div style='display:none'>", "</div>", "<li>", "<ol>", "<table>", "<td>", "<pre>", "\n", "x"),
        *(
            "<blockquote>",
            "</blockquote>",
            "<a href=http://x>",
            "</a>",
            "<br>",
            "<!--",
            "-->",
            "<style>",
            "<",
            "\ue000",
        ),
        *("&amp;", "\t"),
    ]
)


@given(st.lists(TAGS, max_size=50))
def test_no_arrangement_of_tags_leaves_markup_or_raises(pieces):
    text = visible_text("".join(pieces)).text
    assert "\ue000" not in text
    assert not any(line.endswith(" ") for line in text.split("\n"))


@given(st.lists(st.text(alphabet="abcdefgh", min_size=1, max_size=8), min_size=1, max_size=8))
def test_visible_words_stay_in_order(words):
    assert visible_text("".join(f"<p><i>{word}</i></p>" for word in words)).text.split() == words
