from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from rag.errors import SettingsError
from ui.guard import COOKIE, Guard, check_binding, visitor_of

PASSWORD = "correct horse battery"


def guarded(**options: str) -> TestClient:
    """A small site behind the guard, asked as from this machine."""
    app = FastAPI()
    app.add_middleware(Guard, **options)
    app.get("/")(lambda: "home")
    app.get("/part")(lambda: "part")
    app.post("/visitor")(lambda: "visitor")
    return TestClient(app, base_url=f"http://{options.get('host', '127.0.0.1')}:7860")


@pytest.fixture
def client() -> Iterator[TestClient]:
    """A site for this machine."""
    with guarded() as client:
        yield client


@pytest.mark.parametrize(
    "host", ["rebound.example", "127.0.0.1.example.org", "[::2]", "10.0.0.7", "", "localhost.evil"]
)
def test_a_foreign_host_name_is_refused(client: TestClient, host: str) -> None:
    """A name that somebody else lets point to this machine opens nothing."""
    assert client.get("/", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:80", "localhost:7861", "LOCALHOST"])
def test_own_host_names_are_served(client: TestClient, host: str) -> None:
    """With whatever port."""
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_another_sites_page_changes_nothing(client: TestClient, headers: dict[str, str]) -> None:
    """What its script sends is refused, with the headers that say what any page here may do."""
    refused = client.post("/visitor", headers=headers)
    assert refused.status_code == 403
    assert "frame-ancestors 'none'" in refused.headers["content-security-policy"]
    assert COOKIE not in refused.headers.get("set-cookie", "")


def test_a_visitor_gets_a_cookie_once(client: TestClient) -> None:
    """With the first page, or where the page was opened from elsewhere, when its own script asks."""
    assert COOKIE not in client.get("/part").headers.get("set-cookie", "")
    linked = client.get("/", headers={"sec-fetch-site": "cross-site"})
    assert "set-cookie" not in linked.headers
    given = client.post("/visitor", headers={"sec-fetch-site": "same-origin"}).headers["set-cookie"]
    assert given.startswith(f"{COOKIE}=")
    assert given.endswith("; Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict")
    assert "set-cookie" not in client.get("/").headers


def test_a_forged_cookie_is_none() -> None:
    """Only ids of our own form count, so that no cookie reaches further than its visitor."""
    assert visitor_of({COOKIE: "a" * 32}) == "a" * 32
    assert [visitor_of({COOKIE: forged}) for forged in ("", "%", "A" * 32, "page:x", "a" * 33)] == [""] * 5


def test_a_password_is_asked_of_everybody() -> None:
    """Of a browser by its own dialog, of a program as bearer token; a wrong one opens nothing and makes no visitor."""
    with guarded(password=PASSWORD, host="192.0.2.7") as client:
        asked = client.get("/")
        assert (asked.status_code, asked.headers["www-authenticate"][:5]) == (401, "Basic")
        assert "set-cookie" not in asked.headers
        wrong = [("me", "guess"), ("me", ""), (PASSWORD, ""), ("me", PASSWORD + "x")]
        assert {client.get("/", auth=pair).status_code for pair in wrong} == {401}
        assert client.get("/", headers={"authorization": "Basic !!"}).status_code == 401
        assert client.get("/", headers={"authorization": f"Digest {PASSWORD}"}).status_code == 401
        assert client.get("/", auth=("anybody", PASSWORD)).status_code == 200
        assert client.get("/", headers={"authorization": f"Bearer {PASSWORD}"}).status_code == 200


def test_where_others_are_let_in_numbers_and_own_names_are_served() -> None:
    """Nobody else can own an address of digits; any other name is still refused."""
    with guarded(password=PASSWORD, host="0.0.0.0") as client:
        hosts = {"192.0.2.7:7860": 200, "[2001:db8::1]:7860": 200, "localhost": 200, "rebound.example": 400}
        assert {
            host: client.get("/", headers={"host": host}, auth=("me", PASSWORD)).status_code for host in hosts
        } == hosts


def test_binding_to_others_demands_a_password() -> None:
    """A long one; this machine alone needs none."""
    check_binding("127.0.0.1", "")
    check_binding("0.0.0.0", PASSWORD)
    with pytest.raises(SettingsError, match="needs a password: set AFTERSHOCK_PASSWORD"):
        check_binding("192.0.2.7", "")
    with pytest.raises(SettingsError, match="at least 12"):
        check_binding("192.0.2.7", "12345678")
