"""Files in, index in line with them."""

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest import Progress, sync
from ingest.article import Loaded
from ingest.load import load
from ingest.verify import verify
from rag import generations
from rag.embed import MiniLM
from rag.errors import IndexBusyError, IndexDamagedError, IndexMismatchError, IndexStateError
from rag.index import Index
from rag.settings import Settings
from tests.quick_embedder import QuickEmbedder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(index=tmp_path / "index", model="quotes")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "news"
    folder.mkdir()
    for name, text in (
        ("nvidia", "Nvidia shares fell 17% on 27 January 2025."),
        ("italy", "Italy blocked the DeepSeek app on 30 January 2025."),
        ("wiz", "Wiz found an open database of DeepSeek."),
    ):
        write(folder, name, text)
    return folder


def write(folder: Path, name: str, text: str, title: str = "") -> Path:
    path = folder / f"{name}.md"
    path.write_text(f"---\nid: {name}\ntitle: {title or name.title()}\n---\n{text}\n")
    return path


def counts(report: object) -> dict[str, int]:
    names = ("added", "updated", "unchanged", "removed", "passages")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


def texts(settings: Settings, embedder: MiniLM) -> dict[str, str]:
    index = Index.open(settings.index, embedder.identity)
    try:
        index.counts()
        return {article.id: article.text for article in index.articles()}
    finally:
        index.close()


def dated(settings: Settings, embedder: MiniLM) -> dict[str, tuple[str, ...]]:
    with closing(Index.open(settings.index, embedder.identity)) as index:
        return {article.id: article.event_dates for article in index.articles()}


def test_each_kind_of_change_reaches_the_index(folder: Path, settings: Settings, embedder: MiniLM) -> None:
    """New articles come in, changed ones are replaced whole, vanished ones go, and the rest costs nothing."""
    assert counts(sync([folder], settings, embedder=embedder)) == {"added": 3, "passages": 3}
    before = generations.current(settings.index)
    assert counts(sync([folder], settings, embedder=embedder)) == {"unchanged": 3, "passages": 3}
    assert generations.current(settings.index) == before

    write(folder, "nvidia", "Nvidia shares closed 16.97% lower.")
    write(folder, "oracle", "Oracle shares fell 13.8%.")
    (folder / "wiz.md").unlink()
    report = sync([folder], settings, embedder=embedder)
    assert counts(report) == {"added": 1, "updated": 1, "unchanged": 1, "removed": 1, "passages": 3}
    assert texts(settings, embedder) == {
        "italy": "Italy blocked the DeepSeek app on 30 January 2025.",
        "nvidia": "Nvidia shares closed 16.97% lower.",
        "oracle": "Oracle shares fell 13.8%.",
    }


def test_a_change_of_title_alone_is_a_change(folder: Path, settings: Settings, embedder: MiniLM) -> None:
    """Title, outlet and date are shown and searched: a correction to them must arrive."""
    sync([folder], settings, embedder=embedder)
    write(folder, "wiz", "Wiz found an open database of DeepSeek.", title="The open database")
    assert counts(sync([folder], settings, embedder=embedder)) == {"updated": 1, "unchanged": 2, "passages": 3}


def test_articles_from_elsewhere_stay(folder: Path, tmp_path: Path, settings: Settings, embedder: MiniLM) -> None:
    """Adding an export must not throw out the folder that was ingested before."""
    export = tmp_path / "export.jsonl"
    export.write_text(json.dumps({"id": "x", "title": "X", "text": "Text of X."}))
    sync([folder], settings, embedder=embedder)
    assert counts(sync([export], settings, embedder=embedder)) == {"added": 1, "passages": 4}
    export.write_text(json.dumps({"id": "y", "title": "Y", "text": "Text of Y."}))
    assert counts(sync([export], settings, embedder=embedder)) == {"added": 1, "removed": 1, "passages": 4}
    assert sorted(texts(settings, embedder)) == ["italy", "nvidia", "wiz", "y"]


def test_a_bad_file_is_reported_and_what_the_index_had_of_it_is_kept(
    folder: Path, tmp_path: Path, settings: Settings, embedder: MiniLM
) -> None:
    """A file damaged overnight must not cost its articles, nor stop the others."""
    sync([folder], settings, embedder=embedder)
    (folder / "wiz.md").write_text("---\ntitle: [\n---\n")
    write(folder, "oracle", "Oracle shares fell 13.8%.")
    report = sync([folder, tmp_path / "nowhere"], settings, embedder=embedder)
    assert counts(report) == {"added": 1, "unchanged": 2, "passages": 4}
    assert [place for place, _ in report.failed] == [str(tmp_path / "nowhere"), str(folder / "wiz.md")]
    assert "wiz" in texts(settings, embedder)


