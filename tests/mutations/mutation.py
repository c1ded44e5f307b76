"""One piece of code broken on purpose, and the tests of which one must notice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """A text in a file and what it is replaced by: code that can be imported and does wrong."""

    name: str
    """What is broken, as a sentence."""
    protects: tuple[int | str, ...]
    """What it is about: number of an invariant, name of a guard, or a word of its own."""
    before: str
    """Stands exactly once in the file."""
    after: str
    file: str
    tests: tuple[str, ...]
    """Files or node ids for pytest, as quick as possible."""

    def applied(self, text: str) -> str:
        """Return the file's text, broken. Raises ValueError unless it can be told what is meant."""
        found = text.count(self.before)
        if found != 1:
            raise ValueError(f"{self.file} has {self.before!r} {found} times, not once")
        return text.replace(self.before, self.after)
