"""docs/benchmarks.md says what its results say."""

from pathlib import Path

from tests.bench import document
from tests.bench.page import page

DOCS = Path(__file__).parents[2] / "docs"


def test_no_figure_of_the_page_was_written_by_hand() -> None:
    assert (DOCS / "benchmarks.md").read_text() == page(document.read(DOCS / "benchmarks.json"))
