"""`zfs create`, `zfs mount` and `zfs unmount`, and the keys of encrypted filesystems."""

import io

import pytest

from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import NOTHING, Partial
from reconciler.simulator.run import Result, run
from tests.support.machines import CLOCK, edit, lines, machine, receive, stream, zfs

KEY = "-o encryption=on -o keyformat=passphrase -o keylocation=file:///k1"


@pytest.fixture
def cell() -> MemoryCell:
    return machine()


def done(cell: MemoryCell, *commands: str) -> None:
    for line in commands:
        result = zfs(cell, line)
        assert (result.status, result.stderr) == (0, ""), line


def typed(cell: MemoryCell, line: str, stdin: bytes) -> Result:
    """Run zfs with something on its stdin."""
    argv = ("zfs", *line.split())
    return run(cell, argv, clock=lambda: CLOCK, stdin=io.BytesIO(stdin))


def refused(cell: MemoryCell, line: str) -> str:
    """Return the first line of what a refused command says."""
    result = zfs(cell, line)
    assert result.status != 0
    return result.stderr.splitlines()[0]


# -- create ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "mounted"),
    [
        ("", "yes"),
        ("-u", "no"),
        ("-o canmount=off", "no"),
        ("-o canmount=noauto", "no"),
        ("-o mountpoint=none", "no"),
        ("-o mountpoint=legacy", "no"),
        ("-o mountpoint=/srv", "yes"),
    ],
)
def test_a_new_filesystem_is_mounted_unless_told_otherwise(
    cell: MemoryCell, options: str, mounted: str
) -> None:
    done(cell, f"create {options} tank/a")

    assert lines(cell, "get -H -o value mounted tank/a") == [mounted]


def test_parents_are_made_on_request_and_no_second_time(cell: MemoryCell) -> None:
    done(cell, "create -p -o readonly=on tank/a/b/c", "create -p tank/a/b/c")

    assert lines(cell, "list -H -o name,readonly -r tank") == [
        *("tank\toff", "tank/a\toff", "tank/a/b\toff", "tank/a/b/c\ton"),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("tank", "cannot create 'tank': missing dataset name"),
        ("nope/a", "cannot create 'nope/a': no such pool 'nope'"),
        ("tank/a/b", "cannot create 'tank/a/b': parent does not exist"),
        ("tank/vol/a", "cannot create 'tank/vol/a': parent is not a filesystem"),
        ("tank/vol", "cannot create 'tank/vol': dataset already exists"),
        ("tank/a@b", "cannot create 'tank/a@b': snapshot delimiter '@' is not expected here"),
        ("-o bogus=1 tank/a", "cannot create 'tank/a': invalid property 'bogus'"),
        ("-o guid=1 tank/a", "cannot create 'tank/a': 'guid' is readonly"),
        ("-o a tank/a", "missing '=' for property=value argument"),
        ("-V x tank/a", "bad volume size 'x': bad numeric value 'x'"),
        ("-V 0 tank/a", "cannot create 'tank/a': 'volsize' cannot be zero"),
        ("-V 1M nope/a", "cannot open 'nope': no such pool"),
        ("-s tank/a", "'-s' and '-b' can only be used when creating a volume"),
        ("-V", "missing size argument"),
        ("", "missing filesystem argument"),
        ("-V 1M", "missing volume argument"),
    ],
)
def test_what_can_not_be_made(cell: MemoryCell, arguments: str, said: str) -> None:
    done(cell, "create -V 16M tank/vol")

    assert refused(cell, f"create {arguments}") == said


def test_a_volume_has_whole_blocks_and_a_reservation(cell: MemoryCell) -> None:
    done(cell, "create -V 16777215 tank/vol", "create -s -V 16M tank/thin")

    values = "get -H -p -o value volsize,refreservation"
    assert lines(cell, f"{values} tank/vol") == ["16777216", "19398656"]
    assert lines(cell, f"{values} tank/thin") == ["16777216", "0"]


