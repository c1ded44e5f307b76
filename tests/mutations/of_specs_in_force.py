"""Specs that are half-written, broken or suspiciously small, and those in commits."""

from functools import partial

from tests.mutations.mutation import Mutation

FORCE = "tests/unit/controller/test_specs.py"
COMMITS = "tests/unit/desired/test_gitfiles.py"

KEEPER = partial(Mutation, file="reconciler/controller/specs.py", tests=(FORCE,))
SHRINK = partial(
    Mutation,
    file="reconciler/desired/shrink.py",
    tests=("tests/unit/desired/test_shrink.py", "tests/property/test_shrinking.py"),
)
GIT = partial(Mutation, file="reconciler/desired/gitfiles.py", tests=(COMMITS,))

MUTATIONS = (
    KEEPER(
        "what one look finds is taken at once",
        (5,),
        "if found != self._seen:",
        "if False:",
    ),
    KEEPER(
        "what was read need not be what two looks found",
        (5,),
        "if files.fingerprint != fingerprint:",
        "if False:",
    ),
    KEEPER(
        "specs that shrank are taken",
        (5,),
        "if lost and not accepts(self.accept, desired):",
        "if False:",
    ),
    KEEPER(
        "broken specs take the last good ones out of force",
        (5,),
        "            if self._good is not None:\n"
        "                self._desired = self._desired or self._good.desired\n",
        "            self._desired = None\n",
    ),
    KEEPER(
        "the last good specs are not kept",
        (5,),
        "            kept.write(self.store, good)\n",
        "            pass\n",
    ),
    KEEPER(
        "broken specs are not said",
        (5,),
        "self._problem = _Problem(f",
        "_ = _Problem(f",
    ),
    SHRINK(
        "no replications at all are nothing suspicious",
        (5,),
        "if old.replications and not new.replications:",
        "if False:",
    ),
    SHRINK(
        "losing most is nothing suspicious",
        (5,),
        "2 * len(gone_of_kind) > len(before)",
        "len(gone_of_kind) > len(before)",
    ),
    SHRINK(
        "any word accepts a set that shrank",
        (5,),
        "enough = len(digits) >= _SHORTEST_ACCEPTED",
        "enough = True",
    ),
    GIT(
        "links and submodules in commits are left out",
        (5,),
        "matters = mode in {_SYMBOLIC_LINK, _SUBMODULE} or name.endswith(SUFFIXES)",
        "matters = mode.startswith('100') and name.endswith(SUFFIXES)",
    ),
    GIT(
        "a file that is not in the clone is an empty one",
        (5,),
        'if answer[start:begin] != head or answer[end : end + 1] != b"\\n":',
        "if False:",
    ),
    GIT(
        "a folder of a commit without specs is an empty spec set",
        (5,),
        "    if not entries:\n",
        "    if False:\n",
    ),
    Mutation(
        "a clone that is missing is looked for in the folders above it",
        (5,),
        '"GIT_CEILING_DIRECTORIES": str(repository.parent),',
        "",
        "reconciler/desired/gitprogram.py",
        (COMMITS,),
    ),
    Mutation(
        "no files at all are an empty spec set",
        (5,),
        "    if not resolved.objects:\n",
        "    if False:\n",
        "reconciler/desired/load.py",
        ("tests/unit/desired/test_load.py",),
    ),
    Mutation(
        "the last good specs of one place are taken for those of another",
        (5,),
        "    if kept.source != source:\n",
        "    if False:\n",
        "reconciler/controller/kept.py",
        ("tests/unit/controller/test_kept.py",),
    ),
)
