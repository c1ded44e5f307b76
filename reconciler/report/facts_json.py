"""What was observed of one host, as one JSON document."""

from reconciler.observed.model import Filesystem, Observation, Pool, Seen
from reconciler.report.action_json import version_object
from reconciler.report.fields import Json, guid_text
from reconciler.report.figures import timestamp

FORMAT_VERSION = "1.0"


def dump(observation: Observation) -> Json:
    """Return an observation as JSON; an unseen host has a cause and nothing else."""
    begin: Json = {"format_version": FORMAT_VERSION, "host": observation.host}
    if not isinstance(observation, Seen):
        return begin | {"seen": False, "cause": observation.cause, "remedy": observation.remedy}
    return begin | {
        "seen": True,
        "at": timestamp(observation.at),
        "clock": observation.clock,
        "zfs_version": observation.zfs_version,
        "pools": [_pool(pool) for pool in observation.pools.values()],
        "filesystems": [_filesystem(found) for found in observation.filesystems.values()],
        "listed": list(observation.listed),
    }


def _pool(pool: Pool) -> Json:
    return {
        "name": pool.name,
        "guid": guid_text(pool.guid),
        "health": pool.health,
        "readonly": pool.readonly,
        "free": pool.free,
        "features": dict(pool.features),
    }


def _filesystem(found: Filesystem) -> Json:
    return {
        "name": found.name,
        "kind": str(found.kind),
        "guid": guid_text(found.guid),
        "createtxg": found.createtxg,
        "used": found.used,
        "written": found.written,
        "referenced": found.referenced,
        "encryption": found.encryption,
        "keystatus": found.keystatus,
        "encryptionroot": found.encryptionroot,
        "origin": found.origin,
        "readonly": found.readonly,
        "mounted": found.mounted,
        "resume_token": found.resume_token,
        "inconsistent": found.inconsistent,
        "placeholder": found.placeholder,
        "disabled": found.disabled,
        "properties": dict(found.properties),
        "versions": [version_object(version) for version in found.versions],
    }
