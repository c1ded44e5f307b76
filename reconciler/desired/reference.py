"""The reference page of the spec language, generated from the models.

python -m reconciler.desired.reference > docs/spec-reference.md
"""

import sys
from collections.abc import Iterator

from reconciler.desired.keep_objects import Keep
from reconciler.desired.objects import KINDS, Part
from reconciler.desired.schema import Schema, described

INTRODUCTION = """\
# Spec reference

<!-- Generated. Regenerate: python -m reconciler.desired.reference > docs/spec-reference.md -->

Specs are YAML files (`.yaml`, `.yml`) in a directory and below; hidden ones are skipped. A file
holds one or more objects, separated by `---`. Every object has four keys: `apiVersion`, `kind`,
`metadata` and `spec`. Unknown keys, duplicate keys, keys without a value, anchors, aliases, merge
keys and tags are errors. The YAML is 1.2: `no`, `on` and `22:22` are text, only `true` and `false`
are truth values. `reconciler validate` reports all errors at once, each with file, line and column.

* A **duration** is a number with a unit, or several: `90s`, `15m`, `24h`, `7d`, `3w`, `1h30m`.
* A **pattern** names filesystems: `tank/www` is that filesystem alone, `tank/www/**` it and all
  below, `tank/www/*` what lies directly below, `tank/vm-*` any ending, `tank/**/db` each `db` at
  any depth. A leading `!` excludes exactly what the pattern names, and always wins: `!tank/a`
  leaves `tank/a/b` selected, `!tank/a/**` takes the subtree away. In YAML it needs quotes. The
  pool is always named.
* A **grid** is a row of buckets that count back from the newest version, as zrepl has it:
  `1x1h(keep=all) | 24x1h | 30x1d` is an hour of which all is kept, then 24 hours and 30 days of
  each of which the oldest version is kept, or the N oldest with `(keep=N)`. What is older than all
  buckets is not kept. Begin with a `keep=all` bucket; see [concepts](concepts.md#keep-rules).
* A **cron expression** has five fields: minute, hour, day of the month, month, day of the week.
  Each is `*`, a number, a range (`1-5`), a list (`0,30`), any of them with a step (`*/15`), or a
  name (`MON`, `JAN`); the day of the month may be `L` (the last) or `LW` (the last weekday), the
  day of the week `MON#1` (the first Monday) or `5L` (the last Friday). If neither of the days
  begins with `*`, one of them is enough. What can never match (`0 0 30 2 *`) is an error.
* **When clocks are changed**, as Debian's cron has it: with minute and hour both given
  (`30 2 * * *`), a time that is left out stands for the instant at which clocks are put forward
  (in Vienna 3:00), and of a time that comes twice the first one counts, so every day has one. With
  a `*` at the beginning of minute or hour (`*/15 * * * *`) the expression is about real time: what
  is left out is left out, what comes twice counts twice, so a day may have 92 or 100 quarters.
* Whatever the spec set: receivers are never the same, nor nested in those of another replication
  or target; what is received is a source only for `snapshots: {received: true}`, and no such chain
  comes back to where it passed; replications that share a filesystem on a host have different
  prefixes.
"""

EXAMPLE = """\
apiVersion: reconciler/v1alpha1
kind: Host
metadata:
  name: web1
  labels: {role: web}
spec:
  connection:
    ssh: {address: web1.example.com, user: zfs, port: 22}
  privilege: sudo
  peerAddress: {address: 10.0.0.5}
  limits: {sends: 2, receives: 2, bandwidth: 200MiB/s}
---
apiVersion: reconciler/v1alpha1
kind: Host
metadata: {name: vault}
spec:
  connection:
    local: {}
---
apiVersion: reconciler/v1alpha1
kind: KeepPolicy
metadata: {name: archive}
spec:
  last: 3
  hourly: 48
  daily: 30
  monthly: 12
  within: 3d
  matching: ".*-keep"
  grid: 1x1h(keep=all) | 24x1h | 30x1d
  timezone: Europe/Vienna
---
apiVersion: reconciler/v1alpha1
kind: Replication
metadata: {name: web}
spec:
  source:
    hosts:
      matchLabels: {role: web}
    filesystems: ["tank/www/**", "!tank/www/cache/**"]
    where: {property: "com.example:backup", equals: "true"}
    snapshots:
      every: 15m
      prefix: web-
      ifChanged: true
      hooks:
        - {name: shop, before: shopctl pause, after: shopctl resume, timeout: 20s}
        - postgresCheckpoint: {runAs: postgres, connection: dbname=postgres}
          onFailure: continue
        - mysqlReadLock: {defaultsFile: /etc/mysql/backup.cnf}
    keep: {hourly: 24, daily: 7}
  targets:
    - host: vault
      under: backup/{host}      # tank/www/a of web1 goes to backup/web1/tank/www/a
      keep: {policy: archive}
      initial: all
      onConflict: stop
      onSourceGone: {destroyAfter: 90d}
      path: auto
      compression: zstd
      buffer: 128M
      bandwidth: 50MiB/s
      maxLag: 1h
  properties:                   # what receivers get, once, when they are first received
    send: true
    override: {compression: zstd, "com.sun:auto-snapshot": "false"}
    exclude: [recordsize]
  encryption: raw
  maxDestroy: {versions: 1000, share: 50%}
  windows:                      # streams begin at night, but not while tapes are written
    allow: [{cron: "0 22 * * *", for: 8h}]
    deny: [{cron: "30 2 * * SUN", for: 90m}]
    timezone: Europe/Vienna
---
apiVersion: reconciler/v1alpha1
kind: Replication
metadata: {name: db}
spec:
  source:
    host: web1
    filesystems: [tank/db]
    snapshots: {cron: "0 2 * * *", timezone: Europe/Vienna, prefix: db-}
  targets: [{host: vault, under: databases, keep: {daily: 30}}]
---
apiVersion: reconciler/v1alpha1
kind: Replication
metadata: {name: vm}
spec:
  source:
    host: web1
    filesystems: [tank/vm/**]
    snapshots: {external: {matching: "^autosnap_.*_daily$"}}   # made and destroyed by sanoid
  targets: [{host: vault, under: machines, keep: {daily: 30}}]
"""

