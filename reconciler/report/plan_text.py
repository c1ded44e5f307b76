"""A plan for people: lines that do not depend on a terminal's width, in a stable order."""

from collections.abc import Iterator

from reconciler.planner.plan import Kept, Plan, PolicyChange
from reconciler.report.blocks import block_lines
from reconciler.report.figures import count_text, moment_text
from reconciler.report.lines import Line, Style, section
from reconciler.report.naming import names_text
from reconciler.report.summary import of_plan
from reconciler.report.trouble_text import trouble_lines, unseen_lines

HOSTS_NAMED = 8


def plan_lines(plan: Plan, *, explain: bool = False) -> Iterator[Line]:
    """Yield the plan; `explain` unfolds everything and says why versions are kept."""
    yield from _header(plan, explain=explain)
    yield from block_lines(plan, explain=explain)
    if explain:
        yield from section(Line("Kept, and why", Style.TITLE), _kept(plan.kept))
    yield from trouble_lines(plan, explain=explain)
    yield Line()
    yield of_plan(plan).line


def _header(plan: Plan, *, explain: bool) -> Iterator[Line]:
    specs = f"specs {plan.specs.revision}" if plan.specs.revision else "specs"
    objects = count_text(plan.specs.objects, "object")
    yield Line(f"Plan of {moment_text(plan.at)} from {specs} ({objects}).")
    seen = [state.host for state in plan.hosts if state.seen]
    if seen:
        count = count_text(len(seen), "host")
        yield Line(f"{count} observed: {names_text(seen, None if explain else HOSTS_NAMED)}.")
    yield from unseen_lines(plan.hosts)
    if plan.policy_change is not None:
        yield _policy_change(plan.policy_change)
    if plan.allow_destroy:
        lifted = ", ".join(plan.allow_destroy)
        yield Line(f"The destroy budget of {lifted} is lifted for this plan.", Style.WARNING)
    if plan.targets:
        yield Line(
            f"Restricted to {', '.join(plan.targets)}: what else there is to do was left out.",
            Style.WARNING,
        )


def _policy_change(change: PolicyChange) -> Line:
    if not change.more and not change.fewer:
        return Line(f"The keep rules of {change.compared} let go of the same versions.")
    fewer = f", and {change.fewer} fewer" if change.fewer else ""
    where = count_text(change.filesystems, "filesystem")
    more = count_text(change.more, "more version")
    verb = "goes" if change.more == 1 else "go"
    said = f"{more} {verb}{fewer} than by the keep rules of {change.compared}, on {where}."
    return Line(said, Style.WARNING if change.more else Style.PLAIN)


def _kept(kept: tuple[Kept, ...]) -> Iterator[Line]:
    place = None
    for one in kept:
        if (one.host, one.filesystem) != place:
            place = (one.host, one.filesystem)
            yield Line(f"  {one.host} {one.filesystem}")
        yield Line(f"      {one.version.label}  {', '.join(one.rules)}", Style.QUIET)
