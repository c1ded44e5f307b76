from pathlib import Path

from reconciler.desired.objects import Part
from reconciler.desired.reference import page

PAGE = Path(__file__).parents[3] / "docs" / "spec-reference.md"
COMMAND = "python -m reconciler.desired.reference > docs/spec-reference.md"


def test_the_page_in_docs_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), f"{PAGE.name} is stale. Regenerate it: {COMMAND}"


def test_the_page_says_how_to_regenerate_it() -> None:
    assert COMMAND in page()


def test_the_page_lists_what_is_not_supported() -> None:
    for part in Part.__subclasses__():
        for key in part.later:
            assert f".{key}`" in page()
