from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ingest import sync
from rag import Settings
from rag.embed import MiniLM
from tests.ollama_server import Model, OllamaServer
from ui import preferences
from ui.cli import main
from ui.doctor import Check, can_answer, examine, network


@pytest.fixture(scope="module")
def ready(embedder: MiniLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index over one article. Not to be written to."""
    folder = tmp_path_factory.mktemp("doctor")
    (folder / "nvidia.txt").write_text("Nvidia falls\n\nNvidia lost $589 billion of market value.", encoding="utf-8")
    sync([folder], Settings(folder / "index"), embedder=embedder)
    return folder / "index"


@pytest.fixture
def index(ready: Path, tmp_path: Path) -> Path:
    """An index over one article, to be broken."""
    return Path(shutil.copytree(ready, tmp_path / "index"))


def findings(index: Path, ollama_host: str = "http://127.0.0.1:9") -> dict[str, Check]:
    """The checks by name."""
    return {check.name: check for check in examine(Settings(index, ollama_host=ollama_host))}


def test_all_is_well(ready: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each thing that answering depends on gets a line, and status 0 says that questions can be answered."""
    assert main(["doctor", "--index", str(ready)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("problem")] == []
    for name in ("Python", "Corpus", "Embedder", "Index", "Network"):
        assert [line for line in lines if line.startswith("ok") and f"{name}: " in line], name
    assert f"1 articles in 1 passages at {ready}" in "\n".join(lines)


def test_json_lists_the_checks(ready: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`doctor --json` prints each check with its state, finding and advice."""
    assert main(["doctor", "--json", "--index", str(ready)]) == 0
    checks = json.loads(capsys.readouterr().out)
    assert {tuple(check) for check in checks} == {("name", "state", "finding", "advice")}


def test_what_is_not_in_order_comes_with_advice(index: Path) -> None:
    """No finding is left without something to do about it."""
    next(index.glob("generation-*/articles.sqlite")).write_bytes(b"broken")
    found = findings(index)
    assert found["Index"].state == "problem"
    assert "--rebuild" in found["Index"].finding
    assert found["Model server"].state == "attention"
    assert "ollama pull" in found["Model server"].finding
    assert "not needed" in found["Model server"].advice.lower()


def test_a_named_index_that_is_missing_is_a_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A named index is not made unasked, so without it no question can be answered, and the status is 1."""
    assert main(["doctor", "--index", str(tmp_path / "none")]) == 1
    assert "problem" in capsys.readouterr().out


def test_a_missing_default_index_is_no_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first question makes the default index, so the doctor says that and finds no problem."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("WIN_PD_OVERRIDE_LOCAL_APPDATA", str(tmp_path))
    checks = examine(Settings.from_env())
    assert can_answer(checks)
    assert next(check for check in checks if check.name == "Index").state == "attention"


@pytest.mark.parametrize(("field", "state"), [("embedder", "problem"), ("schema", "problem"), ("chunker", "attention")])
def test_the_stamp_must_fit(index: Path, field: str, state: str) -> None:
    """An index of another embedder or schema can't be used; one of another chunker can, and should be renewed."""
    stamp = next(index.glob("generation-*/stamp.json"))
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {field: 0 if field == "schema" else "another"}))
    check = findings(index)["Index"]
    assert check.state == state
    assert "'aftershock in" in check.finding + check.advice


def test_an_empty_index_is_a_problem(tmp_path: Path) -> None:
    """An index without articles answers nothing."""
    (tmp_path / "empty").mkdir()
    sync([tmp_path / "empty"], Settings(tmp_path / "index"))
    assert findings(tmp_path / "index")["Index"].state == "problem"


def test_other_weights_are_a_problem(ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that are not the official ones are told, and how to get these."""
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.setattr(MiniLM, "folder", tmp_path)
    check = findings(ready)["Embedder"]
    assert check.state == "problem"
    assert "pip install" in check.finding


def test_files_that_cannot_be_derived_are_named(ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each question begins ten seconds late, whoever asks why must learn the reason and the folder."""
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    monkeypatch.setattr("rag.embed.inference_path", lambda *_: blocked / "embedder.onnx")
    found = findings(ready)["Embedder"]
    assert found.state == "attention"
    assert "load quickly can't be made" in found.finding
    assert "can be written to" in found.advice


def test_models_are_judged_by_size(ready: Path) -> None:
    """Each model is named with its size, and one that is too large for the machine's memory is marked."""
    models = (Model("small:1b", size=2**28), Model("huge:700b", size=2**60))
    with OllamaServer(models, version="9.8.7") as server:
        checks = [check for check in examine(Settings(ready, ollama_host=server.url)) if check.name.startswith("Model")]
    assert [check.state for check in checks] == ["ok", "ok", "attention"]
    assert "Ollama 9.8.7" in checks[0].finding
    assert checks[1].finding == "small:1b, 0.2 GiB, fits into this machine's memory"
    assert "huge:700b" in checks[2].finding


def test_a_server_without_models_leads_to_one(ready: Path) -> None:
    """Where the server has no model, the command that gets one is named."""
    with OllamaServer(()) as server:
        assert "aftershock model pull deepseek-r1:" in findings(ready, server.url)["Models"].advice


def test_who_answers_is_said(ready: Path) -> None:
    """The model that answers is named with the choice behind it, and a chosen model that is missing leads to it."""
    with OllamaServer([Model("small:1b", size=2**28)]) as server:
        assert findings(ready, server.url)["Answers"].finding == "written by ollama/small:1b (chosen: auto)"
        missing = Settings(ready, model="ollama:gone:8b", ollama_host=server.url)
        check = next(check for check in examine(missing) if check.name == "Answers")
    assert check.state == "attention"
    assert "aftershock model pull gone:8b" in check.advice


def test_preferences_are_shown_and_judged(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is remembered is shown with its place, and a damaged file is one finding, said once."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("WIN_PD_OVERRIDE_LOCAL_APPDATA", str(tmp_path))
    preferences.remember(model="quotes")
    assert findings(ready)["Preferences"].finding.startswith("model quotes, kept at ")
    preferences.location().write_text("{")
    assert findings(ready)["Preferences"].state == "attention"
    assert main(["doctor", "--index", str(ready)]) == 0
    said = capsys.readouterr()
    assert "".join(said).count("are damaged") == 1


def test_a_server_elsewhere_is_pointed_out(tmp_path: Path) -> None:
    """That questions leave this machine is said where a model server elsewhere is set."""
    check = network(Settings(tmp_path, ollama_host="http://models.example.org:11434"))
    assert check.state == "attention"
    assert "models.example.org" in check.finding
