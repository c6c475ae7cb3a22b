"""Zip archives, honest and hostile."""

import io
import struct
import zipfile
from pathlib import Path

import pytest

from ingest import archives
from ingest.archives import Member
from ingest.load import load
from rag.errors import LoadError

KINDS = (".md", ".txt")
MOST = 2**20


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def members(data: bytes) -> list[Member]:
    return list(archives.members(io.BytesIO(data), len(data), KINDS, MOST))


def refusal(data: bytes) -> str:
    with pytest.raises(LoadError) as caught:
        members(data)
    return str(caught.value)


def test_an_archive_gives_its_articles(tmp_path: Path) -> None:
    """A zip is read like a folder: hidden files passed over, unknown kinds named, archives inside opened."""
    inner = packed({"notes/c.txt": b"Inner text."})
    path = tmp_path / "a.zip"
    files = {"a.md": b"# A\n\nText.", "sub/": b"", "sub/b.txt": b"Text.", "photo.jpg": b"x", "__MACOSX/._a.md": b"x"}
    path.write_bytes(packed({**files, "README.md": b"x", "more.zip": inner}))
    found = list(load(path))
    assert [(loaded.place.removeprefix(f"{path}/"), loaded.article and loaded.article.text) for loaded in found] == [
        ("a.md", "Text."),
        ("sub/b.txt", "Text."),
        ("photo.jpg", None),
        ("more.zip/notes/c.txt", "Inner text."),
    ]
    assert 0 < sum(loaded.size for loaded in found) <= path.stat().st_size


def test_names_that_lead_out_lead_nowhere(tmp_path: Path) -> None:
    """Nothing is ever written, and what is shown of a name can't step up, name a drive or draw on the terminal."""
    names = ["../../evil.md", "/etc/passwd.txt", "..\\..\\up.md", "C:\\x\x1b[2J.md"]
    found = members(packed(dict.fromkeys(names, b"Text.")))
    assert [member.name for member in found] == ["evil.md", "etc/passwd.txt", "up.md", "C_/x_[2J.md"]
    assert list(tmp_path.iterdir()) == []


def test_a_bomb_stops_when_it_has_unpacked_a_hundred_times_its_size() -> None:
    """Thousands of small files that are nothing but zeros are as much a bomb as a large one."""
    data = packed({f"{number}.txt": b"\0" * (MOST // 2) for number in range(60)})
    assert refusal(data).startswith("it unpacks to more than 100 times its size")


def test_a_bomb_inside_an_archive_counts_against_the_one_around_it() -> None:
    """Nesting makes a bomb no smaller."""
    inner = packed({f"{number}.txt": b"\0" * (MOST // 2) for number in range(60)})
    assert refusal(packed({"a.zip": inner})).startswith("it unpacks to more than 100 times its size")


def test_a_single_file_that_is_too_large_costs_only_itself() -> None:
    """The articles beside it are good."""
    large, good = members(packed({"large.txt": b"\0" * (MOST + 1), "good.txt": b"Text."}))
    assert large.reason == "it is larger than 1 MB"
    assert good.data == b"Text."


def test_a_size_that_lies_unpacks_no_more_than_it_said() -> None:
    """What an archive says of a file's size is what is unpacked at most."""
    data = packed({"a.txt": b"x" * 5000, "good.txt": b"Text."})
    # The size after unpacking, in front of the file and in the list of files.
    lie = data.replace(struct.pack("<L", 5000), struct.pack("<L", 5))
    assert lie != data
    first, good = members(lie)
    assert first.reason.startswith("it is damaged in the archive (Bad CRC-32")
    assert good.data == b"Text."


def test_an_archive_in_itself_ends() -> None:
    """A file that holds a copy of itself can be made, and would be opened for ever."""
    data = packed({"a.md": b"Text."})
    for _ in range(6):
        data = packed({"deeper.zip": data}, zipfile.ZIP_STORED)
    (member,) = members(data)
    assert member.reason == "it is an archive inside archives inside archives; unpack it first"


def test_a_locked_file_is_named() -> None:
    """There is nobody to ask for the password."""
    data = bytearray(packed({"a.md": b"Text."}))
    for start in (data.index(b"PK\x03\x04") + 6, data.index(b"PK\x01\x02") + 8):
        data[start] |= 1
    assert [member.reason for member in members(bytes(data))] == [
        "it is locked with a password; unpack the archive first"
    ]


def test_methods_that_unpack_without_bounds_are_refused() -> None:
    """A few bytes of bzip2 can become gigabytes in one call."""
    (member,) = members(packed({"a.md": b"Text." * 100}, zipfile.ZIP_BZIP2))
    assert member.reason == "it is packed by an unusual method; unpack the archive first"


def test_a_link_in_an_archive_is_not_taken_for_a_text() -> None:
    """Its content is where it leads."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("link.md")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert [(member.name, member.is_aside, member.data) for member in members(buffer.getvalue())] == [
        ("link.md", True, b"")
    ]


def test_an_endless_list_of_files_is_refused_before_it_is_read() -> None:
    """The list alone may take gigabytes as objects."""
    listed = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, 17 * 2**20, 0, 0)
    assert refusal(bytes(17 * 2**20) + listed) == "it lists too many files; make several smaller archives of it"


@pytest.mark.parametrize("cut", [1, 10, 25, 60])
def test_what_is_no_archive_says_so(cut: int) -> None:
    """A download that broke off has no list of files at its end."""
    assert refusal(packed({"a.md": b"Text."})[:-cut]).startswith("it is not a zip archive, or a damaged one")


def test_an_archive_without_files_says_so(tmp_path: Path) -> None:
    """Silence would look like success."""
    path = tmp_path / "a.zip"
    path.write_bytes(packed({}))
    assert [loaded.reason for loaded in load(path)] == ["no file is in it"]
