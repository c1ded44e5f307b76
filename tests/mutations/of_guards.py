"""The guards, each alone."""

from functools import partial

from tests.mutations.mutation import Mutation

GUARDS = partial(
    Mutation,
    file="reconciler/planner/guards.py",
    tests=("tests/unit/planner/test_guards.py",),
)

OBJECTIONS = partial(GUARDS, file="reconciler/planner/objections.py")
MOVEMENTS = partial(GUARDS, file="reconciler/planner/movements.py")
ROLES = partial(GUARDS, file="reconciler/planner/roles.py")
BUDGET = partial(
    Mutation,
    file="reconciler/planner/budget.py",
    tests=("tests/unit/planner/test_budget.py",),
)
EXCESS = partial(GUARDS, tests=("tests/unit/planner/test_budget.py",))

MUTATIONS = (
    GUARDS(
        "the guards are not asked",
        (1, 3, 9),
        "guarded = guard(mended, desired, observed, allow_destroy)",
        "guarded = mended",
        file="reconciler/planner/planning.py",
        tests=("tests/unit/planner/test_destroying.py",),
    ),
    OBJECTIONS(
        "the clock guard lets everything pass",
        (9, "clock"),
        "if abs(difference) > MAX_CLOCK_DIFFERENCE:",
        "if False:",
    ),
    OBJECTIONS(
        "the guard of switched off filesystems lets everything pass",
        (3, "disabled"),
        "if filesystem.disabled:",
        "if False:",
    ),
    OBJECTIONS(
        "the guard of suspended specs lets everything pass",
        (3, "suspended"),
        "if replication.suspend:",
        "if False:",
    ),
    GUARDS(
        "the guard of suspended specs knows only those with a target",
        (3, "suspended"),
        "replications = (*(role.replication for role in roles), *selecting)",
        "replications = tuple(role.replication for role in roles)",
    ),
    OBJECTIONS(
        "the guard of versions from the future lets everything pass",
        (9, "future"),
        "if version.creation > limit and any(",
        "if False and any(",
    ),
    GUARDS(
        "the guards take a host that was not seen for one without versions",
        (1, "unseen"),
        'return _Scene(Objection("unseen", f"{\' \'.join(place)} was not seen"))',
        "return _Scene(None)",
    ),
    GUARDS(
        "the guards know a version by its name",
        (2, "unseen"),
        "version = scene.known.get((doomed.label, doomed.guid))",
        "version = {v.label: v for v in scene.known.values()}.get(doomed.label)",
    ),
    GUARDS(
        "the guards take the plan's word for the holds and marks of a version",
        (3, "held", "foreign"),
        "        owners = scene.owned_by(version)\n",
        "        version = doomed\n        owners = scene.owned_by(version)\n",
    ),
    GUARDS(
        "the guard of unseen peers lets everything pass",
        (1, "peer-unseen"),
        "if not (self._is_seen(role.sender) and self._is_seen(role.receiver)):",
        "if False:",
    ),
    GUARDS(
        "the guard of unseen peers asks for the host alone, not for the pool",
        (1, "peer-unseen"),
        "return pool is not None and pool.usable",
        "return isinstance(seen, Seen)",
    ),
    GUARDS(
        "the guard of peers that are gone lets everything pass",
        (3, "peer-gone"),
        "if self._filesystem(role.sender) is None and not self._coming(role):",
        "if False:",
    ),
    GUARDS(
        "the guard of conflicts lets everything pass",
        (3, "conflict"),
        "if not isinstance(self._history_then(role), Common) and not begun:",
        "if False:",
    ),
    GUARDS(
        "the guard of conflicts takes a receive of somebody else for ours",
        (3, "conflict"),
        "begun = there is None or (there.inconsistent and there.resume_token is not None)",
        "begun = there is None or there.inconsistent",
    ),
    GUARDS(
        "the guard of foreign versions lets everything pass",
        (3, "foreign"),
        "if not owners:",
        "if False:",
    ),
    ROLES(
        "the guard of foreign versions lets all bookmarks pass",
        (3, "foreign"),
        "cursors = (Owner(r.replication, r.marks.is_cursor) for r in roles if r.sender == place)",
        "cursors = (Owner(r.replication, lambda v: not v.is_snapshot) for r in roles)",
    ),
    OBJECTIONS(
        "the guard of held versions overlooks holds that have a name",
        (3, "held"),
        "if strangers or version.userrefs > len(version.holds):",
        "if version.userrefs > len(version.holds):",
    ),
    OBJECTIONS(
        "the guard of held versions overlooks holds that are only counted",
        (3, "held"),
        "if strangers or version.userrefs > len(version.holds):",
        "if strangers:",
    ),
    GUARDS(
        "the guard of the last version lets everything pass",
        (3, "last-version"),
        "if version.is_snapshot and not (scene.something_stays or arrives or scene.departs):",
        "if False:",
    ),
    GUARDS(
        "the guard of the last version counts foreign ones",
        (3, "last-version"),
        "version.guid not in doomed and any(owner.owns(version) for owner in owners)",
        "version.guid not in doomed",
    ),
    MOVEMENTS(
        "the guard of the last version counts a snapshot of another filesystem",
        (3, "last-version"),
        "any(place in self.arrivals[id_].places for id_ in actions if id_ in self.arrivals)",
        "any(id_ in self.arrivals for id_ in actions)",
    ),
    OBJECTIONS(
        "the guard of the common version lets the coming one pass",
        (3, "common-version"),
        "if version.guid == need.future:",
        "if False:",
    ),
    OBJECTIONS(
        "the guard of the common version lets the present one pass",
        (3, "common-version"),
        "if version.guid in need.guids and need.until not in planned.depends_on:",
        "if False:",
    ),
    OBJECTIONS(
        "the guard of the common version does not look whether a destroy waits for the send",
        (3, "common-version"),
        "if version.guid in need.guids and need.until not in planned.depends_on:",
        "if version.guid in need.guids and need.until is None:",
    ),
    GUARDS(
        "the guard of the common version does not care for what is on its way",
        (3, "common-version"),
        "for v in (send.base, *send.versions) if v is not None}",
        "for v in (send.base,) if v is not None}",
    ),
    ROLES(
        "the guards do not know that a filesystem is sent",
        (1, 3, "common-version", "peer-unseen"),
        "return (*self._sending(*place), *self._receiving(*place))",
        "return (*self._receiving(*place),)",
    ),
    ROLES(
        "the guards do not know that a filesystem is received",
        (1, 3, "common-version", "peer-unseen"),
        "return (*self._sending(*place), *self._receiving(*place))",
        "return (*self._sending(*place),)",
    ),
    BUDGET(
        "the destroy budget knows no share",
        ("budget",),
        "if allowed.share is None or counted <= allowed.always:",
        "if True:",
    ),
    BUDGET(
        "the destroy budget knows no number",
        ("budget",),
        "if allowed.versions is not None and found.going > allowed.versions:",
        "if False:",
    ),
    BUDGET(
        "a destroy budget of few versions is not looked at",
        ("budget",),
        "return going > min(allowed.always, allowed.versions or allowed.always)",
        "return going > allowed.always",
        tests=("tests/unit/planner/test_budget.py", "tests/unit/planner/test_policy.py"),
    ),
    BUDGET(
        "what piled up counts towards the share of a budget",
        ("budget",),
        "counted = found.going - found.fresh",
        "counted = found.going",
    ),
    EXCESS(
        "the destroy budget is lifted for all when it is for one",
        ("budget",),
        "if name in self.allow_destroy or not is_near(",
        "if self.allow_destroy or not is_near(",
    ),
    EXCESS(
        "a person's word lifts no destroy budget",
        ("budget",),
        "if name in self.allow_destroy or not is_near(",
        "if not is_near(",
    ),
    EXCESS(
        "what arrives does not count towards what stays",
        ("budget",),
        "found = Going(len(going), fresh, len(mine) - len(going) + coming)",
        "found = Going(len(going), fresh, len(mine) - len(going))",
    ),
    MOVEMENTS(
        "what arrives counts whether or not the destroys wait for it",
        ("budget",),
        "arrivals = (self.arrivals[id_] for id_ in awaited if id_ in self.arrivals)",
        "arrivals = self.arrivals.values()",
        tests=("tests/unit/planner/test_budget.py",),
    ),
    EXCESS(
        "what goes before anything arrives has no budget of its own",
        ("budget",),
        "for guids, coming in ((first, 0), (doomed, self.moves.awaited_versions(place, name))):",
        "for guids, coming in ((doomed, self.moves.awaited_versions(place, name)),):",
    ),
    EXCESS(
        "what was made before one of the receivers was up to date counts as piled up",
        ("budget",),
        "if not commons or len(commons) < len(found):",
        "if not commons:",
    ),
    EXCESS(
        "two replications share a destroy budget",
        ("budget",),
        "yield from (scene.excesses[name] for name in owners if name in scene.excesses)",
        "yield from scene.excesses.values()",
    ),
)