def test_a_folder_that_is_gone_as_a_whole_keeps_its_articles(
    folder: Path, settings: Settings, embedder: MiniLM
) -> None:
    """A drive that isn't plugged in is no reason to delete everything."""
    sync([folder], settings, embedder=embedder)
    folder.rename(folder.with_name("moved"))
    report = sync([folder], settings, embedder=embedder)
    assert report.failed == [(str(folder), "there is no such file or folder")]
    assert len(texts(settings, embedder)) == 3


def test_the_same_id_twice_in_one_run_is_reported(folder: Path, settings: Settings, embedder: MiniLM) -> None:
    """Of two different texts under one id, neither may silently replace the other."""
    (folder / "zz.md").write_text("---\nid: italy\ntitle: Another\n---\nAnother text.\n")
    report = sync([folder], settings, embedder=embedder)
    assert counts(report) == {"added": 3, "passages": 3}
    ((place, reason),) = report.failed
    assert place.endswith("zz.md")
    assert "the id 'italy'" in reason
    assert texts(settings, embedder)["italy"].startswith("Italy blocked")


def test_an_article_that_stands_in_two_files_is_held_once_and_is_no_failure(
    folder: Path, settings: Settings, embedder: MiniLM
) -> None:
    """Exports of a newsroom overlap: what is repeated word for word is said in a number, also when nothing is new."""
    line = json.dumps({"id": "w7", "title": "Weekly", "text": "Both exports hold this report of 27 January 2025."})
    for name in ("week-1", "week-2"):
        (folder / f"{name}.jsonl").write_text(f"{line}\n", encoding="utf-8")
    first = sync([folder], settings, embedder=embedder)
    assert (first.added, first.repeated, first.failed) == (4, 1, [])
    again = sync([folder], settings, embedder=embedder)
    assert (again.added, again.unchanged, again.repeated, again.failed) == (0, 4, 1, [])
    (folder / "week-1.jsonl").unlink()
    moved = sync([folder], settings, embedder=embedder)
    assert (moved.removed, moved.repeated, moved.passages) == (0, 0, 4)


def test_moved_files_are_recognised_by_content(folder: Path, settings: Settings, embedder: MiniLM) -> None:
    """A renamed file is the same article, and later vanishes only when the new file does."""
    sync([folder], settings, embedder=embedder)
    (folder / "wiz.md").rename(folder / "renamed.md")
    assert counts(sync([folder], settings, embedder=embedder)) == {"unchanged": 3, "passages": 3}
    assert counts(sync([folder], settings, embedder=embedder)) == {"unchanged": 3, "passages": 3}
    (folder / "renamed.md").unlink()
    assert counts(sync([folder], settings, embedder=embedder)) == {"unchanged": 2, "removed": 1, "passages": 2}


def test_passages_are_exact_slices_and_the_header_is_only_searched(
    settings: Settings, tmp_path: Path, embedder: MiniLM
) -> None:
    """Citations open the article at the sentence: offsets must be exact, and a title is nobody's quote."""
    text = "First sentence — naïve “quotes” and 12.5%.\n\nSecond paragraph, ünïcode 株価. Third sentence."
    path = write(tmp_path, "a", text, title="Quixotic headline")
    sync([path], settings, embedder=embedder)
    index = Index.open(settings.index, embedder.identity)
    (found,) = index.candidates(index.occurrences(["quixot"])[0].passages.tolist())
    article = index.article("a")
    assert article is not None
    assert found.passage.text == article.text[found.passage.start : found.passage.end]
    assert "Quixotic" not in found.passage.text
    assert [article.text[s:e] for s, e in found.spans] == [
        "First sentence — naïve “quotes” and 12.5%.",
        "Second paragraph, ünïcode 株価.",
        "Third sentence.",
    ]
    index.close()


