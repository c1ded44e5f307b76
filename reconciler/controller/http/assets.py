"""The page's style and script, and the policy that lets a browser use these and nothing else."""

import base64
from hashlib import sha256
from importlib.resources import files

_HERE = files("reconciler.controller.http")

STYLE = (_HERE / "style.css").read_text(encoding="utf-8")
SCRIPT = (_HERE / "script.js").read_text(encoding="utf-8")


def _source(text: str) -> str:
    digest = base64.b64encode(sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src {_source(STYLE)}",
        f"script-src {_source(SCRIPT)}",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Inline style and script are allowed by their digests: what a host could smuggle in is not."""
