"""Specs that are empty or broken, and receivers that get into each other's way."""

from functools import partial

from tests.mutations.mutation import Mutation

BROKEN = "tests/unit/desired/test_broken_specs.py"
FILES = "tests/unit/desired/test_files.py"
RESOLVED = "tests/unit/desired/test_resolve.py"
"""Some tests there measure time, so that single ones are named."""
SELECTED = "tests/unit/desired/test_selection.py"

AREAS = partial(Mutation, file="reconciler/desired/areas.py", tests=(BROKEN,))
OVERLAP = partial(
    Mutation, file="reconciler/desired/overlap.py", tests=("tests/unit/desired/test_overlap.py",)
)
RESOLVE = partial(Mutation, file="reconciler/desired/resolve.py", tests=(BROKEN,))
YAML = partial(Mutation, file="reconciler/desired/yamlfile.py", tests=(BROKEN,))

MUTATIONS = (
    RESOLVE(
        "specs with findings are taken as they are",
        (5,),
        "    if findings:\n",
        "    if False:\n",
    ),
    RESOLVE(
        "what could not be read of the specs is left out",
        (5,),
        "        *specs.findings,\n",
        "",
    ),
    RESOLVE(
        "a suspended spec is read as an active one",
        (3,),
        "suspend=spec.suspend,",
        "suspend=False,",
        tests=(f"{RESOLVED}::test_the_digest_is_about_what_is_said_not_how",),
    ),
    RESOLVE(
        "the senders of one target may share the place to receive",
        (7,),
        'if len(roots) > 1 and "{host}" not in section.under:',
        "if False:",
    ),
    RESOLVE(
        "senders come in the order of the files",
        (8,),
        "yield from sorted(found)",
        "yield from found",
        tests=(f"{RESOLVED}::test_senders_come_by_name_wherever_their_hosts_stand",),
    ),
    Mutation(
        "a folder without specs is an empty spec set",
        (5,),
        "    if nothing:\n",
        "    if False:\n",
        "reconciler/desired/files.py",
        (FILES,),
    ),
    Mutation(
        "a spec file that can't be read is left out",
        (5,),
        'yield Position(str(path)).error(f"this can\'t be read: {error.strerror or error}")',
        "return",
        "reconciler/desired/files.py",
        (FILES,),
    ),
    YAML(
        "a spec file that stops being YAML is read up to there",
        (5,),
        "self.findings.append(self.syntax_error(error))",
        "self.at_end = True",
    ),
    YAML(
        "of a key that stands twice the last one counts",
        (5,),
        "if key in marks:",
        "if False:",
    ),
    Mutation(
        "of two objects of one name the first one counts",
        (5,),
        "if known is not item:",
        "if False:",
        "reconciler/desired/specset.py",
        (BROKEN,),
    ),
    AREAS(
        "receivers may be the same",
        (7,),
        "    if name := common(one.selection, other.selection):\n"
        '        return other.where.error(f"{_at(one, name)} is received here',
        "    if name := None:\n"
        '        return other.where.error(f"{_at(one, name)} is received here',
    ),
    AREAS(
        "a receiver may lie in one of an earlier target",
        (7,),
        "if name := nested(one.selection, other.selection):",
        "if name := None:",
    ),
    AREAS(
        "a receiver may lie in one of a later target",
        (7,),
        "if name := nested(other.selection, one.selection):",
        "if name := None:",
    ),
    AREAS(
        "a receiver may be a source as well",
        (7,),
        "name = common(source.selection, receiver.selection)",
        "name = None",
    ),
    AREAS(
        "a source may lie in a receiver",
        (7,),
        "name = name or nested(receiver.selection, source.selection)",
        "pass",
    ),
    AREAS(
        "two specs may make snapshots of one name",
        (3,),
        "if not name or one.replication == other.replication:",
        "if True:",
    ),
    OVERLAP(
        "what is too hard to decide does not meet",
        (7,),
        "return max(one.roots()[0], other.roots()[0], key=len)",
        "return None",
    ),
    Mutation(
        "excludes exclude nothing",
        (3,),
        "return bool(self._wanted.fullmatch(filesystem)) and "
        "not self._unwanted.fullmatch(filesystem)",
        "return bool(self._wanted.fullmatch(filesystem))",
        "reconciler/desired/selection.py",
        (f"{SELECTED}::test_an_exclude_takes_away_exactly_what_it_names",),
    ),
    Mutation(
        "a receiver's name is the last part of its sender's",
        (7,),
        'return f"{self.roots[sender]}/{filesystem}"',
        "return f\"{self.roots[sender]}/{filesystem.rpartition('/')[2]}\"",
        "reconciler/desired/model.py",
        (f"{RESOLVED}::test_a_receivers_name_depends_on_its_sender_and_filesystem_alone",),
    ),
)
