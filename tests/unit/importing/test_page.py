"""docs/from-zrepl.md speaks of everything that can be said in a zrepl.yml."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reconciler.importing.zrepl import JobType, RuleType, Timing, Transport

PAGE = Path(__file__).parents[3] / "docs/from-zrepl.md"
NAMED_BY_USERS = {"filesystems", "override", "clients"}
COMMON = {"name", "type", "jobs"}
TOLD_AS_A_WHOLE = {"global", "hooks"}


def keys(data: Any, above: str = "") -> Iterator[str]:
    """Yield the keys that zrepl gives a meaning."""
    if isinstance(data, dict):
        for key, value in data.items():
            if above not in NAMED_BY_USERS:
                yield key
            if key not in TOLD_AS_A_WHOLE:
                yield from keys(value, key)
    elif isinstance(data, list):
        for value in data:
            yield from keys(value, above)


def test_every_key_and_every_kind_stands_on_the_page(everything: dict[str, Any]) -> None:
    page = PAGE.read_text(encoding="utf-8")

    words = {*keys(everything), *JobType, *Transport, *RuleType, *Timing} - COMMON
    assert len(words) > 50
    quoted = set(re.findall(r"[\w+]+", " ".join(re.findall(r"`([^`\n]+)`", page))))
    assert words - quoted == set()