_KEEP = ("Keep", "KeepRules")
_KEEP_LINK = "[keep rules](#keep-rules)"


def page() -> str:
    """Return the reference page."""
    return "\n".join(_sections(described()["$defs"])) + "\n"


def _sections(models: Schema) -> Iterator[str]:
    yield INTRODUCTION
    for kind in KINDS:
        yield f"## {kind}\n\n{models[kind]['description']}\n"
        yield from _table(models, models[kind], "")
    yield f"## Keep rules\n\n{models['Keep']['description']} {models['KeepRules']['description']}\n"
    yield from _table(models, models["Keep"], "")
    yield "## Not supported in this version\n"
    yield "These keys of the language are refused for now.\n"
    for kind in KINDS:
        yield from (f"* {kind}: `{path}`" for path in _later(models, kind, ""))
    yield ""
    yield f"## Example\n\n```yaml\n{EXAMPLE}```"


def _later(models: Schema, name: str, prefix: str) -> Iterator[str]:
    """Yield the keys that are refused for now, with where they would stand."""
    parts: list[type[Part]] = [*Part.__subclasses__(), Keep]
    for part in parts:
        if part.__name__ == name:
            yield from (f"{prefix}{key}" for key in sorted(part.later))
    for key, field in models[name]["properties"].items():
        listed = _model_name(field.get("items", {}))
        if inner := _model_name(field) or listed:
            yield from _later(models, inner, f"{prefix}{key}{'[]' * bool(listed)}.")


def _table(models: Schema, model: Schema, prefix: str) -> Iterator[str]:
    yield "| field | type | default | meaning |"
    yield "|---|---|---|---|"
    yield from _rows(models, model, prefix)
    yield ""


def _rows(models: Schema, model: Schema, prefix: str) -> Iterator[str]:
    """Yield a row for each field of a mapping, and for the fields inside it."""
    required = model.get("required", [])
    for name, field in model["properties"].items():
        path = f"{prefix}{name}"
        default = "required" if name in required else _default(field)
        meaning = field["description"].replace("|", "\\|")
        yield f"| `{path}` | {_type(field)} | {default} | {meaning} |"
        yield from _inside(models, field, path)


def _inside(models: Schema, field: Schema, path: str) -> Iterator[str]:
    """Yield the rows of what a field holds, if that is a mapping or a list of mappings."""
    inner = _model_name(field)
    if inner and inner not in _KEEP:
        yield from _rows(models, models[inner], f"{path}.")
    elif listed := _model_name(field.get("items", {})):
        yield from _rows(models, models[listed], f"{path}[].")


def _model_name(field: Schema) -> str:
    """Return the mapping that a field is, or is in one of its forms; empty when it is none."""
    forms = (field, *field.get("anyOf", ()))
    return next((str(f["$ref"]).rpartition("/")[2] for f in forms if "$ref" in f), "")


def _default(field: Schema) -> str:
    if "default" not in field:
        return ""
    default = field["default"]
    return f"`{str(default).lower()}`" if isinstance(default, bool) else f"`{default}`"


def _type(field: Schema) -> str:
    """Say what may be written."""
    if "anyOf" in field:
        words = [f"`{form['const']}`" for form in field["anyOf"] if "const" in form]
        return ", ".join((*words, "mapping"))
    if model := _model_name(field):
        return _KEEP_LINK if model in _KEEP else "mapping"
    if "x-kind" in field:
        return str(field["x-kind"])
    if "const" in field:
        return "text"
    if "enum" in field:
        return ", ".join(f"`{choice}`" for choice in field["enum"])
    return _plain_type(field)


def _plain_type(field: Schema) -> str:
    match field:
        case {"type": "integer", "minimum": low, "maximum": high}:
            return f"{low} to {high}"
        case {"type": "integer", "minimum": low}:
            return f"whole number, at least {low}"
        case {"type": "boolean"}:
            return "`true`, `false`"
        case {"type": "array", "items": dict(items)}:
            return f"list of {_type(items)}s"
    return "mapping of names to text"


if __name__ == "__main__":
    sys.stdout.write(page())
