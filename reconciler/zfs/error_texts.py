"""The texts of failed commands, one row each: which line means what.

Texts are those of OpenZFS 2.1 to 2.4 (libzfs_util.c, libzfs_sendrecv.c, libzfs_dataset.c,
zfs_main.c), of sudo and doas, of shells and of OpenSSH. Rows are tried in order, so an earlier row
wins over a later one where a command complains about several things: what has to be mended by a
person stands first, what means success stands last.

A pattern is searched in single lines in which everything between single quotes (names, mostly)
was replaced by `'*'`, so that nobody's filesystem name can be taken for an error.
"""

from typing import NamedTuple

from reconciler.zfs.failures import FailureKind, Reaction


class Text(NamedTuple):
    """One row of the table."""

    pattern: str
    """A regular expression for one line."""
    kind: FailureKind
    reaction: Reaction
    say: str | None = None
    """What to tell a person where the text itself would not help."""


_K = FailureKind
_R = Reaction

_ENVIRONMENT = (
    Text(
        r"^sudo: .*(password is required|terminal is required|must have a tty)",
        _K.SUDO_REFUSED,
        _R.PERMANENT,
        "sudo asks for a password: the user needs a NOPASSWD rule for zfs and zpool",
    ),
    Text(
        r"^(sudo|doas): (\S*/)?(zfs|zpool): command not found",
        _K.COMMAND_MISSING,
        _R.PERMANENT,
        "zfs is not installed, or not on the PATH that sudo sets",
    ),
    Text(
        r"not in the sudoers file|is not allowed to (execute|run sudo)|^doas: ",
        _K.SUDO_REFUSED,
        _R.PERMANENT,
        "sudo (or doas) does not let the user run the command",
    ),
    Text(
        r"\bsudo: (command )?not found",
        _K.COMMAND_MISSING,
        _R.PERMANENT,
        "sudo is not installed, or not on the user's PATH",
    ),
    Text(
        r"\b(zfs|zpool): (command |inaccessible or )?not found",
        _K.COMMAND_MISSING,
        _R.PERMANENT,
        "zfs is not installed, or not on the user's PATH",
    ),
    Text(
        r"ZFS modules (are not loaded|cannot be auto-loaded)|zfs_version_kernel\(\) failed"
        r"|/dev/zfs and /proc/self/mounts are required|^(Failed|failed) to initialize.* libzfs",
        _K.MODULE_MISSING,
        _R.PERMANENT,
        "the ZFS kernel module is not loaded",
    ),
    Text(r"loaded zfs module does not support this", _K.MODULE_MISSING, _R.PERMANENT),
)

_TRANSPORT = (
    Text(
        r"Host key verification failed|HOST IDENTIFICATION HAS CHANGED", _K.TRANSPORT, _R.PERMANENT
    ),
    Text(r"Permission denied \([\w,-]*\)\.$", _K.TRANSPORT, _R.PERMANENT),
    Text(
        r"^ssh: |^kex_exchange_identification|^client_loop: |^ssh_exchange", _K.TRANSPORT, _R.RETRY
    ),
    Text(r"^(Connection|Timeout|Read from|packet_write_wait)\b.*", _K.TRANSPORT, _R.RETRY),
    Text(r"Session open refused by peer|^mux_client", _K.TRANSPORT, _R.RETRY),
)

_PERMISSION = (
    Text(r"delegated administration is disabled on pool", _K.PERMISSION_DENIED, _R.PERMANENT),
    Text(r"must be run as root", _K.PERMISSION_DENIED, _R.PERMANENT),
    Text(r"\bpermission denied", _K.PERMISSION_DENIED, _R.PERMANENT),
)

