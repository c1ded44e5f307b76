"""Run random sequences on the simulator and on a real host, and compare.

    python -m tests.support.differ --lab DIR --host alpha --seed 1 --commands 2000

Each sequence runs on the simulator while it is chosen, then as it is on the host. Recordings (what
the host said) are kept with `--keep FOLDER`, so that `--recheck FOLDER` can tell without a host
whether a mended simulator agrees now.
"""

import argparse
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from reconciler.zfs.types import Argv
from tests.lab.machines import Lab, Machine
from tests.support import reality
from tests.support.compared import LISTING, Difference, first_difference
from tests.support.reality import Answer, Asked
from tests.support.sequences import LENGTH, new_machine, sequence
from tests.support.steps import KEEP, WRITE, Outcome, Simulated, Step, parse, shown

_HOLDS_EVERY = 4

_ATTEMPTS = 3
_CRASHED = {128 + signal.SIGSEGV, 128 + signal.SIGBUS, 128 + signal.SIGILL}


@dataclass(frozen=True)
class Recording:
    """A sequence and what a real host said."""

    name: str
    asked: list[Asked]
    real: list[Answer]

    def to_json(self) -> str:
        """Return the recording as text."""
        steps = [
            {"step": shown(asked.step), "questions": asked.questions, "answer": asdict(answer)}
            for asked, answer in zip(self.asked, self.real, strict=True)
        ]
        return json.dumps({"name": self.name, "steps": steps}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Recording":
        """Return the recording that is written in a text."""
        read = json.loads(text)
        asked = [
            Asked(parse(step["step"]), tuple(tuple(argv) for argv in step["questions"]))
            for step in read["steps"]
        ]
        real = [
            Answer(
                _outcome(step["answer"]["outcome"]),
                tuple(_outcome(outcome) for outcome in step["answer"]["answers"]),
            )
            for step in read["steps"]
        ]
        return cls(read["name"], asked, real)


@dataclass
class Tally:
    """What was compared."""

    kinds: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    differences: list[tuple[Recording, Difference]] = field(default_factory=list)

    @property
    def commands(self) -> int:
        """The number of commands that were compared."""
        return sum(self.kinds.values())

    def add(self, recording: Recording) -> Difference | None:
        """Compare a recording with what the simulator says now."""
        simulated = simulate(recording.asked)
        found = first_difference(recording.asked, simulated, recording.real, self.hits)
        agreed = len(recording.asked) if found is None else found.number
        for asked, answer in zip(recording.asked[:agreed], recording.real, strict=False):
            self.kinds.update(kind for argv in asked.step if (kind := _kind(argv)))
            self.failed += sum(status != 0 for status in answer.outcome.statuses)
        if found is not None:
            self.differences.append((recording, found))
        return found


def generate(seed: int, length: int = LENGTH) -> list[Asked]:
    """Return a random sequence with what is asked after each step.

    That is a listing after steps that change something on the simulated host, and at the end: a
    step that should have changed nothing is found out by the next one.
    """
    chosen: list[Asked] = []
    for number, (step, simulated) in enumerate(sequence(seed, length)):
        before = simulated.cell.read()
        simulated.run(step)
        changed = simulated.cell.read() is not before
        chosen.append(Asked(step, _questions(number, simulated) if changed else ()))
    return [*chosen[:-1], replace(chosen[-1], questions=(LISTING,))]


def _questions(number: int, simulated: Simulated) -> tuple[Argv, ...]:
    held = [
        f"{name}@{snapshot.name}"
        for name, dataset in sorted(simulated.cell.read().datasets.items())
        for snapshot in dataset.snapshots
        if snapshot.holds
    ]
    wanted = held and number % _HOLDS_EVERY == 0
    return (LISTING, ("zfs", "holds", "-H", *held)) if wanted else (LISTING,)


def simulate(sequence: Sequence[Asked]) -> list[Answer]:
    """Run a sequence on a new simulated machine."""
    simulated = new_machine()
    return [
        Answer(simulated.run(asked.step), tuple(simulated.ask(*argv) for argv in asked.questions))
        for asked in sequence
    ]


def record(machine: Machine, name: str, asked: list[Asked]) -> Recording:
    """Run a sequence on a real host; again if a command crashed, as emulated hosts let them."""
    for _ in range(_ATTEMPTS):
        recording = Recording(name, asked, reality.run(machine, asked))
        statuses = {n for answer in recording.real for n in answer.outcome.statuses}
        if statuses.isdisjoint(_CRASHED):
            break
        print(f"{name}: a command crashed on {machine.name}", flush=True)
    return recording


def shrink(machine: Machine, recording: Recording, found: Difference) -> Recording:
    """Return a shorter sequence with the same kind of first difference: drop step by step."""
    best = Recording(
        recording.name, recording.asked[: found.number + 1], recording.real[: found.number + 1]
    )
    at = len(best.asked) - 2
    size = max(1, at // 2)
    while size >= 1:
        at = len(best.asked) - 1 - size
        while at >= 0:
            rest = [*best.asked[:at], *best.asked[at + size :]]
            shorter = record(machine, recording.name, rest)
            still = first_difference(rest, simulate(rest), shorter.real)
            if still is not None and _same(still, found):
                best = Recording(
                    best.name, rest[: still.number + 1], shorter.real[: still.number + 1]
                )
                at = min(at, len(best.asked) - 1) - size
            else:
                at -= size
        size //= 2
    return best


def _same(one: Difference, other: Difference) -> bool:
    return one.step == other.step


def _kind(argv: Argv) -> str | None:
    if argv[0] in {WRITE, KEEP}:
        return argv[0]
    return " ".join(argv[:2]) if argv[0] in {"zfs", "zpool"} else None


def _outcome(read: dict[str, object]) -> Outcome:
    stdout, stderrs, statuses = read["stdout"], read["stderrs"], read["statuses"]
    assert isinstance(stdout, str)
    assert isinstance(stderrs, list)
    assert isinstance(statuses, list)
    return Outcome(stdout, tuple(stderrs), tuple(statuses))


# -- by hand ---------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; exit status 1 if there are differences."""
    given = _parser().parse_args(arguments)
    tally = Tally()
    began = time.monotonic()
    for recording in _recordings(given, tally):
        found = tally.add(recording)
        if found is not None:
            print(f"== {recording.name}: {found}\n", flush=True)
    _summary(tally, time.monotonic() - began)
    return 1 if tally.differences else 0


def _recordings(given: argparse.Namespace, tally: Tally) -> Iterator[Recording]:
    if given.recheck is not None:
        for path in sorted(given.recheck.glob("*.json")):
            yield Recording.from_json(path.read_text())
        return
    lab = Lab.attach(given.lab)
    machine = lab.machines[given.host]
    for seed in _until(lambda: tally.commands < given.commands, given.seed):
        recording = record(machine, f"seed-{seed}", generate(seed))
        if given.keep is not None:
            given.keep.mkdir(parents=True, exist_ok=True)
            (given.keep / f"{recording.name}.json").write_text(recording.to_json())
        yield recording
    reality.clean(machine)


def _until(wanted: Callable[[], bool], number: int) -> Iterable[int]:
    while wanted():
        yield number
        number += 1


def _summary(tally: Tally, seconds: float) -> None:
    print(f"{tally.commands} commands compared in {seconds:.0f} s, {tally.failed} refused")
    for kind, count in tally.kinds.most_common():
        print(f"  {count:6} {kind}")
    for name, count in tally.hits.most_common():
        print(f"  {count:6} times accepted: {name}")
    print(f"{len(tally.differences)} differences")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.support.differ", description=__doc__)
    parser.add_argument("--lab", type=Path, default=Path("/tmp/lab"), help="folder of the lab")
    parser.add_argument("--host", default="alpha")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commands", type=int, default=2000)
    parser.add_argument("--keep", type=Path, help="folder for recordings")
    parser.add_argument("--recheck", type=Path, help="compare these recordings, without a host")
    return parser


__all__ = ["Recording", "Step", "Tally", "generate", "main", "record", "shrink", "simulate"]

if __name__ == "__main__":
    sys.exit(main())
