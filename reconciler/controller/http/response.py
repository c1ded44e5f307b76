"""An answer, before it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Response:
    """What a request gets."""

    status: HTTPStatus
    body: bytes
    kind: str = TEXT
    """The content type."""
    headers: Mapping[str, str] = field(default_factory=dict)


def said(status: HTTPStatus, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a line of text as an answer."""
    return Response(status, f"{text}\n".encode(), headers=headers or {})
