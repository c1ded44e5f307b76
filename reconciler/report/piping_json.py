"""What a stream passes on its way as a JSON object, and back."""

from reconciler.report.fields import Fields, Json
from reconciler.zfs.piping import End, Piping


def piping_object(piping: Piping) -> Json:
    """Return what a stream passes as JSON."""
    return {
        "compression_level": piping.compression,
        "buffer_bytes": piping.buffer,
        **{f"buffer_at_{end}": end in piping.buffered for end in End},
        "bytes_per_second": piping.bandwidth,
        "limiter": piping.limiter,
        "limited_at": str(piping.limited_at),
    }


def read_piping(fields: Fields) -> Piping:
    """Return what a stream passes of a JSON object."""
    return Piping(
        compression=fields.optional("compression_level", fields.number),
        buffer=fields.optional("buffer_bytes", fields.number),
        buffered=tuple(end for end in End if fields.flag(f"buffer_at_{end}")),
        bandwidth=fields.optional("bytes_per_second", fields.number),
        limiter=fields.text("limiter"),
        limited_at=fields.word("limited_at", End),
    )
