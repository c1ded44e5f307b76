"""Host keys are verified, always."""

from functools import partial

from tests.mutations.mutation import Mutation

STREAMS = partial(
    Mutation, file="reconciler/hosts/openssh.py", tests=("tests/unit/hosts/test_streams.py",)
)
TRUST = partial(
    Mutation, file="reconciler/hosts/ssh/trust.py", tests=("tests/unit/hosts/test_trust.py",)
)
KNOWN = partial(
    Mutation,
    file="reconciler/hosts/known_hosts.py",
    tests=("tests/unit/hosts/test_known_hosts.py",),
)

MUTATIONS = (
    STREAMS(
        "streams accept unknown host keys",
        (10,),
        '"StrictHostKeyChecking=yes"',
        '"StrictHostKeyChecking=accept-new"',
    ),
    STREAMS(
        "streams learn new host keys from the host",
        (10,),
        '"UpdateHostKeys=no"',
        '"UpdateHostKeys=yes"',
    ),
    STREAMS(
        "streams go over a connection that somebody else opened",
        (10,),
        '"ControlPath=none"',
        '"ControlPath=/tmp/%C"',
    ),
    STREAMS(
        "streams do not know of pinned keys",
        (10,),
        "if host_key is None:",
        "if True:",
    ),
    STREAMS(
        "streams through the controller do not know of pinned keys",
        (10,),
        "return (*_pin(address.host_key), *destination(address, options),",
        "return (*destination(address, options),",
    ),
    STREAMS(
        "streams straight to the receiver do not know of pinned keys",
        (10,),
        "port=peer.port, host_key=key)",
        "port=peer.port)",
        file="reconciler/hosts/streams.py",
    ),
    STREAMS(
        "streams accept keys of known_hosts beside the pinned one",
        (10,),
        '        *("-o", "UserKnownHostsFile=/dev/null"),\n',
        "",
    ),
    STREAMS(
        "streams accept keys of the machine's known_hosts beside the pinned one",
        (10,),
        '        *("-o", "GlobalKnownHostsFile=/dev/null"),\n',
        "",
    ),
    TRUST(
        "a revoked key is accepted",
        (10,),
        "if shown in self.known.revoked:",
        "if False:",
    ),
    TRUST(
        "a key beside the pinned one is accepted",
        (10,),
        "if shown != pinned:",
        "if False:",
    ),
    TRUST(
        "an unknown key is accepted",
        (10,),
        "elif shown not in self.known.keys:",
        "elif self.known.keys and shown not in self.known.keys:",
    ),
    TRUST(
        "a changed key is accepted",
        (10,),
        "elif shown not in self.known.keys:",
        "elif not self.known.keys:",
    ),
    TRUST(
        "a pinned key that is none means that none is pinned",
        (10,),
        'raise HostKeyRejected(host, f"the pinned host key is {error}") from error',
        "key = None",
    ),
    Mutation(
        "the controller's connections accept any key",
        (10,),
        "connection.client.set_missing_host_key_policy(judge)",
        "connection.client.set_missing_host_key_policy(paramiko.AutoAddPolicy())",
        "reconciler/hosts/ssh/connection.py",
        ("tests/integration/test_host_keys.py::test_an_unknown_key_is_refused_and_not_remembered",),
    ),
    KNOWN(
        "revoked keys of known_hosts are not noticed",
        (10,),
        'if entry.marker == "@revoked" and',
        "if False and",
    ),
    KNOWN(
        "the key of an authority counts as the host's own",
        (10,),
        "plain = [e for e in entries if not e.marker and matches(e.hosts, name)]",
        "plain = [e for e in entries if matches(e.hosts, name)]",
    ),
    KNOWN(
        "a host that a line excludes is meant by it",
        (10,),
        "return not refused and any(",
        "return any(",
    ),
    KNOWN(
        "every hashed name is the one that is looked for",
        (10,),
        "return hmac.compare_digest(wanted, found.digest())",
        "return True",
    ),
    Mutation(
        "tracebacks in the log show values",
        (10,),
        "diagnose=False",
        "diagnose=True",
        "reconciler/cli/logs.py",
        ("tests/unit/cli/test_output.py::test_tracebacks_do_not_show_values",),
    ),
)
