"""Markup to plain text: what goes, what stays, and that a second time changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.markup import plain_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Queen&#8217;s &quot;last&quot; train &amp; bus", 'The Queen’s "last" train & bus'),
        ("Bridge is <strong>closed</strong> again", "Bridge is closed again"),
        ("<b>M</b>useum", "Museum"),
        ("&amp;ldquo;Yes&amp;rdquo;, they said", "“Yes”, they said"),
        ("&lt;em&gt;Late&lt;/em&gt; goal", "Late goal"),
        ("  two\n lines\t and  blanks ", "two lines and blanks"),
        ("S&P 500 < 4 % up, AT&T > Q&A", "S&P 500 < 4 % up, AT&T > Q&A"),
        ("if a <b and c> d", "if a <b and c> d"),
        ("I <3 trams, <name> too", "I <3 trams, <name> too"),
        ("mail <jo@example.org>", "mail <jo@example.org>"),
        ("?a=1&copy=2", "?a=1&copy=2"),
        ("<![CDATA[Rain & <i>wind</i>]]>", "Rain & wind"),
        ("price&nbsp;rise&hellip;", "price rise…"),
        ("so<script>track(1<2)</script>ber", "so ber"),
        ("x<style>p{}</style><!-- no --> y", "x y"),
        ('cut <a href="https://example.org', "cut"),
        ("<svg/onload=alert(1)>picture", "picture"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;safe", "safe"),
        ("<o:p>Word</o:p> and <my-tag>mine</my-tag>", "Word and mine"),
        ("soft&shy;hyphen\u200b", "softhyphen"),
        ("渡轮&mdash;停航<br>通知", "渡轮—停航 通知"),
    ],
)
def test_a_headline_is_what_a_reader_sees(text: str, expected: str) -> None:
    assert plain_text(text, paragraphs=False) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>One <b>two</b>.</p><p>Three.</p>", "One two.\n\nThree."),
        ("<p>wrapped\nin the source</p>", "wrapped in the source"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<ul><li>a</li><li>b</li></ul>", "a\n\nb"),
        ("plain\r\ntext\r\n\r\n\r\n\r\nstays", "plain\ntext\n\nstays"),
        ("blog text\n\nwith <em>one</em> tag", "blog text\n\nwith one tag"),
    ],
)
def test_a_body_keeps_its_paragraphs(text: str, expected: str) -> None:
    assert plain_text(text, paragraphs=True) == expected


@given(st.lists(st.sampled_from(["<", ">", "&", ";", "/", "b", "p", "br", "script", " ", "amp", "lt", "\n", "x", "="])))
def test_plain_text_is_plain_a_second_time_and_never_longer(pieces: list[str]) -> None:
    text = "".join(pieces)
    for paragraphs in (True, False):
        once = plain_text(text, paragraphs=paragraphs)
        assert len(once) <= len(text) + 2 * text.count("<")
        assert plain_text(once, paragraphs=paragraphs) == once
