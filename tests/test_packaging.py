from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel built from the sources."""
    place = tmp_path_factory.mktemp("wheel")
    # From a copy, because setuptools leaves its build folder behind and takes old files from it.
    packages = PROJECT["tool"]["setuptools"]["packages"]
    for name in [*packages, "tests"]:
        shutil.copytree(ROOT / name, place / "sources" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, place / "sources")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(
        [*command, "--wheel-dir", place, place / "sources"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [built] = place.glob("*.whl")
    with ZipFile(built) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_all_that_the_packages_need(wheel: set[str]) -> None:
    """Every module, article, page asset and type marker of the sources is in the wheel, so it works from anywhere."""
    wanted = {"rag/py.typed", "ui/py.typed", "ingest/py.typed"}
    for package in PROJECT["tool"]["setuptools"]["packages"]:
        wanted |= {str(path.relative_to(ROOT).as_posix()) for path in (ROOT / package).glob("*.py")}
    for folder, pattern in (("corpus", "*.md"), ("ui/assets", "*"), ("rag", "*.json"), ("rag", "*.npz")):
        found = {str(path.relative_to(ROOT).as_posix()) for path in (ROOT / folder).glob(pattern)}
        assert found
        wanted |= found
    assert wanted - wheel == set()


def test_the_wheel_holds_nothing_else(wheel: set[str]) -> None:
    """Tests and set-up scripts are not installed."""
    folders = {name.split("/")[0] for name in wheel}
    assert {f for f in folders if not f.endswith(".dist-info")} == set(PROJECT["tool"]["setuptools"]["packages"])


def test_entry_points_lead_somewhere() -> None:
    """What the project file registers can be loaded: the script, the default index, the commands of evals."""
    groups = {"console_scripts": PROJECT["project"]["scripts"], **PROJECT["project"]["entry-points"]}
    for group, registered in groups.items():
        for name, target in registered.items():
            [found] = [entry for entry in entry_points(group=group, name=name) if entry.value == target]
            assert callable(found.load())


def test_constraints_pin_versions_for_every_platform() -> None:
    """Each line of constraints.txt is one plain version: no address, no local suffix, nothing for one vendor's GPU."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    names = {name.lower().replace("_", "-") for name, _, _ in (pin.partition("==") for pin in pins)}
    assert all("==" in pin and not set(pin) & set("+@/ ") for pin in pins)
    assert not {name for name in names if name.startswith(("nvidia", "triton", "cuda"))}
    project = PROJECT["project"]
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
        name = requirement.replace(">", "=").partition("=")[0].lower().replace("_", "-")
        assert name in names | {"setuptools"}, f"{name} is not pinned"


def test_an_old_python_reads_the_setup_script() -> None:
    """bootstrap.py needs no new syntax and no package, so an old Python gets to the sentence that it is too old."""
    source = (ROOT / "bootstrap.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 7))
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names


def test_the_readme_maps_every_module() -> None:
    """README's map has a line for each module, and its set-up commands are those that .ci/run runs."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    mapped = {line.split()[0] for line in readme.partition("## Map")[2].splitlines() if line.startswith(" ")}
    for package in PROJECT["tool"]["setuptools"]["packages"]:
        modules = {path.name for path in (ROOT / package).glob("*.py")}
        assert modules - {"__init__.py"} <= mapped, package
    command = "python3 bootstrap.py test\n"
    assert f"```sh\n{command}```" in readme
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
