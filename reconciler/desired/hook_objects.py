"""Hooks around snapshots as pydantic models; see `objects`."""

from typing import Literal

from pydantic import Field

from reconciler.desired.part import CommandText, Duration, Part, User


class PostgresCheckpoint(Part):
    """A checkpoint of PostgreSQL before the snapshots: recovery from them has little to do."""

    connection: CommandText = Field(
        "dbname=postgres", description="What `psql -d` takes: a database, or a connection string."
    )
    run_as: User | None = Field(
        None, description="Whose rights psql needs: by su for root, else by `sudo -n`."
    )


class MysqlReadLock(Part):
    """The global read lock of MySQL or MariaDB, held while the snapshots are taken."""

    defaults_file: CommandText | None = Field(
        None, description="The client's `--defaults-file`, with user and password."
    )


class Hook(Part):
    """What is run on the host around each group of snapshots: commands, or a ready pair of them."""

    name: CommandText | None = Field(
        None, description="What messages call it; default its place in the list."
    )
    before: CommandText | None = Field(
        None, description="Text for `sh -c`, run before the snapshots."
    )
    after: CommandText | None = Field(
        None,
        description="The same after them, whatever came of `before` and of the snapshots.",
    )
    postgres_checkpoint: PostgresCheckpoint | None = Field(
        None, description="Instead of `before` and `after`: a checkpoint of PostgreSQL."
    )
    mysql_read_lock: MysqlReadLock | None = Field(
        None,
        description="Instead of `before` and `after`: the read lock of MySQL or MariaDB, held for"
        " as long as the snapshots take.",
    )
    timeout: Duration = Field("1m", description="How long `before` and `after` may take, each.")
    on_failure: Literal["abort", "continue"] = Field(
        "abort",
        description="`abort`: when `before` fails no snapshot is taken, and when `after` fails the"
        " snapshots' action is told as failed. `continue`: a failure is told, and that is all.",
    )
