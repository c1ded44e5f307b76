"""Files that hold whole outputs. `UPDATE_GOLDEN=1 make golden` writes them anew; read the diff."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "expected"

Golden = Callable[[str, str], None]


@pytest.fixture
def golden() -> Golden:
    """Compare a text with the file of that name."""

    def compare(name: str, text: str) -> None:
        file = FOLDER / name
        if os.environ.get("UPDATE_GOLDEN"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.read_text(encoding="utf-8") == text, f"{name}: UPDATE_GOLDEN=1 accepts it"

    return compare
