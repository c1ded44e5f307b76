"""Where to listen, and what must be there before others than this machine may ask."""

import ipaddress
import re
from dataclasses import dataclass

from reconciler.controller.http.auth import Auth
from reconciler.controller.http.tls import Tls
from reconciler.errors import UsageError

_SHAPE = re.compile(r"(?:\[(?P<six>[^\[\]]*)\]|(?P<four>[^:\[\]]*)):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Listen:
    """An address and a port; port 0 is any that is free."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return ipaddress.ip_address(self.host).is_loopback

    @property
    def is_v6(self) -> bool:
        """Whether it is an IPv6 address."""
        return ":" in self.host

    def __str__(self) -> str:
        host = f"[{self.host}]" if self.is_v6 else self.host
        return f"{host}:{self.port}"


def parse_listen(text: str) -> Listen:
    """Return what `127.0.0.1:9811`, `[::1]:9811`, `localhost:0` or `:9811` means.

    Without an address it is all of IPv4. Raises UsageError for anything else: a name could turn out
    to be any address, so only `localhost` is one.
    """
    shape = _SHAPE.fullmatch(text)
    if shape is None or int(shape["port"]) > 65535:
        raise UsageError(f"{text!r} is no place to listen on: give it as {_EXAMPLES}")
    host = {"localhost": "127.0.0.1", "": "0.0.0.0"}.get(shape["four"], shape["four"])  # noqa: S104
    try:
        address = ipaddress.ip_address(shape["six"] if host is None else host)
    except ValueError:
        raise UsageError(f"{text!r}: {host or shape['six']!r} is no address: {_EXAMPLES}") from None
    if (address.version == 6) != (host is None):
        raise UsageError(f"{text!r} is no place to listen on: give it as {_EXAMPLES}")
    return Listen(str(address), int(shape["port"]))


_EXAMPLES = "127.0.0.1:9811 or [::1]:9811"

_WITH_CERTIFICATE = "a certificate (--tls-cert FILE --tls-key FILE)"

_WITH_AUTH = (
    "a password or token (--auth-user NAME --auth-password-file FILE, or --auth-token-file FILE)"
)


def refuse_exposed(listen: Listen, auth: Auth | None, tls: Tls | None) -> None:
    """Raise UsageError for an address that others can reach without encryption and a password."""
    wanted = {_WITH_CERTIFICATE: tls, _WITH_AUTH: auth}
    lacks = [how for how, there in wanted.items() if there is None]
    if lacks and not listen.is_loopback:
        raise UsageError(
            f"other machines can reach {listen}: add {' and '.join(lacks)}, or listen on"
            f" 127.0.0.1:{listen.port} and go through ssh or a proxy"
        )
