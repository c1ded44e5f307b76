"""Markup: whatever was not made as such is escaped."""

import doctest
from html.parser import HTMLParser

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.controller.http import markup
from reconciler.controller.http.markup import Markup, element, escaped, raw


class Reader(HTMLParser):
    """Reads what a browser would."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[dict[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader


@given(st.text(st.characters()), st.text(st.characters()))
@example("<b>&amp;", '" onclick="alert(1)')
def test_no_text_becomes_markup(content: str, attribute: str) -> None:
    made = element("p", content, title=attribute)
    found = read(made)
    assert found.tags == ["p"]
    assert found.attributes[0].keys() == {"title"}
    assert made.isprintable()
    if content.isprintable():
        assert found.text == content
    if attribute.isprintable():
        assert found.attributes[0]["title"] == attribute


def test_elements_are_put_together() -> None:
    inner = element("b", "<", 1, None, ["x", element("i")])
    assert inner == "<b>&lt;1x<i></i></b>"
    assert element(
        "p", inner, class_="a", data_label="c d", hidden=True, title=None, open=False
    ) == (f'<p class="a" data-label="c d" hidden>{inner}</p>')
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'


def test_generators_and_what_is_empty() -> None:
    assert escaped(None) == ""
    assert escaped(part for part in ("a", raw("<hr>"), "b")) == "a<hr>b"
    assert isinstance(escaped("x"), Markup)


def test_the_examples_are_right() -> None:
    assert doctest.testmod(markup).failed == 0