_POOL = (
    Text(r"pool is read-only|Read-only file system$", _K.POOL_READONLY, _R.PERMANENT),
    Text(r"pool I/O is currently suspended", _K.POOL_SUSPENDED, _R.RETRY),
    Text(r"pool is unavailable", _K.POOL_UNAVAILABLE, _R.RETRY),
    Text(r"space quota exceeded", _K.QUOTA, _R.SPACE),
    Text(r"out of space|No space left on device", _K.NO_SPACE, _R.SPACE),
    Text(r"insufficient replicas|\bI/O error|bad address|signal received", _K.IO_ERROR, _R.RETRY),
    Text(r"^internal error: ", _K.INTERNAL, _R.RETRY),
)

_ENCRYPTION = (
    Text(r"[Kk]ey must be loaded|encryption key not loaded", _K.KEY_NOT_LOADED, _R.PERMANENT),
    Text(r"Key load error|failed to create encryption key", _K.KEY_NOT_LOADED, _R.PERMANENT),
    Text(r"encryption key does not match|encryption failure", _K.KEY_NOT_LOADED, _R.PERMANENT),
    Text(r"raw receive on top of existing unencrypted", _K.ENCRYPTION_MISMATCH, _R.PERMANENT),
    Text(r"zfs receive -F cannot be used to destroy an", _K.ENCRYPTION_MISMATCH, _R.PERMANENT),
    Text(r"incompatible embedded data stream", _K.ENCRYPTION_MISMATCH, _R.PERMANENT),
    Text(r"may not be sent with properties without", _K.ENCRYPTION_MISMATCH, _R.PERMANENT),
    Text(r"crypto parameters not compatible", _K.ENCRYPTION_MISMATCH, _R.PERMANENT),
    Text(r"Spill block flag missing for raw send", _K.ENCRYPTION_MISMATCH, _R.PERMANENT),
    Text(r"IV set guid (mismatch|missing)", _K.ENCRYPTION_MISMATCH, _R.CONFLICT),
    Text(r"encryption root", _K.ENCRYPTION_MISMATCH, _R.PERMANENT),
)

_RESUME = (
    Text(r"^cannot resume send: ", _K.STALE_TOKEN, _R.CONFLICT),
    Text(r"kernel modules must be upgraded to receive", _K.STALE_TOKEN, _R.CONFLICT),
    Text(r"Resuming recv on existing (destination|dataset)", _K.STALE_TOKEN, _R.CONFLICT),
    Text(r"contains partially-complete state", _K.PARTIAL_STATE, _R.CONFLICT),
)

_STREAM = (
    Text(r"has been modified$", _K.DESTINATION_MODIFIED, _R.CONFLICT),
    Text(r"most recent snapshot of .* does not", _K.NO_COMMON_SNAPSHOT, _R.CONFLICT),
    Text(r"not an earlier snapshot from the same fs", _K.NO_COMMON_SNAPSHOT, _R.CONFLICT),
    Text(r"cannot send '\*': Invalid cross-device link", _K.NO_COMMON_SNAPSHOT, _R.CONFLICT),
    Text(r"incremental source \(.*\) (does not exist|is not)", _K.DOES_NOT_EXIST, _R.CONFLICT),
    Text(r"cannot send '\*': No such process", _K.DOES_NOT_EXIST, _R.CONFLICT),
    Text(r"could not send .*: does not exist", _K.DOES_NOT_EXIST, _R.CONFLICT),
    Text(r"recursively: snapshot .* does not exist", _K.DOES_NOT_EXIST, _R.CONFLICT),
    Text(r"local origin for clone .* does not exist", _K.DOES_NOT_EXIST, _R.CONFLICT),
    Text(r"specified fs \(.*\) does not exist", _K.DOES_NOT_EXIST, _R.CONFLICT),
    Text(r"destination '\*' does not exist", _K.DOES_NOT_EXIST, _R.CONFLICT),
    Text(r"destination '\*' exists", _K.DESTINATION_EXISTS, _R.CONFLICT),
    Text(r"destination has (snapshots|children)", _K.DESTINATION_EXISTS, _R.CONFLICT),
    Text(r"destination .* is (a clone|the root dataset)", _K.DESTINATION_EXISTS, _R.CONFLICT),
    Text(r"^cannot restore to .*: destination already exists", _K.ALREADY_EXISTS, _R.CONFLICT),
    Text(r"parent '\*' is not a filesystem", _K.UNSUPPORTED, _R.PERMANENT),
    Text(r"invalid stream|stream has unsupported feature", _K.STREAM_UNREADABLE, _R.PERMANENT),
    Text(r"pool must be upgraded|requires -L \(--large-block\)", _K.UNSUPPORTED, _R.PERMANENT),
    Text(r"required kernel memory allocation larger", _K.UNSUPPORTED, _R.PERMANENT),
    Text(r"multiple snapshots cannot be sent from a book", _K.UNSUPPORTED, _R.PERMANENT),
    Text(r"target is busy; if a filesystem", _K.UNSUPPORTED, _R.PERMANENT),
    Text(r"cannot send '\*': (Invalid argument|backup failed)", _K.UNSUPPORTED, _R.PERMANENT),
    Text(r"invalid backup stream", _K.STREAM_UNREADABLE, _R.CONFLICT),
    Text(r"checksum mismatch|incomplete stream", _K.RECEIVE_CUT, _R.RETRY),
    Text(r"failed to read from stream", _K.RECEIVE_CUT, _R.RETRY),
    Text(r"Broken pipe", _K.SIGNAL, _R.RETRY, "the other end of the stream stopped reading"),
)

