"""A declarative, operator-style controller for ZFS snapshots, replication and retention."""

__version__ = "0.1.0"