def test_a_dry_run_says_what_it_would(cell: MemoryCell) -> None:
    assert lines(cell, "create -n -v -p -o readonly=on tank/a/b") == [
        "would create ancestors of tank/a/b",
        "would create tank/a/b",
        "\treadonly=on",
    ]
    assert lines(cell, "create -P tank/a") == ["create\ttank/a"]
    assert lines(cell, "list -H -o name -r tank") == ["tank", "tank/a"]


# -- mount -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("-o mountpoint=legacy", "cannot mount 'tank/a': legacy mountpoint"),
        ("-o mountpoint=none", "cannot mount 'tank/a': no mountpoint set"),
        ("-o canmount=off", "cannot mount 'tank/a': 'canmount' property is set to 'off'"),
        ("", "cannot mount 'tank/a': filesystem already mounted"),
    ],
)
def test_what_can_not_be_mounted(cell: MemoryCell, options: str, said: str) -> None:
    done(cell, f"create {options} tank/a")

    assert refused(cell, "mount tank/a") == said


def test_what_is_half_received_can_not_be_mounted(cell: MemoryCell) -> None:
    done(cell, "create -u tank/a")
    edit(cell, "tank/a", inconsistent=True, partial=Partial(7, "src/a@1", None, NOTHING))

    assert refused(cell, "mount tank/a") == (
        "cannot mount 'tank/a': Contains partially-completed state from"
        ' "zfs receive -s", which can be resumed with "zfs send -t"'
    )


def test_what_is_mounted_is_listed(cell: MemoryCell) -> None:
    done(cell, "create -o canmount=noauto tank/a", "mount tank/a")

    assert lines(cell, "mount") == [
        "dst                             /dst",
        "tank                            /tank",
        "tank/a                          /tank/a",
    ]


def test_to_unmount_takes_those_below_along(cell: MemoryCell) -> None:
    done(cell, "create -p tank/a/b", "unmount tank/a")
    assert lines(cell, "list -H -o mounted -r tank") == ["yes", "no", "no"]

    assert refused(cell, "umount tank/a") == "cannot unmount 'tank/a': not currently mounted"
    done(cell, "mount -a")
    assert lines(cell, "list -H -o mounted -r tank") == ["yes", "yes", "yes"]


def test_a_path_is_unmounted_and_all_are(cell: MemoryCell) -> None:
    done(cell, "create tank/a", "unmount /tank/a")
    assert lines(cell, "list -H -o mounted tank tank/a") == ["yes", "no"]

    done(cell, "unmount -a")
    assert lines(cell, "list -H -o mounted tank dst") == ["no", "no"]


def test_the_key_has_to_be_loaded_for_a_mount(cell: MemoryCell) -> None:
    done(cell, f"create {KEY} tank/e", "unmount -u tank/e")
    assert refused(cell, "mount tank/e") == "cannot mount 'tank/e': encryption key not loaded"

    done(cell, "mount -l tank/e")
    assert lines(cell, "get -H -o value keystatus,mounted tank/e") == ["available", "yes"]


@pytest.mark.parametrize(("options", "changes"), [("", True), ("-o ro", False)])
def test_the_first_writable_mount_of_encrypted_content_that_was_received_is_a_change(
    cell: MemoryCell, options: str, *, changes: bool
) -> None:
    done(cell, f"create -u {KEY} tank/e", "snapshot tank/e@1", "mount tank/e")
    assert not _is_modified(cell, "tank/e")
    receive(cell, "-u dst/e", stream(cell, "-w tank/e@1"))
    done(cell, "load-key -L file:///k1 dst/e", f"mount {options} dst/e")

    assert _is_modified(cell, "dst/e") is changes


def _is_modified(cell: MemoryCell, name: str) -> bool:
    dataset = cell.read().datasets[name]
    return dataset.changed > dataset.snapshots[0].createtxg


# -- keys ------------------------------------------------------------------------------------------


def test_a_child_is_encrypted_like_its_parent(cell: MemoryCell) -> None:
    done(cell, f"create {KEY} tank/e", "create -o encryption=aes-128-ccm tank/e/a")
    done(cell, "create -o encryption=off tank/e/plain")
    columns = "list -H -o encryption,encryptionroot -r tank/e"

    assert lines(cell, columns) == ["aes-256-gcm\ttank/e", "aes-128-ccm\ttank/e", "off\t-"]


