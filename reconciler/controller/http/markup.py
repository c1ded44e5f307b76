"""HTML that is put together from parts: whatever is not markup already is escaped.

Hosts' own words end up on the page. There is one way to make markup, and it escapes; so nothing
has to be remembered where pages are written.
"""

import html
from collections.abc import Iterable

from reconciler.report.lines import clean

_VOID = frozenset({"link", "meta"})
"""Elements without content."""


class Markup(str):
    """Text that is HTML. Made by `element` and `raw`; any other text is escaped."""

    __slots__ = ()


def escaped(part: object) -> Markup:
    """Return a part as markup; parts of a sequence one after the other, nothing for None."""
    match part:
        case Markup():
            return part
        case None:
            return Markup()
        case str():
            return Markup(html.escape(clean(part), quote=True))
        case Iterable():
            return Markup("".join(map(escaped, part)))
    return Markup(html.escape(str(part), quote=True))


def element(tag: str, /, *content: object, **attributes: object) -> Markup:
    """Return an element. `class_` is `class`, `aria_label` is `aria-label`; None leaves one out.

    >>> element("td", "a<b", class_="x", data_label="Name", hidden=True)
    '<td class="x" data-label="Name" hidden>a&lt;b</td>'
    """
    head = f"<{tag}{''.join(map(_attribute, attributes.items()))}>"
    if tag in _VOID:
        return Markup(head)
    return Markup(f"{head}{escaped(content)}</{tag}>")


def raw(text: str) -> Markup:
    """Return our own text as markup: never anything that came from elsewhere."""
    return Markup(text)


def _attribute(item: tuple[str, object]) -> str:
    name, value = item
    name = name.removesuffix("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escaped(str(value))}"'
