"""How long cycles take on the lab's real ZFS, beside peers."""
