"""A ZFS host that exists only as a value, true to the real one as far as this project looks.

It runs the command lines of `zfs.commands` and `zfs.queries` (and what else people type at pools in
tests and first looks) and answers with the stdout, stderr and exit status of OpenZFS 2.1, or of a
later release where they differ. There are no files and no devices: data is a list of made-up files.

* `model` says what a host is: frozen values. `change` makes new ones of them.
* `cell` keeps one machine in memory, `store` keeps one in a file; each change is atomic.
* `process` is a running command; `commands` has one module for each family of them.
* `stream` is the form of the bytes between `zfs send` and `zfs receive`.

What is compared with real ZFS, and what is not modelled, is listed in docs/simulator.md.
"""
