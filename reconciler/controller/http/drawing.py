"""The topology as SVG that a phone can show: boxes, and lines that lead from left to right."""

from reconciler.controller.http.markup import Markup, element
from reconciler.controller.http.topology import Edge, Mood, Node, Topology

BOX, HIGH, GAP, STEP, EDGE = 104, 32, 46, 44, 4
"""Width and height of a box, space between columns, from row to row, around everything."""

LARGE = 1.2
"""How much larger it is drawn where there is room."""

LETTERS = 10
"""Of a name, that have room in a box."""

_CLASSES = {
    Mood.IDLE: "idle",
    Mood.GOOD: "good",
    Mood.BUSY: "busy",
    Mood.LATE: "late",
    Mood.BAD: "bad",
}

_WORDS = {
    Mood.IDLE: "suspended",
    Mood.GOOD: "on time",
    Mood.BUSY: "sending",
    Mood.LATE: "over its goal",
    Mood.BAD: "failing or blocked",
}


def drawing(topology: Topology) -> Markup:
    """Return the drawing; those who can't see it get the same from its title and the tables."""
    columns, rows = topology.columns, topology.rows
    width = columns * BOX + (columns - 1) * GAP + 2 * EDGE
    height = rows * STEP - (STEP - HIGH) + 2 * EDGE
    said = "; ".join(map(_sentence, topology.edges))
    return element(
        "svg",
        element("title", f"Who sends to whom: {said}"),
        [_line(edge, topology) for edge in topology.edges],
        [_box(node, topology) for node in topology.nodes],
        viewBox=f"0 0 {width} {height}",
        width=f"{width * LARGE:g}",
        height=f"{height * LARGE:g}",
        role="img",
        class_="topology",
    )


def legend(topology: Topology) -> Markup:
    """Return what the colours mean, of those that occur."""
    moods = sorted({edge.mood for edge in topology.edges})
    return element(
        "p",
        [element("span", _WORDS[mood], class_=f"key {_CLASSES[mood]}") for mood in moods],
        class_="legend",
    )


def _sentence(edge: Edge) -> str:
    names = ", ".join(edge.replications)
    return f"{edge.sender.name} to {edge.receiver.name}, {_WORDS[edge.mood]} ({names})"


def _top(node: Node, topology: Topology) -> float:
    """Return where a box begins, with its column in the middle of the drawing."""
    mates = sum(other.column == node.column for other in topology.nodes)
    return EDGE + (topology.rows - mates) * STEP / 2 + node.row * STEP


def _left(node: Node) -> int:
    return EDGE + node.column * (BOX + GAP)


def _line(edge: Edge, topology: Topology) -> Markup:
    begin_x, begin_y = _left(edge.sender) + BOX, _top(edge.sender, topology) + HIGH / 2
    end_x, end_y = _left(edge.receiver), _top(edge.receiver, topology) + HIGH / 2
    bend = GAP * 0.55
    if end_x < begin_x:  # a circle: below everything, back to the left
        begin_x, end_x = _left(edge.sender), _left(edge.receiver) + BOX
        bend = -bend
    tip = 7 if bend > 0 else -7
    curve = (
        f"M{begin_x:g} {begin_y:g}C{begin_x + bend:g} {begin_y:g} {end_x - tip - bend:g} {end_y:g}"
        f" {end_x - tip:g} {end_y:g}"
    )
    arrow = f"M{end_x:g} {end_y:g}l{-tip:g} -4v8z"
    return element(
        "g",
        element("title", _sentence(edge)),
        element("path", d=curve, class_="way"),
        element("path", d=arrow, class_="tip"),
        class_=_CLASSES[edge.mood],
    )


def _box(node: Node, topology: Topology) -> Markup:
    left, top = _left(node), _top(node, topology)
    short = node.name if len(node.name) <= LETTERS else f"{node.name[: LETTERS - 1]}…"
    return element(
        "g",
        element("title", node.name),
        element("rect", x=left, y=f"{top:g}", width=BOX, height=HIGH, rx=7, class_="box"),
        element("circle", cx=left + 12, cy=f"{top + HIGH / 2:g}", r=4, class_="dot"),
        element("text", short, x=left + 22, y=f"{top + HIGH / 2 + 4.5:g}"),
        class_=_CLASSES[node.mood],
    )
