"""What is remembered of keys and hosts: the last report of each, and histories."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from reconciler.controller.assess import Report
from reconciler.controller.history import History, continues, grown
from reconciler.controller.keys import Key
from reconciler.observed.model import Observation, Unseen
from reconciler.report.status import Outcome, PastRun

REPEATS = 6
"""Runs in a row that each did something, after which a key counts as failing: somebody undoes what
it does, or it does not do what it should."""


class Memory:
    """Reports and histories. Its owner locks."""

    def __init__(self) -> None:
        self.reports: dict[Key, Report] = {}
        self.histories: dict[str, History] = {}
        """Of replications."""
        self.host_histories: dict[str, History] = {}
        self._repeats: Counter[Key] = Counter()

    def weigh(self, key: Key, report: Report, *, did: bool) -> Report:
        """Return the report as it counts: always finding something to do is a failure too."""
        self._repeats[key] = self._repeats[key] + 1 if did else 0
        if self._repeats[key] <= REPEATS or report.outcome is not Outcome.SUCCEEDED:
            return report
        said = f"more than {REPEATS} runs in a row had something to do: does something undo it?"
        return replace(report, outcome=Outcome.FAILED, reason="NotConverging", message=said)

    def remember(self, key: Key, report: Report, *, did: bool) -> bool:
        """Keep a report; True when it says something else than the one before.

        A run that found all as it should be, again, is no part of history. One that failed as the
        newest of it did counts with that.
        """
        before = self.reports.get(key)
        self.reports[key] = report
        news = before is None or _gist(before) != _gist(report)
        known, past = self.histories.get(key.replication, ()), _past(report)
        again = report.outcome is not Outcome.SUCCEEDED and continues(known, past)
        if news or did or again:
            self.histories[key.replication] = grown(known, past)
        return news

    def seen(self, observation: Observation, at: int, seconds: float) -> bool:
        """Keep how asking a host went; True when that is news of trouble."""
        unseen = isinstance(observation, Unseen)
        message = observation.cause if isinstance(observation, Unseen) else ""
        outcome = Outcome.FAILED if unseen else Outcome.SUCCEEDED
        run = PastRun("", outcome, message, at, at, 1, round(seconds, 3))
        before = self.host_histories.get(observation.host, ())
        self.host_histories[observation.host] = grown(before, run)
        return unseen and (not before or before[0].message != message)

    def forget(
        self, keys: Iterable[Key], replications: Iterable[str], hosts: Iterable[str]
    ) -> None:
        """Drop what the specs do not have any more."""
        for key in keys:
            self.reports.pop(key, None)
            self._repeats.pop(key, None)
        for name in replications:
            self.histories.pop(name, None)
        for host in hosts:
            self.host_histories.pop(host, None)


def _gist(report: Report) -> tuple[Outcome, str, str]:
    return report.outcome, report.message, report.generation


def _past(report: Report) -> PastRun:
    return PastRun(
        generation=report.generation,
        outcome=report.outcome,
        message=report.message,
        first=report.at,
        last=report.at,
        count=1,
        seconds=round(report.seconds, 3),
        done=report.done,
    )