def test_no_child_without_the_key(cell: MemoryCell) -> None:
    done(cell, f"create -u {KEY} tank/e", "unload-key tank/e")

    assert refused(cell, "create tank/e/a") == (
        "cannot create 'tank/e/a': encryption root's key is not loaded or provided"
    )
    done(cell, KEY.replace("k1", "k2").join(("create -u ", " tank/e/own")))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("-o encryption=on", "Keyformat required for new encryption root."),
        ("-o keyformat=raw", "Encryption must be turned on to set encryption properties."),
        (
            "-o encryption=on -o keylocation=prompt",
            "Keyformat required for new encryption root.",
        ),
        ("-o encryption=on -o keyformat=passphrase", "Passphrase too short (min 8)."),
        ("-o encryption=on -o keyformat=hex", "Hex key too short (expected 64)."),
        ("-o encryption=maybe", "'encryption' must be one of"),
    ],
)
def test_an_encryption_is_refused(cell: MemoryCell, options: str, why: str) -> None:
    assert refused(cell, f"create {options} tank/e").startswith(f"cannot create 'tank/e': {why}")


def test_a_passphrase_is_read_from_stdin(cell: MemoryCell) -> None:
    line = "create -u -o encryption=on -o keyformat=passphrase tank/e"
    assert typed(cell, line, b"passphrase\n").status == 0
    done(cell, "unload-key tank/e")

    wrong = typed(cell, "load-key tank/e", b"pass-phrase\n")
    assert wrong.stderr == "Key load error: Incorrect key provided for 'tank/e'.\n"
    assert typed(cell, "load-key tank/e", b"passphrase").status == 0


def test_keys_are_loaded_and_unloaded_together(cell: MemoryCell) -> None:
    for name in ("tank/a", "tank/b"):
        done(cell, f"create -u {KEY} {name}")
    assert lines(cell, "unload-key -r tank") == ["2 / 2 key(s) successfully unloaded"]
    done(cell, "unload-key -r tank")

    result = zfs(cell, "load-key -r tank")
    assert result.stdout == b"2 / 2 key(s) successfully loaded\n"
    assert lines(cell, "load-key -n tank/a") == ["1 / 1 key(s) successfully verified"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("load-key tank/e/a", "Keys must be loaded for encryption root of 'tank/e/a' (tank/e)."),
        ("load-key tank", "'tank' is not encrypted."),
        ("unload-key tank/e", "'tank/e' is busy."),
        ("change-key tank", "Dataset not encrypted."),
        ("change-key -i tank/e", "Parent must be encrypted."),
        ("change-key tank/e/a", "Keyformat required for new encryption root."),
        (
            "change-key -o readonly=on tank/e",
            "Only keyformat, keylocation and pbkdf2iters may be set with this command.",
        ),
    ],
)
def test_a_key_is_refused(cell: MemoryCell, line: str, said: str) -> None:
    done(cell, f"create {KEY} tank/e", "create tank/e/a")
    result = zfs(cell, line)
    verb = line.split("-", maxsplit=1)[0]

    assert (result.status, result.stderr) == (255, f"Key {verb} error: {said}\n")


def test_a_child_may_get_a_key_of_its_own(cell: MemoryCell) -> None:
    done(cell, f"create {KEY} tank/e", "create tank/e/a")
    done(cell, "change-key -o keyformat=passphrase -o keylocation=file:///k9 tank/e/a")
    assert lines(cell, "list -H -o encryptionroot -r tank/e") == ["tank/e", "tank/e/a"]

    done(cell, "change-key -i tank/e/a")
    assert lines(cell, "list -H -o encryptionroot -r tank/e") == ["tank/e", "tank/e"]


def test_the_names_of_missing_filesystems_are_told(cell: MemoryCell) -> None:
    assert refused(cell, "load-key tank/nope") == "cannot open 'tank/nope': dataset does not exist"
    result = zfs(cell, "change-key tank/nope")
    assert result.status == 2
