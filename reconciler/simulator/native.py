"""The table of ZFS's own properties (zfsprops(7), zfs_prop.c), in the order of `zfs get all`.

One row says what a property is called, what it applies to, who may change it, what holds where
nobody did, and how its value is found: `compute`, or what was set.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from reconciler.simulator import computed
from reconciler.simulator.computed import Compute, Raw
from reconciler.simulator.items import ALL, DATASETS, Kind, Kinds
from reconciler.simulator.numbers import U64_MAX


class Form(StrEnum):
    """What a value is, and so how it is printed."""

    TEXT = "text"
    CHOICE = "choice"
    """One of a list of words (an "index" to ZFS)."""
    IDENTITY = "identity"
    """A number that is never shortened."""
    NUMBER = "number"
    BYTES = "bytes"
    QUOTA = "quota"
    """Bytes; `none` for 0."""
    LIMIT = "limit"
    """A count; `none` for the greatest number."""
    RATIO = "ratio"
    DATE = "date"
    MOMENT = "moment"
    """A date with seconds."""


class Access(StrEnum):
    """Who may change a property."""

    READONLY = "readonly"
    ONCE = "once"
    """Set when the filesystem is made."""
    OWN = "own"
    """Can be set, is not inherited."""
    INHERITED = "inherited"


class Property(NamedTuple):
    """One property."""

    name: str
    column: str
    """The heading; in lower case it is another name of the property."""
    kinds: Kinds
    form: Form
    access: Access
    compute: Compute | None = None
    default: Raw = None
    """What holds where nothing was set; its source is `default`."""
    source: str = "-"
    """The source of computed values other than the default."""
    values: tuple[str, ...] = ()
    """For a CHOICE: what it can be."""
    hidden: bool = False
    """Not among `all`."""
    since: tuple[int, int] = (2, 1)

    @property
    def right(self) -> bool:
        """Whether the column is aligned to the right."""
        return self.form not in {Form.TEXT, Form.CHOICE, Form.MOMENT}


_F: Kinds = frozenset({Kind.FILESYSTEM})
_V: Kinds = frozenset({Kind.VOLUME})
_S: Kinds = frozenset({Kind.SNAPSHOT})
_FV = _F | _V
_FS = _F | _S
_B: Kinds = frozenset({Kind.BOOKMARK})

_ON_OFF = ("off", "on")
_CACHE = ("none", "metadata", "all")
_GZIP = tuple(f"gzip-{level}" for level in range(1, 10))
_ZSTD = tuple(f"zstd-{level}" for level in range(1, 20))
_FAST = tuple(
    f"zstd-fast-{level}"
    for level in (*range(1, 11), 20, 30, 40, 50, 60, 70, 80, 90, 100, 500, 1000)
)
_COMPRESSIONS = (
    *("on", "off", "lzjb", "gzip", *_GZIP, "zle", "lz4"),
    *("zstd", "zstd-fast", *_ZSTD, *_FAST),
)
_CHECKSUMS = (
    *("on", "off", "fletcher2", "fletcher4", "sha256"),
    *("noparity", "sha512", "skein", "edonr"),
)
_DEDUPS = (
    *("on", "off", "verify", "sha256", "sha256,verify", "sha512", "sha512,verify"),
    *("skein", "skein,verify", "edonr,verify"),
)
_ACL_MODES = ("discard", "groupmask", "passthrough", "restricted")
_ACL_INHERITS = ("discard", "noallow", "restricted", "passthrough", "secure", "passthrough-x")
_ACL_TYPES = ("off", "posix", "nfsv4", "disabled", "noacl", "posixacl")
_DNODE_SIZES = ("legacy", "auto", "1k", "2k", "4k", "8k", "16k")
_KEY_FORMATS = ("none", "raw", "hex", "passphrase")
_KEY_STATES = ("none", "unavailable", "available")
_CIPHERS = (
    *("on", "off", "aes-128-ccm", "aes-192-ccm", "aes-256-ccm"),
    *("aes-128-gcm", "aes-192-gcm", "aes-256-gcm"),
)


def _info(name: str, column: str, kinds: Kinds, form: Form, compute: Compute) -> Property:
    """Return a property that only ZFS itself sets."""
    return Property(name, column, kinds, form, Access.READONLY, compute)


def _hidden(name: str, kinds: Kinds, form: Form, compute: Compute) -> Property:
    """Return one that is not among `all`."""
    return _info(name, name.upper(), kinds, form, compute)._replace(hidden=True)


def _state(
    name: str, column: str, kinds: Kinds, compute: Compute, values: tuple[str, ...]
) -> Property:
    return _info(name, column, kinds, Form.CHOICE, compute)._replace(values=values)


def _encrypted(name: str, column: str, kinds: Kinds, form: Form, compute: Compute) -> Property:
    """Return a property of the encryption, which is chosen when a filesystem is made."""
    return Property(name, column, kinds, form, Access.ONCE, compute, default="none")


def _size(name: str, column: str, kinds: Kinds, compute: Compute) -> Property:
    return _info(name, column, kinds, Form.BYTES, compute)


def _choice(
    name: str, column: str, kinds: Kinds, default: str, values: tuple[str, ...] = _ON_OFF
) -> Property:
    """Return an inherited property that is one of some words."""
    return Property(
        name, column, kinds, Form.CHOICE, Access.INHERITED, default=default, values=values
    )


def _text(name: str, column: str, kinds: Kinds, access: Access, default: str) -> Property:
    return Property(name, column, kinds, Form.TEXT, access, default=default)


def _quota(name: str, column: str, kinds: Kinds) -> Property:
    return Property(name, column, kinds, Form.QUOTA, Access.OWN, default=0)


def _limit(name: str, column: str, kinds: Kinds) -> Property:
    return Property(name, column, kinds, Form.LIMIT, Access.OWN, default=U64_MAX)


def _count(name: str, column: str, kinds: Kinds, compute: Compute) -> Property:
    access, local = Access.READONLY, "local"
    return Property(name, column, kinds, Form.LIMIT, access, compute, U64_MAX, source=local)


def _once(name: str, column: str, value: str, values: tuple[str, ...]) -> Property:
    """Return a property of file systems that nothing but the default is simulated of."""
    found = computed.file_system_is(value)
    return Property(name, column, _FS, Form.CHOICE, Access.ONCE, found, values=values)


_NUMBER, _CHOICE, _TEXT, _IDENTITY = Form.NUMBER, Form.CHOICE, Form.TEXT, Form.IDENTITY
_MOMENT = Form.MOMENT
_ONCE, _OWN, _INHERITED = Access.ONCE, Access.OWN, Access.INHERITED

PROPERTIES: tuple[Property, ...] = (
    _info("type", "TYPE", ALL, _TEXT, computed.kind),
    _info("creation", "CREATION", ALL, Form.DATE, computed.creation),
    _size("used", "USED", DATASETS, computed.used),
    _size("available", "AVAIL", _FV, computed.available),
    _size("referenced", "REFER", ALL, computed.referenced),
    _info("compressratio", "RATIO", ALL, Form.RATIO, computed.ratio),
    _state("mounted", "MOUNTED", _F, computed.mounted, _ON_OFF),
    _info("origin", "ORIGIN", _FV, _TEXT, computed.origin),
    _quota("quota", "QUOTA", _F),
    _quota("reservation", "RESERV", _FV),
    Property("volsize", "VOLSIZE", _V | _S, _NUMBER, _OWN, computed.volsize, source="local"),
    Property("volblocksize", "VOLBLOCK", _V, _NUMBER, _ONCE, default=8 * 1024),
    Property("recordsize", "RECSIZE", _F, _NUMBER, _INHERITED, default=128 * 1024),
    _text("mountpoint", "MOUNTPOINT", _F, _INHERITED, "/"),
    _text("sharenfs", "SHARENFS", _F, _INHERITED, "off"),
    _choice("checksum", "CHECKSUM", _FV, "on", _CHECKSUMS),
    _choice("compression", "COMPRESS", _FV, "off", _COMPRESSIONS),
    _choice("atime", "ATIME", _F, "on"),
    _choice("devices", "DEVICES", _FS, "on"),
    _choice("exec", "EXEC", _FS, "on"),
    _choice("setuid", "SETUID", _FS, "on"),
    _choice("readonly", "RDONLY", _FV, "off"),
    _choice("zoned", "ZONED", _F, "off"),
    _choice("snapdir", "SNAPDIR", _F, "hidden", ("hidden", "visible")),
    _choice("aclmode", "ACLMODE", _F, "discard", _ACL_MODES),
    _choice("aclinherit", "ACLINHERIT", _F, "restricted", _ACL_INHERITS),
    _info("createtxg", "CREATETXG", ALL, _IDENTITY, computed.createtxg),
    _hidden("name", ALL, _TEXT, computed.name),
    _choice("canmount", "CANMOUNT", _F, "on", ("off", "on", "noauto"))._replace(access=_OWN),
    _choice("xattr", "XATTR", _FS, "on", ("off", "on", "sa", "dir")),
    _hidden("numclones", _S, _NUMBER, computed.numclones),
    _choice("copies", "COPIES", _FV, "1", ("1", "2", "3")),
    _once("version", "VERSION", "5", ("1", "2", "3", "4", "5", "current")),
    _once("utf8only", "UTF8ONLY", "off", _ON_OFF),
    _once("normalization", "NORMALIZATION", "none", ("none", "formD", "formKC", "formC", "formKD")),
    _once("casesensitivity", "CASE", "sensitive", ("sensitive", "insensitive", "mixed")),
    _choice("vscan", "VSCAN", _F, "off"),
    _choice("nbmand", "NBMAND", _FS, "off"),
    _text("sharesmb", "SHARESMB", _F, _INHERITED, "off"),
    _quota("refquota", "REFQUOTA", _F),
    _quota("refreservation", "REFRESERV", _FV),
    _info("guid", "GUID", ALL, _IDENTITY, computed.guid),
    _choice("primarycache", "PRIMARYCACHE", DATASETS, "all", _CACHE),
    _choice("secondarycache", "SECONDARYCACHE", DATASETS, "all", _CACHE),
    _size("usedbysnapshots", "USEDSNAP", _FV, computed.usedbysnapshots),
    _size("usedbydataset", "USEDDS", _FV, computed.usedbydataset),
    _size("usedbychildren", "USEDCHILD", _FV, computed.usedbychildren),
    _size("usedbyrefreservation", "USEDREFRESERV", _FV, computed.nothing),
    _state("defer_destroy", "DEFER_DESTROY", _S, computed.defer_destroy, _ON_OFF),
    _info("userrefs", "USERREFS", _S, _NUMBER, computed.userrefs),
    _choice("logbias", "LOGBIAS", _FV, "latency", ("latency", "throughput")),
    _info("objsetid", "OBJSETID", DATASETS, _IDENTITY, computed.objsetid),
    _choice("dedup", "DEDUP", _FV, "off", _DEDUPS),
    _text("mlslabel", "MLSLABEL", DATASETS, _INHERITED, "none"),
    _choice("sync", "SYNC", _FV, "standard", ("standard", "always", "disabled")),
    _choice("dnodesize", "DNSIZE", _F, "legacy", _DNODE_SIZES),
    _info("refcompressratio", "REFRATIO", DATASETS, Form.RATIO, computed.ratio),
    _info("written", "WRITTEN", DATASETS, _NUMBER, computed.written),
    _info("clones", "CLONES", _S, _TEXT, computed.clones),
    _info("logicalused", "LUSED", _FV, _NUMBER, computed.used),
    _info("logicalreferenced", "LREFER", ALL, _NUMBER, computed.logicalreferenced),
    _hidden("inconsistent", DATASETS, _NUMBER, computed.inconsistent),
    _choice("volmode", "VOLMODE", _FV, "default", ("default", "full", "geom", "dev", "none")),
    _limit("filesystem_limit", "FSLIMIT", _F),
    _limit("snapshot_limit", "SSLIMIT", _FV),
    _count("filesystem_count", "FSCOUNT", _F, computed.filesystem_count),
    _count("snapshot_count", "SSCOUNT", _FV, computed.snapshot_count),
    _choice("snapdev", "SNAPDEV", _FV, "hidden", ("hidden", "visible")),
    _choice("acltype", "ACLTYPE", _FS, "off", _ACL_TYPES),
    _text("context", "CONTEXT", DATASETS, _OWN, "none"),
    _text("fscontext", "FSCONTEXT", DATASETS, _OWN, "none"),
    _text("defcontext", "DEFCONTEXT", DATASETS, _OWN, "none"),
    _text("rootcontext", "ROOTCONTEXT", DATASETS, _OWN, "none"),
    _choice("relatime", "RELATIME", _F, "off"),
    _choice("redundant_metadata", "REDUND_MD", _FV, "all", ("all", "most", "some", "none")),
    _choice("overlay", "OVERLAY", _F, "on"),
    _info("receive_resume_token", "RESUMETOK", _FV, _TEXT, computed.receive_resume_token),
    _encrypted("encryption", "ENCRYPTION", DATASETS, _CHOICE, computed.encryption)._replace(
        default="off", values=_CIPHERS
    ),
    _encrypted("keylocation", "KEYLOCATION", _FV, _TEXT, computed.keylocation)._replace(
        access=_OWN, source="local"
    ),
    _encrypted("keyformat", "KEYFORMAT", _FV, _CHOICE, computed.keyformat)._replace(
        values=_KEY_FORMATS
    ),
    _encrypted("pbkdf2iters", "PBKDF2ITERS", _FV, _IDENTITY, computed.pbkdf2iters)._replace(
        default=0
    ),
    _info("encryptionroot", "ENCROOT", DATASETS, _TEXT, computed.encryptionroot),
    _state("keystatus", "KEYSTATUS", DATASETS, computed.keystatus, _KEY_STATES),
    Property("special_small_blocks", "SPECIAL_SMALL_BLOCKS", _F, _NUMBER, _INHERITED, default=0),
    _hidden("ivsetguid", DATASETS | _B, _NUMBER, computed.ivsetguid),
    _hidden("redacted", DATASETS, _NUMBER, computed.nothing),
    _info("redact_snaps", "RSNAPS", ALL, _TEXT, lambda _view, _item: None),
    _info(
        "snapshots_changed", "SNAPSHOTS_CHANGED", _FV, _MOMENT, computed.snapshots_changed
    )._replace(since=(2, 2)),
    _choice("prefetch", "PREFETCH", DATASETS, "all", _CACHE)._replace(since=(2, 3)),
    _choice("direct", "DIRECT", _F, "standard", ("disabled", "standard", "always"))._replace(
        since=(2, 3)
    ),
    _choice("longname", "LONGNAME", _F, "off")._replace(since=(2, 3)),
)


@cache
def table(release: str) -> Mapping[str, Property]:
    """Return the properties that a release knows, by name and by heading in lower case."""
    known = known_to(release)
    return {**{found.column.lower(): found for found in known}, **{p.name: p for p in known}}


@cache
def known_to(release: str) -> tuple[Property, ...]:
    """Return the properties of a release: some came later, some have another default since."""
    major, minor = (int(number) for number in release.split("-", maxsplit=1)[0].split(".")[:2])
    later = _SINCE_2_2 if (major, minor) >= (2, 2) else {}
    return tuple(
        found._replace(default=later.get(found.name, found.default))
        for found in PROPERTIES
        if found.since <= (major, minor)
    )


_SINCE_2_2: Mapping[str, Raw] = {
    "compression": "on",
    "relatime": "on",
    "volblocksize": 16 * 1024,
}
