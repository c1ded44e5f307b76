"""known_hosts is read as OpenSSH reads it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.hosts.known_hosts import HostKey, Place, look_up, matches, parse_key

ED25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIFNgzfMWQqIcsKvQ7PkTMhdHPQAyYZSZYgNZYHbJhRzE"
OTHER = "AAAAC3NzaC1lZDI1NTE5AAAAIGlzIGFub3RoZXIga2V5LCBub3QgdGhlIGZpcnN0IQ=="
KEY = HostKey("ssh-ed25519", ED25519)


@pytest.mark.parametrize(
    ("hosts", "name", "expected"),
    [
        ("web1", "web1", True),
        ("Web1", "web1", True),
        ("web1", "web11", False),
        ("a,web1,b", "web1", True),
        ("*.example.com", "web1.example.com", True),
        ("*.example.com", "example.com", False),
        ("web?", "web1", True),
        ("*,!web1", "web1", False),
        ("[web1]:2222", "[web1]:2222", True),
        ("[web1]:2222", "web1", False),
        ("[*]:2222", "[web1]:2222", True),
        ("web1", "w", False),
        ("|1|broken", "web1", False),
        ("|1|%%%|%%%", "web1", False),
    ],
)
def test_a_line_means_hosts_by_patterns(hosts: str, name: str, expected: bool) -> None:  # noqa: FBT001
    assert matches(hosts, name) == expected


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_hashed_names_are_understood(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"[web1]:2222 ssh-ed25519 {ED25519}\n")
    subprocess.run(["ssh-keygen", "-H", "-f", str(file)], check=True, capture_output=True)
    assert "web1" not in file.read_text()
    assert look_up([file], ["[web1]:2222"]).keys == {KEY: Place(file, 1)}
    assert look_up([file], ["[web1]:2223"]).keys == {}


def test_only_lines_with_a_key_count(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(
        "# comment\n\nweb1\nweb1 ssh-ed25519\nweb1 ssh-ed25519 ???\nweb1 ssh-rsa "
        f"{ED25519}\n@cert-authority web1 ssh-ed25519 {ED25519}\n"
    )
    assert look_up([file], ["web1"]).keys == {}


def test_the_first_name_with_a_key_decides(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"web1 ssh-ed25519 {OTHER}\n[web1]:2222 ssh-ed25519 {ED25519} comment\n")
    assert list(look_up([file], ["[web1]:2222", "web1"]).keys) == [KEY]
    assert list(look_up([file], ["[web1]:2223", "web1"]).keys) == [HostKey("ssh-ed25519", OTHER)]


def test_keys_come_from_all_files_and_the_first_place_is_named(tmp_path: Path) -> None:
    files = [tmp_path / "a", tmp_path / "missing", tmp_path / "b"]
    files[0].write_text(f"web1 ssh-ed25519 {ED25519}\n")
    files[2].write_text(f"web1 ssh-ed25519 {OTHER}\nweb1 ssh-ed25519 {ED25519}\n")
    known = look_up(files, ["web1"])
    assert known.keys[KEY] == Place(files[0], 1)
    assert len(known.keys) == 2


def test_a_revoked_key_is_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"@revoked * ssh-ed25519 {ED25519}\nweb1 ssh-ed25519 {ED25519}\n")
    known = look_up([file], ["web1"])
    assert known.revoked == {KEY: Place(file, 1)}


@pytest.mark.parametrize("text", ["", "ssh-ed25519", f"ssh-rsa {ED25519}", "ssh-ed25519 x y"])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a public key"):
        parse_key(text)


def test_the_fingerprint_is_the_one_people_know(tmp_path: Path) -> None:
    assert parse_key(f"ssh-ed25519 {ED25519} comment") == KEY
    file = tmp_path / "key.pub"
    file.write_text(f"ssh-ed25519 {ED25519}\n")
    if shutil.which("ssh-keygen") is not None:
        said = subprocess.run(["ssh-keygen", "-lf", file], check=True, capture_output=True)
        assert KEY.fingerprint in said.stdout.decode()
    assert KEY.fingerprint.startswith("SHA256:")
