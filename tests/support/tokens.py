"""Resume tokens of partial receives that tests make up."""

from reconciler.simulator.tokens import pack


def token(
    toguid: int,
    fromguid: int | None = None,
    *,
    toname: str = "tank/www@x",
    received: int = 10,
    raw: bool = False,
) -> str:
    """Return the token of a partial receive that got `received` bytes."""
    numbers = {"object": 3, "offset": 0, "bytes": received, "toguid": toguid}
    if fromguid is not None:
        numbers["fromguid"] = fromguid
    return pack(numbers, toname, ("compressok", "rawok") if raw else ("compressok",))
