#!/usr/bin/env bash
# `make demo`: the main job on three virtual machines with real ZFS, from nothing to an incremental
# replication. Shows every command before it runs it. The hosts run on afterwards.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

python=.venv/bin/python
lab=("$python" -m tests.lab.machines)
specs=tests/lab/demo-specs
slot=120 # seconds, as `every:` in the specs says

say() { printf '\n\033[1m# %s\033[0m\n' "$*"; }
run() {
    printf '\033[1m$ %s\033[0m\n' "$*"
    "$@"
}
# on HOST COMMAND: run a command on a host, showing it.
on() {
    printf '\033[1m%s$ %s\033[0m\n' "$1" "$2"
    "${lab[@]}" ssh "$1" "$2"
}
# room_in_slot SECONDS: wait for the next slot unless so much is left of this one.
room_in_slot() {
    local left=$((slot - $(date +%s) % slot))
    if [ "$left" -lt "$1" ]; then
        echo "(waiting $left s for the next two minutes to begin)"
        sleep "$left"
    fi
}

say "Three hosts with real OpenZFS: alpha and beta with a pool 'tank', vault with a pool 'backup'"
"${lab[@]}" down >/dev/null # start from empty pools, whatever an earlier demo left
run "${lab[@]}" up
RECONCILER_SSH_CONFIG=$("$python" -c \
    'from tests.lab.machines import places; print(places.default_run() / "ssh_config")')
export RECONCILER_SSH_CONFIG
PATH=$PWD/.venv/bin:$PATH

say "Some data on the senders: nested filesystems, a volume, a name with a space"
on alpha 'zfs create tank/data && zfs create tank/data/www && zfs create "tank/data/my photos" &&
    zfs create -V 16M tank/data/vm && head -c 3000000 /dev/urandom > /tank/data/www/index.html &&
    head -c 5000000 /dev/urandom > "/tank/data/my photos/cat.jpg"'
on beta 'zfs create tank/data && zfs create tank/data/db && zfs create tank/data/cache &&
    head -c 4000000 /dev/urandom > /tank/data/db/table && echo gone > /tank/data/cache/tmp'

say "The specs"
run cat $specs/data.yaml
run reconciler validate -f $specs

say "What would be done"
room_in_slot 100
run reconciler plan -f $specs

say "Do it"
run reconciler apply -f $specs --auto-approve

say "Do it again: there is nothing to do"
run reconciler apply -f $specs --auto-approve

say "New data, the next two minutes, and only what changed is sent"
on alpha 'head -c 1000000 /dev/urandom > /tank/data/www/news.html'
on beta 'head -c 500000 /dev/urandom > /tank/data/db/journal'
room_in_slot "$slot"
run reconciler apply -f $specs --auto-approve

say "What vault has now"
on vault 'zfs list -r -t filesystem,volume,snapshot -o name,used,referenced,creation backup'
echo
echo "The same guids on both ends:"
on alpha 'zfs list -H -o guid,name -t snapshot tank/data/www'
on vault 'zfs list -H -o guid,name -t snapshot backup/alpha/tank/data/www'

cat <<END

The hosts run on. To look around:
  make lab-ssh HOST=vault                   log in on a host
  export RECONCILER_SSH_CONFIG=$RECONCILER_SSH_CONFIG
  .venv/bin/reconciler plan -f $specs --explain
  .venv/bin/reconciler facts vault -f $specs
To stop them and remove their disks:
  make lab-down
END
