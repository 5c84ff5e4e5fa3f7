"""A site that shows Abraço: a page under a strict policy, and the few lines that sign who its visitor is.

Python's standard library only. `python server.py --help`; the README beside it tells the rest.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from typing import Any

HERE = Path(__file__).resolve().parent
LIFE_S = 240


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def identity(site: str, secret: str, **visitor: Any) -> str:
    """Your word for who your visitor is: for this site, four minutes, one use. The secret stays on your server."""
    return sign(secret, {"aud": site, "exp": int(time.time()) + LIFE_S, "nonce": secrets.token_urlsafe(24), **visitor})


def sign(secret: str, claims: dict[str, Any]) -> str:
    """v1, the claims, and the signature over both."""
    signed = f"v1.{_part(json.dumps(claims).encode('utf-8'))}"
    return f"{signed}.{_part(hmac.new(secret.encode('utf-8'), signed.encode('utf-8'), hashlib.sha256).digest())}"


def policy(house: str, connect: str, style: str) -> str:
    """What a careful site sends. Abraço needs its own origin in script-src and frame-src, and nothing else."""
    return (
        f"default-src 'none'; script-src {house}; frame-src {house}; connect-src {connect}; style-src {style}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )


class Host(ThreadingHTTPServer):
    """One process of the example, with what it was started with."""

    def __init__(
        self, address: tuple[str, int], *, house: str, site: str, secret: str, visitor: dict[str, Any]
    ) -> None:
        super().__init__(address, Page)
        self.house, self.site, self.secret, self.visitor = house.rstrip("/"), site, secret, visitor

    def identity(self) -> str:
        return identity(self.site, self.secret, **self.visitor)


class Page(BaseHTTPRequestHandler):
    server: Host

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/":
                self._page("page.html", connect="'self'", style="'self'", how='data-identity-url="/abraco-identity"')
            case "/strict":  # no connection, no style of the page's own: who it is stands in the tag, once
                self._page(
                    "page.html", connect="'none'", style="'none'", how=f'data-identity="{self.server.identity()}"'
                )
            case "/frame":  # without the script: the frame alone
                self._page("frame.html", connect="'none'", style="'self'", how=self.server.identity())
            case "/abraco-identity":  # here your site looks who is signed in, by its own cookie
                self._send(self.server.identity().encode("ascii"), "text/plain")
            case "/style.css":
                self._send((HERE / "style.css").read_bytes(), "text/css")
            case _:
                self._send(b"Not here.", "text/plain", status=404)

    def _page(self, name: str, *, connect: str, style: str, how: str) -> None:
        page = Template((HERE / name).read_text(encoding="utf-8"))
        said = page.substitute(
            house=escape(self.server.house),
            site=escape(self.server.site),
            how=how,
            style='<link rel="stylesheet" href="/style.css">' if style == "'self'" else "",
        )
        self._send(said.encode("utf-8"), "text/html", policy(self.server.house, connect, style))

    def _send(self, body: bytes, kind: str, policy_said: str = "default-src 'none'", status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy_said)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: an identity has no place in a log."""


def main() -> None:
    parser = argparse.ArgumentParser(description="A page that shows Abraço.")
    parser.add_argument("--house", default=os.environ.get("ABRACO_HOUSE", "http://127.0.0.1:8000"))
    parser.add_argument("--site", default=os.environ.get("ABRACO_SITE", ""), help="the site's public key")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--sub", default="student-4711", help="who is signed in on this page")
    parser.add_argument("--band", default="13-15", choices=("13-15", "16-17", "18+"))
    parser.add_argument("--country", default="US")
    given = parser.parse_args()
    secret = os.environ.get("ABRACO_SECRET", "")
    if not given.site or not secret:
        parser.error("give the site's key (--site) and its secret (ABRACO_SECRET in the environment)")
    visitor = {"sub": given.sub, "band": given.band, "country": given.country}
    host = Host(("localhost", given.port), house=given.house, site=given.site, secret=secret, visitor=visitor)
    print(f"A page with Abraço on it: http://localhost:{given.port}/  (stop with Ctrl-C)")
    try:
        host.serve_forever()
    except KeyboardInterrupt:
        host.server_close()


if __name__ == "__main__":
    main()