def test_an_index_of_another_embedder_or_chunker_is_rebuilt_with_all_it_holds(
    folder: Path, tmp_path: Path, settings: Settings, embedder: MiniLM
) -> None:
    """Vectors of two models don't mix; the articles are kept, also those whose files are not named this time."""
    export = tmp_path / "export.jsonl"
    export.write_text(json.dumps({"id": "x", "title": "X", "text": "Text of X."}))
    sync([folder, export], settings, embedder=embedder)
    stamp_path = generations.current(settings.index) / "stamp.json"
    stamp_path.write_text(stamp_path.read_text().replace("all-MiniLM-L6-v2", "another-model"))
    with pytest.raises(IndexMismatchError, match="another embedding model"):
        Index.open(settings.index, embedder.identity)

    export.unlink()
    report = sync([folder], settings, embedder=embedder)
    assert counts(report) == {"unchanged": 3, "passages": 4}
    assert sorted(texts(settings, embedder)) == ["italy", "nvidia", "wiz", "x"]


def test_an_index_of_the_first_schema_is_rebuilt_with_all_it_holds(
    folder: Path, tmp_path: Path, settings: Settings, embedder: MiniLM
) -> None:
    """Who updates Aftershock loses no article, and gets the event dates that the old index did not keep."""
    (folder / "nvidia.md").write_text("---\nid: nvidia\nevent_dates: [2025-01-27]\n---\nNvidia shares fell.\n")
    export = tmp_path / "export.jsonl"
    export.write_text(json.dumps({"id": "x", "title": "X", "text": "Text of X.", "event_dates": ["2025-01-30"]}))
    sync([folder, export], settings, embedder=embedder)
    assert dated(settings, embedder) == {"italy": (), "nvidia": ("2025-01-27",), "wiz": (), "x": ("2025-01-30",)}
    old = generations.current(settings.index)
    with closing(sqlite3.connect(old / "articles.sqlite")) as database:
        database.execute("ALTER TABLE article DROP COLUMN event_dates")
        database.execute("UPDATE article SET digest = 'made without event dates'")
        database.commit()
    stamp = json.loads((old / "stamp.json").read_text())
    (old / "stamp.json").write_text(json.dumps({**stamp, "schema": 1}))
    with pytest.raises(IndexMismatchError, match="another version of Aftershock"):
        Index.open(settings.index, embedder.identity)

    sync([folder], settings, embedder=embedder)
    assert dated(settings, embedder) == {"italy": (), "nvidia": ("2025-01-27",), "wiz": (), "x": ()}
    assert sorted(texts(settings, embedder)) == ["italy", "nvidia", "wiz", "x"]


