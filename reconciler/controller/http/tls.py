"""A certificate and its key."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from reconciler.controller.http.auth import refuse_readable
from reconciler.errors import UsageError


@dataclass(frozen=True, slots=True)
class Tls:
    """Two files in PEM: the certificate with what is between it and the root, and its key."""

    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """Return what the server needs; UsageError for files that won't do."""
        try:
            refuse_readable(self.key, self.key.stat().st_mode)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.load_cert_chain(self.certificate, self.key, password=self._no_password)
        except ssl.SSLError as error:
            raise UsageError(
                f"{self.certificate} and {self.key} are no certificate and key that fit together,"
                f" in PEM: {error.reason or error}"
            ) from error
        except OSError as error:
            where = error.filename or f"{self.certificate} or {self.key}"
            raise UsageError(f"{where}: {error.strerror}: the files must be there") from error
        return context

    def _no_password(self) -> str:
        """Say no: else OpenSSL asks on the terminal, and a daemon waits for ever."""
        raise UsageError(f"{self.key} needs a passphrase: give a key without one")
