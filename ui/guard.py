"""Who may ask the server for what: host names, other sites' pages, the password, each visitor's cookie."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import re
import secrets
import socket
from typing import TYPE_CHECKING

from rag.errors import SettingsError

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost")
COOKIE = "aftershock_visitor"
COOKIE_SECONDS = 400 * 24 * 60 * 60
"""As long as browsers keep any cookie."""
SHORTEST_PASSWORD = 12
HEALTH = "/healthz"
"""Answers strangers too, if briefly: what watches over a server is seldom told its password."""
_KNOWN = "aftershock.known"

# 'unsafe-inline' for styles only: Gradio sets style attributes. Its own inline scripts are optional and stay blocked.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'none'",
        "media-src 'none'",
        "object-src 'none'",
        "frame-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def check_binding(host: str, password: str) -> None:
    """Raises SettingsError where a page for others than this machine has no password, or a short one."""
    if host in LOOPBACK:
        return
    if not password:
        raise SettingsError(
            f"Serving on {host!r} lets other machines in, which needs a password: set AFTERSHOCK_PASSWORD, or leave "
            f"--host away to serve on {LOOPBACK[0]} only."
        )
    if len(password) < SHORTEST_PASSWORD:
        raise SettingsError(
            f"The password in AFTERSHOCK_PASSWORD has {len(password)} characters, but for other machines it must have "
            f"at least {SHORTEST_PASSWORD}."
        )


def visitor_of(cookies: dict[str, str]) -> str:
    """The id of the visitor who sent these cookies; empty where there is none yet."""
    found = cookies.get(COOKIE, "")
    return found if re.fullmatch(r"[0-9a-f]{32}", found) else ""


def visitor_cookie() -> str:
    """The header that makes somebody a visitor: a new id that only this site's own pages send, and no script reads."""
    made = secrets.token_hex(16)
    return f"{COOKIE}={made}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Strict"


def is_known(scope: Scope) -> bool:
    """Whether a request that the guard let through came with the password, or needed none."""
    return bool(scope.get(_KNOWN))


class Guard:
    """Refuses strangers, foreign host names and other sites' pages, and adds the security headers to every response.

    Plain ASGI, because Starlette's base class for middleware would hold up the event stream. CORS alone hides
    only the response from the other page: the request would still have its effect.

    Args:
        app: what is guarded.
        password: asked of everybody when not empty, by the browser's own dialog or as bearer token.
        host: where the page is served.
    """

    def __init__(self, app: ASGIApp, password: str = "", host: str = LOOPBACK[0]) -> None:
        self._app = app
        self._password = password
        self._open_to_others = host not in LOOPBACK
        self._hosts = {*LOOPBACK, host.casefold()}
        if self._open_to_others:
            own = socket.gethostname().casefold()
            self._hosts |= {own, f"{own}.local"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] == "websocket":  # Nothing here uses them.
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        from starlette.datastructures import Headers, MutableHeaders

        headers = Headers(scope=scope)
        new_visitor = self._is_new_visitor(scope, headers)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                answered.update(SECURITY_HEADERS)
                if new_visitor:
                    answered.append("Set-Cookie", visitor_cookie())
            await send(message)

        known = not self._password or self._has_password(headers)
        if not self._is_known_host(headers.get("host", "")):
            response = _refusal(scope, 400, "Refused: this host name is not served.")
        elif self._is_foreign(scope, headers):
            response = _refusal(scope, 403, "Refused: the request comes from another site.")
        elif not known and (scope["method"], scope["path"]) != ("GET", HEALTH):
            response = _refusal(scope, 401, "A password is needed.")
        elif scope["path"].startswith("/gradio_api/upload"):
            response = _refusal(scope, 403, "Refused: files are added in the library.")
        else:
            scope[_KNOWN] = known
            await self._app(scope, receive, send_guarded)
            return
        new_visitor = False
        await response(scope, receive, send_guarded)

    def _is_known_host(self, host: str) -> bool:
        """Whether the page was asked for by a name of its own: another name is one that its owner points here.

        Where others are let in, any number will do, since nobody else can own one.
        """
        name = re.sub(r":\d+$", "", host).casefold()
        if name in self._hosts:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return self._open_to_others

    def _is_foreign(self, scope: Scope, headers: Headers) -> bool:
        own = f"{scope['scheme']}://{headers.get('host')}"
        if headers.get("origin", own) != own:
            return True
        return scope["method"] not in ("GET", "HEAD") and headers.get("sec-fetch-site", "none") not in (
            "same-origin",
            "none",
        )

    def _has_password(self, headers: Headers) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.casefold() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return False
        elif kind.casefold() != "bearer":
            return False
        return hmac.compare_digest(given.encode(), self._password.encode())

    def _is_new_visitor(self, scope: Scope, headers: Headers) -> bool:
        """Whether the visitor needs a cookie.

        A page opened by a link from elsewhere comes without the cookie that the visitor may well have; then the page's
        own script asks for one.
        """
        from starlette.requests import cookie_parser

        if visitor_of(cookie_parser(headers.get("cookie", ""))):
            return False
        from_here = headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        return from_here and (scope["method"], scope["path"]) in (("GET", "/"), ("POST", "/visitor"))


def _refusal(scope: Scope, status: int, sentence: str) -> Response:
    """A sentence, for programs with OpenAI's protocol in its form."""
    from starlette.responses import JSONResponse, PlainTextResponse

    asks = {"WWW-Authenticate": 'Basic realm="Aftershock", charset="UTF-8"'} if status == 401 else None
    if scope["path"].startswith("/v1/"):
        code = "invalid_api_key" if status == 401 else None
        error = {"message": sentence, "type": "invalid_request_error", "param": None, "code": code}
        return JSONResponse({"error": error}, status, headers=asks)
    return PlainTextResponse(sentence, status, headers=asks)
