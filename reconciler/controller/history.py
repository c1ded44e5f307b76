"""The last outcomes of an object. Pure."""

from dataclasses import replace

from reconciler.report.status import HISTORY, PastRun

History = tuple[PastRun, ...]
"""Newest first."""


def grown(history: History, run: PastRun) -> History:
    """Return a history with one more run: it counts with the newest if that ended alike."""
    if history and _alike(history[0], run):
        newest = history[0]
        same = replace(run, first=newest.first, count=newest.count + run.count)
        return (same, *history[1:])
    return (run, *history)[:HISTORY]


def _alike(one: PastRun, other: PastRun) -> bool:
    return (one.generation, one.outcome, one.message) == (
        other.generation,
        other.outcome,
        other.message,
    )
