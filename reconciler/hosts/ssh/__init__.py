"""Hosts reached by ssh through Fabric. The only home of fabric, invoke and paramiko."""

import logging

from reconciler.hosts.addresses import SshOptions
from reconciler.hosts.ssh.host import SshHost

__all__ = ["SshHost", "SshOptions"]

# Without a handler, logging prints paramiko's tracebacks on stderr. What is worth knowing of them
# is in our own errors; the command line may attach a handler.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
