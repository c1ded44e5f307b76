"""A zrepl.yml in which everything is said that can be said."""

import json
from typing import Any

import pytest

_RECV = {
    "properties": {"inherit": ["mountpoint"], "override": {"org.openzfs.systemd:ignore": "on"}},
    "bandwidth_limit": {"max": "10 MiB", "bucket_capacity": "1 MiB"},
    "placeholder": {"encryption": "off"},
}
_SEND = {
    "encrypted": True,
    "raw": False,
    "send_properties": True,
    "backup_properties": True,
    "large_blocks": True,
    "compressed": True,
    "embedded_data": True,
    "saved": True,
    "bandwidth_limit": {"max": "23.5 MiB", "bucket_capacity": "128 KiB"},
}
_REPLICATION = {
    "protection": {"initial": "guarantee_nothing", "incremental": "guarantee_incremental"},
    "concurrency": {"steps": 4, "size_estimates": 2},
}
_HOOK = {"type": "command", "path": "/etc/zrepl/hooks/db.sh", "timeout": "30s"}
_PRUNING = {
    "keep_sender": [
        {"type": "not_replicated", "keep_snapshot_at_cursor": False},
        {"type": "last_n", "count": 10, "regex": "^zrepl_"},
    ],
    "keep_receiver": [{"type": "regex", "regex": "^manual_", "negate": False}],
}
_TLS = {"ca": "/etc/zrepl/ca.crt", "cert": "/etc/zrepl/prod.crt", "key": "/etc/zrepl/prod.key"}


def _everything() -> dict[str, Any]:
    push = {
        "name": "push",
        "type": "push",
        "connect": {"type": "tls", "address": "backups.example.com:8888", **_TLS}
        | {"server_cn": "backups", "dial_timeout": "10s"},
        "filesystems": {"tank/www<": True},
        "send": _SEND,
        "snapshotting": {
            "type": "periodic",
            "prefix": "zrepl_",
            "interval": "10m",
            "timestamp_format": "human",
            "timestamp_location": "UTC",
            "hooks": [_HOOK],
        },
        "pruning": _PRUNING,
        "replication": _REPLICATION,
        "conflict_resolution": {"initial_replication": "all"},
    }
    sink = {
        "name": "sink",
        "type": "sink",
        "serve": {"type": "tcp", "listen": ":8888", "listen_freebind": True}
        | {"clients": {"192.168.0.1": "laptop"}},
        "root_fs": "backup/laptops",
        "recv": _RECV,
    }
    pull = {
        "name": "pull",
        "type": "pull",
        "connect": {"type": "ssh+stdinserver", "host": "db.example.com", "user": "root"}
        | {"port": 2222, "identity_file": "/etc/zrepl/ssh_key", "options": ["Compression=yes"]},
        "root_fs": "backup/pulled",
        "interval": "15m",
        "recv": _RECV,
        "pruning": _PRUNING,
        "replication": _REPLICATION,
    }
    source = {
        "name": "source",
        "type": "source",
        "serve": {"type": "stdinserver", "client_identities": ["vault"]},
        "filesystems": {"tank/db": True},
        "send": _SEND,
        "snapshotting": {"type": "cron", "prefix": "db_", "cron": "0 3 * * *"},
    }
    snap = {
        "name": "snap",
        "type": "snap",
        "filesystems": {"tank/tmp<": True},
        "snapshotting": {"type": "manual"},
        "pruning": {"keep": [{"type": "last_n", "count": 3}]},
    }
    return {
        "global": {
            "logging": [{"type": "syslog", "level": "info", "format": "human"}],
            "monitoring": [{"type": "prometheus", "listen": ":9811"}],
            "control": {"sockpath": "/run/zrepl/control"},
            "serve": {"stdinserver": {"sockdir": "/run/zrepl/stdinserver"}},
        },
        "include": ["/etc/zrepl/more.yml"],
        "jobs": [push, sink, pull, source, snap],
    }


@pytest.fixture
def everything() -> dict[str, Any]:
    unshared: dict[str, Any] = json.loads(json.dumps(_everything()))
    return unshared
