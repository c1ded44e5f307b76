"""What is remembered of keys and hosts: the last report of each, and histories."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from reconciler.controller.assess import Report
from reconciler.controller.history import History, continues, grown
from reconciler.controller.keys import Key
from reconciler.observed.model import Observation, Unseen
from reconciler.report.status import ControllerStatus, Outcome, PastRun

REPEATS = 6
"""Runs in a row that did the same, after which a key counts as failing: somebody undoes what it
does, or it does not do what it should."""


class Memory:
    """Reports and histories. Its owner locks."""

    def __init__(self) -> None:
        self.reports: dict[Key, Report] = {}
        self.histories: dict[str, History] = {}
        """Of replications."""
        self.host_histories: dict[str, History] = {}
        self._lately: dict[Key, tuple[frozenset[str], int]] = {}
        """What a key's last run did, and how many in a row did some of it."""

    def recall(self, status: ControllerStatus) -> None:
        """Take over the histories that an earlier process left."""
        self.histories = {found.name: found.history for found in status.replications}
        self.host_histories = {host.name: host.history for host in status.hosts}

    def weigh(self, key: Key, report: Report, *, did: Collection[str]) -> Report:
        """Return the report as it counts: doing the same again and again is a failure too.

        `did` are the ids of the actions that were done. Others each time are no repetition: where
        hosts are slow and slots short, every look finds another slot.
        """
        before, times = self._lately.get(key, (frozenset(), 0))
        times = times + 1 if before.intersection(did) else min(1, len(did))
        self._lately[key] = frozenset(did), times
        if times <= REPEATS or report.outcome is not Outcome.SUCCEEDED:
            return report
        said = f"more than {REPEATS} runs in a row had the same to do: does something undo it?"
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

    def tell(self, key: Key, report: Report, said: str) -> None:
        """Keep as part of a replication's history what is to be known beside a report."""
        past = replace(_past(report), outcome=Outcome.SUCCEEDED, message=said, done=(), seconds=0.0)
        known = self.histories.get(key.replication, ())
        self.histories[key.replication] = grown(known, past)

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
            self._lately.pop(key, None)
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
