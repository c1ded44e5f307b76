"""The command line with pretended hosts, as in its unit tests."""

from tests.unit.cli.conftest import command, folder, hosts

__all__ = ["command", "folder", "hosts"]
