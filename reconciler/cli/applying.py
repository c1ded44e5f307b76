"""Applying a plan: a fresh one after it was shown and approved, or a saved one if it still fits."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from reconciler.cli.interrupts import stopping_on_interrupt
from reconciler.cli.output import Output, print_error
from reconciler.cli.plan_files import read_plan
from reconciler.cli.session import Session
from reconciler.cli.views import JsonView, PlainView, View
from reconciler.errors import PlanStale, ReconcilerError, UsageError
from reconciler.executor import execute as executing
from reconciler.executor.events import RunResult
from reconciler.planner.plan import Plan
from reconciler.planner.waiting import must_wait
from reconciler.report import events_json
from reconciler.report.fields import Json
from reconciler.report.lines import Line
from reconciler.report.plan_text import plan_lines
from reconciler.report.run_text import result_lines
from reconciler.report.stale import stale
from reconciler.report.summary import ExitCode, Summary, of_plan, of_run

NOT_APPROVED = "Nothing was applied: there is no terminal to ask on. --auto-approve does not ask."


class Applying:
    """One `reconciler apply`."""

    def __init__(  # noqa: PLR0913 - as many as there are options
        self,
        specs: Path,
        ssh_config: Path | None,
        output: Output,
        now: int | None = None,
        *,
        as_json: bool = False,
        explain: bool = False,
    ) -> None:
        self.specs = specs
        self.ssh_config = ssh_config
        self.output = output
        self.now = now
        self.as_json = as_json
        self.explain = explain

    def fresh(
        self, *, approved: bool, allow_destroy: Sequence[str] = (), compare: str | None = None
    ) -> ExitCode:
        """Observe, plan, show, ask unless that was done, and execute."""

        def planned(session: Session) -> Plan:
            return session.plan(explain=self.explain, allow_destroy=allow_destroy, compare=compare)

        return self.made(planned, approved=approved)

    def made(self, make: Callable[[Session], Plan], *, approved: bool) -> ExitCode:
        """Show the plan that is made, ask unless that was done, and execute."""
        with self._errors_told(), self._session() as session:
            plan = make(session)
            self._show(plan)
            if not plan.actions:
                return self._nothing_to_do(plan)
            if not approved and not self._asked():
                return ExitCode.ERROR
            return self._execute(plan, session)

    def saved(self, file: Path) -> ExitCode:
        """Execute a saved plan, if specs and hosts still are what it was made for."""
        with self._errors_told():
            saved = read_plan(file)
            with self._session() as session:
                plan = _as_things_are(saved, _planned_again(saved, session))
                self._show(plan)
                if not plan.actions:
                    return self._nothing_to_do(plan)
                return self._execute(plan, session)

    def _session(self) -> Session:
        session = Session(self.specs, self.ssh_config, self.now)
        if self.now is not None and not session.all_simulated:
            raise UsageError("--now: there are real hosts in the specs, and their time is now")
        return session

    def _show(self, plan: Plan) -> None:
        if self.as_json:
            self._emit(events_json.version_object())
            for document in events_json.plan_objects(plan):
                self._emit(document)
        else:
            self.output.lines(plan_lines(plan, explain=self.explain))

    def _nothing_to_do(self, plan: Plan) -> ExitCode:
        summary = of_plan(plan)
        self._end(summary, None)
        return summary.code

    def _asked(self) -> bool:
        """Ask whether to go on; without a terminal the answer is no."""
        if not sys.stdin.isatty():
            print_error(NOT_APPROVED)
            return False
        print("\nApply this? Only 'yes' is accepted: ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip() == "yes":
            return True
        print_error("Nothing was applied.")
        return False

    def _execute(self, plan: Plan, session: Session) -> ExitCode:
        stop = threading.Event()
        view = self._view(plan)
        with view, stopping_on_interrupt(session.fleet, stop):
            result = executing.execute(
                plan,
                session.desired,
                session.fleet,
                view.event,
                stop,
                must_wait=lambda planned: must_wait(session.desired, planned, int(session.clock())),
            )
        if not self.as_json:
            self.output.lines(result_lines(plan, result, view.because))
        summary = of_run(plan, result)
        self._end(summary, result)
        return summary.code

    def _view(self, plan: Plan) -> View:
        if self.as_json:
            return JsonView(self.output)
        self.output.lines([Line()])
        if sys.stdout.isatty():
            from reconciler.cli.live import LiveView

            return LiveView(len(plan.actions), colour=self.output.colour)
        return PlainView(self.output, len(plan.actions))

    def _end(self, summary: Summary, result: RunResult | None) -> None:
        if self.as_json:
            self._emit(events_json.summary_object(summary, result))

    def _emit(self, document: Json) -> None:
        self.output.text(events_json.event_line(document, time.time()))

    @contextmanager
    def _errors_told(self) -> Iterator[None]:
        """End a JSON stream with the error that ends the command."""
        try:
            yield
        except ReconcilerError as error:
            if self.as_json:
                code = ExitCode.USAGE if isinstance(error, UsageError) else ExitCode.ERROR
                self._emit(events_json.error_object(str(error), code))
            raise


def _planned_again(saved: Plan, session: Session) -> Plan:
    """Return the plan as it would be made now for the same instant."""
    if session.desired.digest != saved.specs.digest:
        raise PlanStale("the saved plan is stale: the specs have changed since; plan anew")
    try:
        return session.plan(saved.at, targets=saved.targets, allow_destroy=saved.allow_destroy)
    except UsageError as error:
        raise PlanStale(f"the saved plan is stale: {error}; plan anew") from error


def _as_things_are(saved: Plan, fresh: Plan) -> Plan:
    """Return the saved plan with what stands in its way by now; PlanStale when it does not fit."""
    differences = stale(saved, fresh)
    if differences:
        told = "".join(f"\n  {difference}" for difference in differences)
        raise PlanStale(f"the saved plan is stale, plan anew:{told}")
    return replace(
        saved,
        hosts=fresh.hosts,
        conflicts=fresh.conflicts,
        blocked=fresh.blocked,
        notes=fresh.notes,
    )