def test_a_damaged_index_is_named_and_rebuilt_on_demand(folder: Path, settings: Settings, embedder: MiniLM) -> None:
    """The index is only a cache: one command makes it anew, and says so itself."""
    sync([folder], settings, embedder=embedder)
    (generations.current(settings.index) / "articles.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(IndexDamagedError, match=r"aftershock ingest PATH --rebuild"):
        sync([folder], settings, embedder=embedder)
    sync([folder], settings, embedder=embedder, rebuild=True)
    assert len(texts(settings, embedder)) == 3


def test_lost_vectors_are_noticed(folder: Path, settings: Settings, embedder: MiniLM) -> None:
    """Chroma silently makes a missing database anew: an empty index must not look like 'no such article'."""
    sync([folder], settings, embedder=embedder)
    (generations.current(settings.index) / "chroma" / "chroma.sqlite3").unlink()
    with pytest.raises(IndexDamagedError, match=r"chroma\.sqlite3 is missing"):
        Index.open(settings.index, embedder.identity)


def test_there_is_one_writer_at_a_time(folder: Path, settings: Settings, embedder: MiniLM) -> None:
    """Two writers would corrupt the index; the second is told to wait."""
    with generations.writing(settings.index), pytest.raises(IndexBusyError, match="try again"):
        sync([folder], settings, embedder=embedder)
    sync([folder], settings, embedder=embedder)


def test_readers_keep_the_old_index_until_the_new_one_is_complete(
    folder: Path, settings: Settings, embedder: MiniLM
) -> None:
    """A chat goes on answering while an ingest runs."""
    sync([folder], settings, embedder=embedder)
    write(folder, "oracle", "Oracle shares fell 13.8%.")
    seen: list[int] = []
    sync([folder], settings, embedder=embedder, progress=lambda _: seen.append(len(texts(settings, embedder))))
    assert set(seen) == {3}
    assert len(texts(settings, embedder)) == 4


def test_an_error_in_the_middle_leaves_the_old_index_and_no_rubbish(
    folder: Path, settings: Settings, embedder: MiniLM
) -> None:
    """A full disk is reported in a sentence, and the next run can start afresh."""
    sync([folder], settings, embedder=embedder)
    write(folder, "oracle", "Oracle shares fell 13.8%.")

    def fail(_: Progress) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(IndexStateError, match="No space left on device"):
        sync([folder], settings, embedder=embedder, progress=fail, rebuild=True)
    assert len(texts(settings, embedder)) == 3
    assert len(list(settings.index.glob("generation-*"))) == 1


@pytest.fixture
def slow_ingest(folder: Path, settings: Settings) -> Iterator["subprocess.Popen[str]"]:
    """A process that is in the middle of writing a new generation, and stays there."""
    write(folder, "oracle", "Oracle shares fell 13.8%.")
    script = (
        "import sys, time\nfrom ingest import sync\nfrom ingest.build import Builder\n"
        "from rag.settings import Settings\n"
        "plain = Builder.store\n"
        "def store(self, *args):\n    plain(self, *args)\n    print('in the middle', flush=True)\n    time.sleep(600)\n"
        "Builder.store = store\n"
        "sync([sys.argv[1]], Settings(index=sys.argv[2], model='quotes'))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(folder), str(settings.index)], stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


def test_a_killed_ingest_leaves_the_old_index_working(
    folder: Path, settings: Settings, embedder: MiniLM, request: pytest.FixtureRequest
) -> None:
    """After a power cut there is the old index, and the next run completes the work."""
    sync([folder], settings, embedder=embedder)
    process: subprocess.Popen[str] = request.getfixturevalue("slow_ingest")
    assert process.stdout is not None
    assert process.stdout.readline() == "in the middle\n"
    assert len(list(settings.index.glob("generation-*"))) == 2
    with pytest.raises(IndexBusyError):
        sync([folder], settings, embedder=embedder)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(texts(settings, embedder)) == 3
    assert counts(sync([folder], settings, embedder=embedder)) == {"added": 1, "unchanged": 3, "passages": 4}


def test_progress_counts_all_bytes(folder: Path, settings: Settings, embedder: MiniLM) -> None:
    """The bar must end at 100%."""
    seen: list[Progress] = []
    sync([folder], settings, embedder=embedder, progress=seen.append)
    assert seen[-1].done == seen[-1].total == sum(p.stat().st_size for p in folder.iterdir())
    assert seen[-1].articles == 3


def test_a_file_that_has_not_changed_is_not_read_again(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large folder costs next to nothing when nothing has changed; a change of a single byte is seen."""
    # Within this time a second change could bear the same time, so that young files are always read.
    monkeypatch.setattr("ingest.cache._COARSEST_CLOCK_NS", -1)
    read: list[str] = []

    def reading(path: Path) -> Iterator[Loaded]:
        read.append(path.name)
        return load(path)

    monkeypatch.setattr(sys.modules[sync.__module__], "load", reading)
    quick = QuickEmbedder()
    sync([folder], settings, embedder=quick)
    assert sorted(read) == ["italy.md", "nvidia.md", "wiz.md"]
    read.clear()
    assert counts(sync([folder], settings, embedder=quick)) == {"unchanged": 3, "passages": 3}
    assert read == []
    (folder / "wiz.md").write_text((folder / "wiz.md").read_text().replace("open", "Open"))
    assert counts(sync([folder], settings, embedder=quick)) == {"updated": 1, "unchanged": 2, "passages": 3}
    assert read == ["wiz.md"]
    # A file under the id of another one that need not be read is noticed all the same.
    (folder / "aa.md").write_text("---\nid: italy\ntitle: Another\n---\nAnother text.\n")
    assert [place.rpartition("/")[2] for place, _ in sync([folder], settings, embedder=quick).failed] == ["italy.md"]


def test_a_young_file_is_read_again(folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two changes within one tick of the file system's clock look the same, so only older times are trusted."""
    read: list[str] = []

    def reading(path: Path) -> Iterator[Loaded]:
        read.append(path.name)
        return load(path)

    monkeypatch.setattr(sys.modules[sync.__module__], "load", reading)
    monkeypatch.setattr("ingest.cache._COARSEST_CLOCK_NS", 10**18)
    for _ in range(2):
        sync([folder], settings, embedder=QuickEmbedder())
    assert len(read) == 6


def test_only_changed_passages_are_embedded(tmp_path: Path, settings: Settings) -> None:
    """A correction in a long article costs one passage; a rebuild costs none."""
    paragraphs = [f"Paragraph {number} says: " + "many words about it " * 30 + "." for number in range(8)]
    article = write(tmp_path, "long", "\n\n".join(paragraphs))
    quick = QuickEmbedder()
    passages = sync([article], settings, embedder=quick).passages
    assert len(quick.embedded) == passages == 8
    paragraphs[3] = paragraphs[3].replace("many", "few")
    write(tmp_path, "long", "\n\n".join(paragraphs))
    quick.embedded.clear()
    sync([article], settings, embedder=quick)
    assert len(quick.embedded) == 1
    sync([article], settings, embedder=quick, rebuild=True)
    assert len(quick.embedded) == 1
    assert verify(settings.index).faults == ()


def test_a_dry_run_says_what_would_change_and_writes_nothing(folder: Path, settings: Settings, tmp_path: Path) -> None:
    """Who wants to know beforehand what an ingest does gets the same figures, and the same index."""
    quick = QuickEmbedder()
    assert counts(sync([folder], settings, embedder=quick, dry_run=True)) == {"added": 3}
    assert not settings.index.exists()
    sync([folder], settings, embedder=quick)
    before = {path: path.read_bytes() for path in settings.index.rglob("*") if path.is_file()}
    write(folder, "nvidia", "Nvidia shares closed 16.97% lower.")
    (folder / "wiz.md").unlink()
    report = sync([folder, tmp_path / "nowhere"], settings, embedder=quick, dry_run=True)
    assert counts(report) == {"updated": 1, "unchanged": 1, "removed": 1, "passages": 3}
    assert [place for place, _ in report.failed] == [str(tmp_path / "nowhere")]
    assert {path: path.read_bytes() for path in settings.index.rglob("*") if path.is_file()} == before


STORY = (
    "DeepSeek's assistant became the most downloaded free app on Monday. Engineers in Hangzhou had released the model "
    "a week before, and its price undercut that of every rival. Investors sold shares of chip makers in large numbers, "
    "because the model was said to need far fewer processors. Analysts at several banks warned that the reaction "
    "went too far, while others spoke of the end of an era. The company itself made no statement on the sale, and its "
    "founder was travelling to his home village for the holidays."
)


def test_copies_of_a_story_are_sources_of_one_story(tmp_path: Path, settings: Settings) -> None:
    """A text that several outlets print is found once, with all of them as its sources, and each can be opened."""
    folder = tmp_path / "news"
    folder.mkdir()
    for outlet in ("Harbour Times", "Northgate Post", "Evening Bearer"):
        fields = f"title: {outlet} on the app\noutlet: {outlet}\nurl: https://example.org/{outlet[:3]}"
        (folder / f"{outlet[:3].lower()}.md").write_text(f"---\nid: {outlet[:3]}\n{fields}\n---\n{STORY} ({outlet})\n")
    quick = QuickEmbedder()
    report = sync([folder], settings, embedder=quick)
    assert (report.added, report.copies) == (3, 2)
    assert told(settings) == ("Eve", ("Evening Bearer", "Harbour Times", "Northgate Post"))
    assert verify(settings.index).faults == ()
    assert len(quick.embedded) == report.passages

    # Without its leader the story is told by the next one.
    (folder / "eve.md").unlink()
    report = sync([folder], settings, embedder=quick)
    assert (report.removed, report.unchanged, report.copies) == (1, 2, 1)
    assert told(settings) == ("Har", ("Harbour Times", "Northgate Post"))

    # And when its leader tells something else, the copy is a story of its own.
    (folder / "har.md").write_text(
        "---\nid: Har\ntitle: Another\n---\nRegulators in Rome blocked the app for all users.\n"
    )
    report = sync([folder], settings, embedder=quick)
    assert (report.updated, report.copies) == (1, 0)
    assert told(settings) == ("Nor", ("Northgate Post",))
    assert verify(settings.index).faults == ()


def told(settings: Settings) -> tuple[str, tuple[str, ...]]:
    """Which article the passage about the app is from, and who told it."""
    with closing(Index.open(settings.index, "quick")) as index:
        (found,) = {c.passage for c in index.candidates(index.occurrences(["hangzhou"])[0].passages.tolist())}
        for source in found.sources:
            article = index.article(source.outlet[:3])
            assert article is not None
            assert "Hangzhou" in article.text
        return found.article_id, tuple(source.outlet for source in found.sources)
