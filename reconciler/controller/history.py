"""The last outcomes of an object. Pure."""

from dataclasses import replace

from reconciler.report.status import HISTORY, Outcome, PastRun

History = tuple[PastRun, ...]
"""Newest first."""


def grown(history: History, run: PastRun) -> History:
    """Return a history with one more run: it counts with the newest if that ended alike."""
    if continues(history, run):
        newest = history[0]
        same = replace(run, first=newest.first, count=newest.count + run.count)
        return (same, *history[1:])
    return (run, *history)[:HISTORY]


def continues(history: History, run: PastRun) -> bool:
    """Tell whether a run ended like the newest of a history."""
    return bool(history) and _end(history[0]) == _end(run)


def _end(run: PastRun) -> tuple[str, Outcome, str]:
    return run.generation, run.outcome, run.message