_VERSIONS = (
    Text(
        r"/%recv$",
        _K.PARTIAL_STATE,
        _R.CONFLICT,
        "it is the base of a partial receive, which has to be resumed or given up first",
    ),
    Text(r"it's being held", _K.HELD, _R.CONFLICT),
    Text(r"has dependent clones|snapshot is cloned", _K.HAS_CLONES, _R.CONFLICT),
    Text(r"filesystem has (children|dependent clones)", _K.HAS_CLONES, _R.CONFLICT),
    Text(r"more recent snapshots or bookmarks exist", _K.NO_COMMON_SNAPSHOT, _R.CONFLICT),
    Text(r"(dataset|target|pool|mountpoint.*) is busy", _K.BUSY, _R.BUSY),
    Text(r"is not an ancestor of the new bookmark", _K.UNSUPPORTED, _R.PERMANENT),
    Text(r"bookmark is in a different pool", _K.UNSUPPORTED, _R.PERMANENT),
    Text(r"bookmark feature not enabled", _K.UNSUPPORTED, _R.PERMANENT),
    Text(r"multiple snapshots of same fs not allowed", _K.UNSUPPORTED, _R.PERMANENT),
    Text(r"operation (not applicable|does not apply) to", _K.UNSUPPORTED, _R.PERMANENT),
    Text(r"dryrun is not supported|too many arguments", _K.USAGE, _R.PERMANENT),
)

_NAMES = (
    Text(r"invalid character .* in name|name is too long", _K.INVALID_NAME, _R.PERMANENT),
    Text(r"(trailing|leading) slash in name", _K.INVALID_NAME, _R.PERMANENT),
    Text(r"(self|parent) reference, ", _K.INVALID_NAME, _R.PERMANENT),
    Text(r"empty component or misplaced", _K.INVALID_NAME, _R.PERMANENT),
    Text(r"maximum name nesting depth exceeded", _K.INVALID_NAME, _R.PERMANENT),
    Text(r"bookmark delimiter '\*' is not expected", _K.INVALID_NAME, _R.PERMANENT),
    Text(r"tag may not start with|tag too long", _K.INVALID_NAME, _R.PERMANENT),
    Text(r"^(bad property list|invalid property)", _K.USAGE, _R.PERMANENT),
    Text(r"invalid (option|type|property value)", _K.USAGE, _R.PERMANENT),
    Text(r"specified multiple times|^missing .*argument", _K.USAGE, _R.PERMANENT),
    Text(r"this property can not be modified", _K.USAGE, _R.PERMANENT),
    Text(r"property cannot be inherited|: invalid property", _K.USAGE, _R.PERMANENT),
)

