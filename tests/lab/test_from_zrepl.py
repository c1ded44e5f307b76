"""What zrepl has sent is taken over: `reconciler import zrepl`, and then an increment."""

from pathlib import Path

from tests.lab.contents import checksums
from tests.lab.controller import Controller, snapshots
from tests.lab.machines import Lab

HERE, THERE = "tank/data", "backup/sink/alpha/tank/data"
THEIRS = "zrepl_20261101_120000_000"

CONFIG = """\
jobs:
- name: prod_to_backups
  type: push
  connect: {{type: ssh+stdinserver, host: vault, user: root, port: {port}}}
  filesystems: {{"tank/data<": true, "tank/data/tmp<": false}}
  snapshotting: {{type: periodic, interval: 24h, prefix: zrepl_}}
  pruning:
    keep_sender: [{{type: not_replicated}}, {{type: last_n, count: 3}}]
    keep_receiver: [{{type: grid, grid: 1x1h(keep=all) | 24x1h, regex: "^zrepl_"}}]
"""


def replicated_by_zrepl(lab: Lab) -> None:
    """Leave what zrepl 0.7 leaves: its cursor, its placeholders, and its hold on what arrived.

    The snapshot itself is gone from the sender, as when its keep rules had let it go.
    """
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    vault.sh(
        "zfs create -o mountpoint=none backup/sink"
        " && zfs create -o zrepl:placeholder=on backup/sink/alpha"
        " && zfs create -o zrepl:placeholder=on backup/sink/alpha/tank"
    )
    peer = f"ssh -p {vault.port} root@{vault.peer_address}"
    alpha.sh(
        f"zfs create {HERE} && zfs create {HERE}/tmp && echo first >/{HERE}/first"
        f" && zfs snapshot {HERE}@{THEIRS}"
        f" && zfs send {HERE}@{THEIRS} | {peer} zfs receive -u {THERE}"
    )
    guid = int(alpha.sh(f"zfs get -Hp -o value guid {HERE}@{THEIRS}").stdout)
    alpha.sh(
        f"zfs bookmark {HERE}@{THEIRS} '{HERE}#zrepl_CURSOR_G_{guid:016x}_J_prod_to_backups'"
        f" && zfs destroy {HERE}@{THEIRS} && echo second >'/{HERE}/sec ond'"
    )
    vault.sh(f"zfs hold zrepl_last_received_J_sink {THERE}@{THEIRS}")


def test_what_zrepl_has_sent_goes_on_by_an_increment(clean_lab: Lab, tmp_path: Path) -> None:
    replicated_by_zrepl(clean_lab)
    alpha, vault = clean_lab.machines["alpha"], clean_lab.machines["vault"]
    controller = Controller(clean_lab, tmp_path)
    (tmp_path / "zrepl.yml").write_text(CONFIG.format(port=vault.port))
    written = controller.run(
        *("import", "zrepl", str(tmp_path / "zrepl.yml"), "--out", str(tmp_path / "imported")),
        *("--host", "alpha", "--pool", "tank", "--timezone", "UTC"),
    )
    assert written.code == 0, written.stderr
    texts = [file.read_text() for file in sorted((tmp_path / "imported").rglob("*.yaml"))]
    root = "<root_fs of the sink>/<client identity>"
    assert root in "".join(texts)
    controller.specify("---\n".join(texts).replace(root, "backup/sink/alpha"))
    before = vault.sh(f"zfs get -Hp -o value guid {THERE}").stdout

    assert controller.modes() == {HERE: "incremental"}
    assert vault.sh(f"zfs get -Hp -o value guid {THERE}").stdout == before
    theirs, ours = snapshots(clean_lab, "vault", THERE)
    assert theirs == THEIRS
    assert ours.startswith("zrepl_")
    assert snapshots(clean_lab, "alpha", HERE) == {ours: snapshots(clean_lab, "vault", THERE)[ours]}
    content = checksums(vault, f"{THERE}@{ours}")
    assert content == checksums(alpha, f"{HERE}@{ours}")
    assert content.count("\n") == 2
    again = controller.run("plan", "-f", str(controller.specs)).stdout
    assert "Nothing to do" in again
    assert "zrepl_last_received_J_sink" in again
    assert "`zrepl zfs-abstraction release-all`" in again
    names = vault.sh("zfs list -H -o name -r backup/sink").stdout.splitlines()
    assert f"{THERE}/tmp" not in names
