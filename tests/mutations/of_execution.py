"""What was done is what is there afterwards, and a failure stops what depends on it."""

from functools import partial

from tests.mutations.mutation import Mutation

TRANSFER = partial(
    Mutation,
    file="reconciler/executor/transfer.py",
    tests=("tests/unit/executor/test_transfer.py",),
)
PERFORM = partial(
    Mutation, file="reconciler/executor/perform.py", tests=("tests/unit/executor/test_perform.py",)
)
EXECUTE = partial(
    Mutation, file="reconciler/executor/execute.py", tests=("tests/unit/executor/test_execute.py",)
)

TOGETHER = partial(
    Mutation,
    file="reconciler/actions/together.py",
    tests=("tests/unit/actions/test_together.py",),
)
HOOKS = partial(
    Mutation, file="reconciler/actions/hooks.py", tests=("tests/unit/actions/test_hooks.py",)
)
READY = partial(
    Mutation, file="reconciler/executor/ready.py", tests=("tests/unit/executor/test_ready.py",)
)

MUTATIONS = (
    TRANSFER(
        "a version has arrived when something of its name is there",
        (2,),
        "missing = [v for v in send.versions if there.get(_at(send, v)) != v.guid]",
        "missing = [v for v in send.versions if _at(send, v) not in there]",
    ),
    TRANSFER(
        "a version has arrived when both commands ended well",
        (2,),
        "        if not missing:\n",
        "        if not missing or getattr(outcome, 'ok', False):\n",
    ),
    TRANSFER(
        "a stream has arrived when its last version has",
        (2,),
        "missing = [v for v in send.versions if there.get(_at(send, v)) != v.guid]",
        "missing = [v for v in send.versions[-1:] if there.get(_at(send, v)) != v.guid]",
    ),
    TRANSFER(
        "any partial receive is gone on with",
        (2,),
        "if (then.toguid, then.fromguid) != (found.toguid, found.fromguid):",
        "if False:",
    ),
    TRANSFER(
        "a partial receive that is gone has arrived",
        (2,),
        'return self._arrived(send, None) if now == "-" else _continued(send, send.token, now)',
        'return Done() if now == "-" else _continued(send, send.token, now)',
    ),
    HOOKS(
        "what a hook stopped is started again only when it was stopped well",
        ("executions",),
        'Ran(f"before {number}") if hook.before',
        'Succeeded(f"before {number}") if hook.before',
    ),
    HOOKS(
        "snapshots are taken whatever a hook says",
        ("executions",),
        'return Succeeded(f"before {deciding[-1]}") if deciding else None',
        "return None",
    ),
    HOOKS(
        "a hook that could not put right what it did is not told of",
        ("executions",),
        'said := _wrong(hook, "after", transcript.get(f"after {number}"))',
        'said := ""',
    ),
    PERFORM(
        "a script that was run has done what it should",
        (2,),
        "            verdict and noted(verdict, together.host, heard.unlocked)\n",
        "            Done()\n",
    ),
    PERFORM(
        "a stream that broke fails with what it left in its own way",
        (2,),
        "if isinstance(action, Send) and isinstance(verdict, Failed) and _broke(tried[0]):",
        "if False:",
        tests=("tests/behaviours/test_watching.py",),
    ),
    TOGETHER(
        "what shares its commands with one that was replaced has failed with it",
        (6,),
        "if isinstance(verdict, Failed) and not _is_busy(verdict) and together.shares(number):",
        "if False:",
        file="reconciler/executor/perform.py",
    ),
    TOGETHER(
        "what came along and failed is tried with versions that nobody knows yet",
        (6,),
        "if self._is_known(actions[n]):",
        "if True:",
        file="reconciler/executor/perform.py",
    ),
    TOGETHER(
        "each of several actions is judged by what came of the first",
        (2,),
        "return part(transcript, number) if len(self._parts) > 1 else transcript",
        "return part(transcript, 0) if len(self._parts) > 1 else transcript",
    ),
    TOGETHER(
        "holds of all tags are one command",
        (4,),
        "return action.verb, action.tag, action.version.is_planned",
        "return action.verb, '', action.version.is_planned",
    ),
    TOGETHER(
        "what depends on a cursor is done though there is none",
        (4,),
        "        after=after,",
        "        after=(),",
        file="reconciler/hosts/joining.py",
    ),
    TOGETHER(
        "one of several proofs is enough",
        (4,),
        "        for number in needed\n",
        "        for number in needed[:1]\n",
        file="reconciler/hosts/joining.py",
    ),
    TOGETHER(
        "that the snapshot is there passes for the cursor",
        (4,),
        'proof=(Printed("made", f"{self.full}\\t{self.version.guid}"),),',
        'proof=(Printed("check", f"{self.version.of(self.filesystem)}\\t{self.version.guid}"),),',
        file="reconciler/actions/bookmark.py",
    ),
    READY(
        "marks wait for destroys that came along with others",
        ("executions",),
        "return Batch(lane.destroys if slow else lane, tuple(actions), along)",
        "return Batch(lane, tuple(actions), along)",
    ),
    TOGETHER(
        "a condition of a script looks at the first script among several",
        (2,),
        'when=when and replace(when, step=f"{prefix}{when.step}"),',
        'when=when and replace(when, step=f"{prefix_of(0)}{when.step}"),',
        file="reconciler/hosts/joining.py",
    ),
    READY(
        "what streams leave to be done is done for each of them",
        ("executions",),
        "elif waiting and not self._busy[lane] and (not self._flowing() or self._pressing(lane)):",
        "elif waiting and not self._busy[lane]:",
    ),
    READY(
        "what is ready goes although a part of it is still being done",
        ("executions",),
        "elif waiting and not self._busy[lane] and (not",
        "elif waiting and (not",
    ),
    READY(
        "what streams leave to be done waits for as long as they run",
        ("executions",),
        "return waited >= GATHERING or self._awaited[lane] > 0",
        "return self._awaited[lane] > 0",
    ),
    READY(
        "a pool that hangs keeps others of its host waiting",
        (6,),
        'return cls(((action.host, "scripts"),), kind, pool_of(action.places[0][1]))',
        'return cls(((action.host, "scripts"),), kind)',
    ),
    PERFORM(
        "what could not be done of a destroy is forgotten",
        (2,),
        "        if verdict.failure is not None:\n",
        "        if False:\n",
    ),
    PERFORM(
        "failures of the smaller actions that were left are forgotten",
        (2,),
        "return Failed(_together(failures)) if failures else Done(note=verdict.note)",
        "return Done(note=verdict.note)",
    ),
    EXECUTE(
        "what depends on a failure is done all the same",
        (3, 6),
        'self._skip_dependents(planned, f"{_name(planned.action)} failed")',
        "any(map(self.ready.add, filter(self._is_open, self.order.done(planned))))",
    ),
    EXECUTE(
        "what depends on what was skipped is done all the same",
        (3, 6),
        "                    found.add(dependent.id)\n                    left.append(dependent)\n",
        "                    found.add(dependent.id)\n",
        file="reconciler/executor/order.py",
    ),
    EXECUTE(
        "an action is begun when the first of what it depends on is done",
        (3, 6),
        "if not missing:",
        "if len(missing) == len(dependent.depends_on) - 1:",
        file="reconciler/executor/order.py",
    ),
)
