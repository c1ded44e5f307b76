"""A lab of virtual machines with real ZFS and real sshd, for tests and for trying things out.

`start()` boots hosts (and builds their image on first use), `Lab` is what tests hold in hand,
`why_not()` says in one sentence why it cannot work here.
"""

from .errors import CommandError, LabError
from .hostneeds import why_not
from .lab import Lab, start
from .machine import Machine

__all__ = ["CommandError", "Lab", "LabError", "Machine", "start", "why_not"]
