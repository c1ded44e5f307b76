"""The guards, each alone."""

from functools import partial

from tests.mutations.mutation import Mutation

GUARDS = partial(
    Mutation,
    file="reconciler/planner/guards.py",
    tests=("tests/unit/planner/test_guards.py",),
)

MUTATIONS = (
    GUARDS(
        "the guards are not asked",
        (1, 3, 9),
        "return guard(guard_mending(draft, desired, observed), desired, observed)",
        "return draft",
        file="reconciler/planner/planning.py",
        tests=("tests/unit/planner/test_destroying.py",),
    ),
    GUARDS(
        "the clock guard lets everything pass",
        (9, "clock"),
        "if abs(difference) > MAX_CLOCK_DIFFERENCE:",
        "if False:",
    ),
    GUARDS(
        "the guard of switched off filesystems lets everything pass",
        (3, "disabled"),
        "if filesystem.disabled:",
        "if False:",
    ),
    GUARDS(
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
    GUARDS(
        "the guard of versions from the future lets everything pass",
        (9, "future"),
        "if version.creation > limit and any(",
        "if False and any(",
    ),
    GUARDS(
        "the guards take a host that was not seen for one without versions",
        (1, "unseen"),
        'return _Scene(("unseen", f"{host} {name} was not seen"))',
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
        "        if not self._is_managed(place, version, scene.roles):",
        "        version = doomed\n        if not self._is_managed(place, version, scene.roles):",
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
        "if self._filesystem(role.sender) is None:",
        "if False:",
    ),
    GUARDS(
        "the guard of conflicts lets everything pass",
        (3, "conflict"),
        "if not isinstance(self._history(role), Common) and not begun:",
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
        "if not self._is_managed(place, version, scene.roles):",
        "if False:",
    ),
    GUARDS(
        "the guard of foreign versions lets all bookmarks pass",
        (3, "foreign"),
        "return any(r.sender == place and r.marks.is_cursor(version) for r in roles)",
        "return True",
    ),
    GUARDS(
        "the guard of held versions overlooks holds that have a name",
        (3, "held"),
        "if strangers or version.userrefs > len(version.holds):",
        "if version.userrefs > len(version.holds):",
    ),
    GUARDS(
        "the guard of held versions overlooks holds that are only counted",
        (3, "held"),
        "if strangers or version.userrefs > len(version.holds):",
        "if strangers:",
    ),
    GUARDS(
        "the guard of the last version lets everything pass",
        (3, "last-version"),
        "if version.is_snapshot and not scene.something_stays and not arrives:",
        "if False:",
    ),
    GUARDS(
        "the guard of the last version counts foreign ones",
        (3, "last-version"),
        "version.guid not in doomed and self._is_managed(place, version, roles)",
        "version.guid not in doomed",
    ),
    GUARDS(
        "the guard of the last version counts a snapshot of another filesystem",
        (3, "last-version"),
        "any(place in self.arrivals.get(id_, ()) for id_ in planned.depends_on)",
        "any(id_ in self.arrivals for id_ in planned.depends_on)",
    ),
    GUARDS(
        "the guard of the common version lets the coming one pass",
        (3, "common-version"),
        "if version.guid == need.future:",
        "if False:",
    ),
    GUARDS(
        "the guard of the common version lets the present one pass",
        (3, "common-version"),
        "if version.guid in need.guids and need.until not in planned.depends_on:",
        "if False:",
    ),
    GUARDS(
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
    GUARDS(
        "the guards do not know that a filesystem is sent",
        (1, 3, "common-version", "peer-unseen"),
        "roles = (*self._sending(host, name), *self._receiving(host, name))",
        "roles = (*self._receiving(host, name),)",
    ),
    GUARDS(
        "the guards do not know that a filesystem is received",
        (1, 3, "common-version", "peer-unseen"),
        "roles = (*self._sending(host, name), *self._receiving(host, name))",
        "roles = (*self._sending(host, name),)",
    ),
)
