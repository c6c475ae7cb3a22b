from __future__ import annotations

import socket

import pytest
from pytest_socket import SocketConnectBlockedError

from rag.settings import default_index


def test_no_test_reaches_the_network() -> None:
    """A connection to anywhere but this machine fails in tests instead of being made."""
    with socket.socket() as connection, pytest.raises((SocketConnectBlockedError, UserWarning), match=r"192\.0\.2\.1"):
        connection.connect(("192.0.2.1", 80))


def test_the_users_data_is_out_of_reach(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The default index of a test is not that of whoever runs it."""
    assert tmp_path_factory.getbasetemp() in default_index().parents
