"""Probes of real hosts (OpenZFS 2.1.11) that were recorded, to be read as they are or changed."""

import json
from dataclasses import replace
from pathlib import Path

from reconciler.hosts.script import Outcome, Transcript
from reconciler.observed.model import Observation, Seen, Unseen
from reconciler.observed.read import read_probe
from reconciler.observed.remembered import Remembered

DATA = Path(__file__).parent / "data"
NOW = 1795435200


class Recording:
    """What one probe printed."""

    def __init__(self, name: str) -> None:
        content = json.loads((DATA / f"{name}.json").read_text())
        self.host: str = content["host"]
        self.roots: list[str] = content["roots"]
        self.outcomes = {step: Outcome(**said) for step, said in content["outcomes"].items()}

    def read(self, remembered: Remembered | None = None) -> Observation:
        transcript = Transcript(self.outcomes)
        return read_probe(self.host, self.roots, transcript, NOW, remembered=remembered)

    def seen(self) -> Seen:
        observation = self.read()
        assert isinstance(observation, Seen), observation
        return observation

    def unseen(self) -> Unseen:
        observation = self.read()
        assert isinstance(observation, Unseen), observation
        assert "\n" not in observation.cause
        return observation

    def edit(self, step: str, old: str, new: str) -> "Recording":
        """Replace a text that is in a step's stdout."""
        outcome = self.outcomes[step]
        assert old in outcome.stdout
        return self.put(step, stdout=outcome.stdout.replace(old, new))

    def put(
        self, step: str, *, stdout: str | None = None, stderr: str = "", status: int = 0
    ) -> "Recording":
        """Replace what a step did."""
        text = self.outcomes[step].stdout if stdout is None else stdout
        self.outcomes[step] = Outcome(status, text, stderr)
        return self

    def add(self, step: str, rows: str) -> "Recording":
        """Append to a step's stdout and leave the rest as it is."""
        outcome = self.outcomes[step]
        self.outcomes[step] = replace(outcome, stdout=outcome.stdout + rows)
        return self