_GONE = (
    Text(r"dataset does not exist|no such pool", _K.DOES_NOT_EXIST, _R.CONFLICT),
    Text(r"parent does not exist", _K.DOES_NOT_EXIST, _R.CONFLICT),
    Text(r"unable to restore to destination", _K.DOES_NOT_EXIST, _R.CONFLICT),
    Text(r"dataset already exists|already has a snapshot", _K.ALREADY_EXISTS, _R.CONFLICT),
    Text(r"bookmark exists", _K.ALREADY_EXISTS, _R.CONFLICT),
)

_DONE = (
    Text(r"^bookmark '\*' does not exist", _K.DOES_NOT_EXIST, _R.DONE),
    Text(r"could not find any snapshots to destroy", _K.DOES_NOT_EXIST, _R.DONE),
    Text(r"no such tag on this dataset", _K.DOES_NOT_EXIST, _R.DONE),
    Text(r"does not have any resumable receive state", _K.DOES_NOT_EXIST, _R.DONE),
    Text(r"tag already exists on this dataset", _K.ALREADY_EXISTS, _R.DONE),
    Text(r"but it may only be mounted by root", _K.MOUNT_FAILED, _R.DONE),
)

_BESIDES = (
    Text(r"Contains partially-completed state", _K.PARTIAL_STATE, _R.CONFLICT),
    Text(r"^cannot (mount|share) ", _K.MOUNT_FAILED, _R.DONE),
    Text(r"^cannot receive \S+ property on ", _K.PROPERTY_REFUSED, _R.DONE),
    Text(r"^Warning: failed to (clear|restore) ", _K.PROPERTY_REFUSED, _R.DONE),
)
"""Lines that count only when there is no other: the stream they come with is in, or they are the
smaller trouble (zfs-receive(8): a property that can't be set does not fail the receive)."""

TEXTS = (
    *_BESIDES,
    *_ENVIRONMENT,
    *_TRANSPORT,
    *_PERMISSION,
    *_POOL,
    *_ENCRYPTION,
    *_RESUME,
    *_STREAM,
    *_VERSIONS,
    *_NAMES,
    *_GONE,
    *_DONE,
)
"""All rows, in the order in which they are tried."""

ASIDE = tuple(text.pattern for text in _BESIDES)
"""What such lines look like."""

NOISE = (
    r"^no snapshots were created$",
    r"^no datasets available$",
    r"^Partially received snapshot is saved\.$",
    r"^A resuming stream can be generated on the sending system by running:$",
    r"^\s+zfs send -t 1-",
    r"^(full|incremental|size)\t",
    r"^TIME\s+SENT\s+SNAPSHOT",
    r"^\d\d:\d\d:\d\d\s",
    r"^resume token contents:$",
    r"^nvlist version: \d",
    r"^\t(object|offset|bytes|toguid|fromguid|toname|\w+ok) = ",
    r"^sudo: unable to resolve host ",
    # What streams pass, when an end of it is gone: consequences, never the cause.
    r"^(mbuffer|zstd|pv): .*Broken pipe$",
    r"^(zstd: )?/\*stdin\*\\ ?: (unexpected end of file|Read error \(39\) : premature end)",
    r"setlocale: |cannot change locale",
    r"^\s*$",
)
"""Lines that say nothing about a failure, progress of `zfs send -v -P` among them."""

ADVICE = (
    r" ?use '-[rR]' (to|for) [^:]*:",
    r" must (specify -F|destroy (them|it)) to overwrite it",
    r" Run 'zfs holds [^']*' to see holders\.",
    r" use '(-[rR]|zfs destroy|zpool destroy)[ '].*",
)
"""What ZFS advises and this project never does: not repeated to people."""
