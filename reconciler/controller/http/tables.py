"""Tables, bars and pills: the same markup everywhere, readable by machines that read aloud.

On a narrow screen a table's rows become cards. Its roles are written out, because browsers drop
them with the layout of a table.
"""

from collections.abc import Sequence

from reconciler.controller.http.markup import Markup, element
from reconciler.report.lines import Style

Cell = Markup | str

CLASSES = {
    Style.GOOD: "good",
    Style.ERROR: "bad",
    Style.WARNING: "late",
    Style.QUIET: "idle",
}
"""What a style is called on the page."""


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Markup:
    """Return a table; its caption is for those who can't see where it stands."""
    return element(
        "table",
        element("caption", caption),
        element(
            "thead", element("tr", [_head(cell) for cell in head], role="row"), role="rowgroup"
        ),
        element("tbody", [_row(head, row) for row in rows], role="rowgroup"),
        role="table",
    )


def _head(cell: str) -> Markup:
    return element("th", cell, scope="col", role="columnheader")


def _row(head: Sequence[str], row: Sequence[Cell]) -> Markup:
    named, *others = row
    return element(
        "tr",
        element("th", named, scope="row", role="rowheader"),
        [
            element("td", element("span", cell), role="cell", data_label=label)
            for label, cell in zip(head[1:], others, strict=True)
        ],
        role="row",
    )


def pill(text: str, style: Style) -> Markup:
    """Return a word with a colour; the word says it, too."""
    return element("span", text, class_=f"pill {CLASSES.get(style, 'busy')}")


def bar(share: float, style: Style, goal: float | None = None) -> Markup:
    """Return a bar that is filled to a share, with a mark; beside it, text says the same."""
    width = f"{100 * min(1.0, max(0.0, share)):.1f}"
    mark = element("rect", x=f"{100 * goal:.1f}", width=1, height=10, class_="goal") if goal else ""
    return element(
        "svg",
        element("rect", width=100, height=10, class_="track"),
        element("rect", width=width, height=10, class_="fill"),
        mark,
        viewBox="0 0 100 10",
        preserveAspectRatio="none",
        aria_hidden="true",
        class_=f"bar {CLASSES.get(style, 'busy')}",
    )


def aside(text: str) -> Markup:
    """Return what is less important."""
    return element("span", text, class_="aside")


def card(title: str, *content: object, id_: str, note: object = None) -> Markup:
    """Return a section with a heading."""
    heading = element(
        "h2", title, [" ", element("small", note)] if note else None, id=f"{id_}-head"
    )
    return element(
        "section", heading, content, class_="card", id=id_, aria_labelledby=f"{id_}-head"
    )
