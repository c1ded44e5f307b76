"""The command line: arguments in, what `report` says out, and an exit code.

The home of typer, rich and loguru. Everything heavy is imported by the command that needs it, so
that `reconciler --help` is quick.
"""
