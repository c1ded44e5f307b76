"""How many processes and remote executions a cycle costs: this project and its peers, on one input.

Two simulated hosts with the same history stand behind a real sshd on loopback. Each `zfs` and
`zpool` process that runs there and each command that comes through sshd is counted. The peers are
installed into a scratch folder, never into the system.
"""
