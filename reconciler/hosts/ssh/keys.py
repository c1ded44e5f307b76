"""Logging in: which of our keys are tried, in OpenSSH's order, and what came of it."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import paramiko
from paramiko.auth_strategy import (
    AuthFailure,
    AuthStrategy,
    InMemoryPrivateKey,
    SourceResult,
)
from paramiko.ssh_exception import AuthenticationException, SSHException

from reconciler.errors import AuthenticationFailed, HostError, Unreachable
from reconciler.hosts import known_hosts
from reconciler.hosts.ssh_config import SshSettings


class Keys(AuthStrategy):
    """The keys of the agent and of the identity files. Nothing is ever asked for."""

    def __init__(self, settings: SshSettings) -> None:
        super().__init__(ssh_config=paramiko.SSHConfig())
        self._settings = settings
        self._tried: list[str] = []
        self._unusable: list[str] = []

    def authenticate(self, transport: paramiko.Transport) -> list[SourceResult]:
        """Try one key after the other."""
        agent = paramiko.Agent()
        try:
            self._agent_keys = self._of_agent(agent)
            return super().authenticate(transport)
        finally:
            agent.close()

    def get_sources(self) -> Iterator[InMemoryPrivateKey]:
        """Yield the agent's keys and then those in files."""
        for key in self._agent_keys:
            self._tried.append(f"{getattr(key, 'comment', '') or key.get_name()} of the agent")
            yield InMemoryPrivateKey(self._settings.user, key)
        for path in self._settings.identity_files:
            try:
                key = paramiko.PKey.from_path(path)
            except (SSHException, OSError, ValueError, TypeError) as error:
                self._unusable.append(f"{path} ({str(error).rstrip('.')})")
            else:
                self._tried.append(str(path))
                yield InMemoryPrivateKey(self._settings.user, key)

    def failure(self, host: str, error: AuthFailure) -> HostError:
        """Say in one sentence why nobody got in."""
        reasons = [result.result for result in error.result]
        if any(not isinstance(reason, AuthenticationException) for reason in reasons):
            said = f"the connection broke during login: {reasons[-1] or 'too many keys offered?'}"
            return Unreachable(host, said)
        unusable = f"; not usable: {', '.join(self._unusable)}" if self._unusable else ""
        who = f"user {self._settings.user!r} at {self._settings.hostname}"
        if not self._tried:
            return AuthenticationFailed(host, f"there is no key to log in with as {who}{unusable}")
        tried = ", ".join(self._tried)
        return AuthenticationFailed(host, f"{who} was refused; keys tried: {tried}{unusable}")

    def _of_agent(self, agent: paramiko.Agent) -> list[paramiko.PKey]:
        """Return the agent's keys, those that are named in ssh_config first."""
        named = set(self._public_blobs())
        keys = sorted(agent.get_keys(), key=lambda key: key.get_base64() not in named)
        if self._settings.use_agent:
            return list(keys)
        return [key for key in keys if key.get_base64() in named]

    def _public_blobs(self) -> Iterator[str]:
        for path in self._settings.identity_files:
            with suppress(OSError, ValueError):
                yield known_hosts.parse_key(Path(f"{path}.pub").read_text()).blob
