"""Sets Aftershock up with nothing but Python and answers a first question; with `test`, runs its tests.

    python3 bootstrap.py
    python3 bootstrap.py test

Both can be run again at any time and do only what is left to do.
"""

# An old Python has to read this whole file before it can say that it is too old, so annotations of today's forms
# stand in quotation marks.
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
SCRIPTS = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
AFTERSHOCK = SCRIPTS / ("aftershock.exe" if os.name == "nt" else "aftershock")
QUESTION = "How much market value did Nvidia lose on 27 January 2025?"
IN_PARALLEL = ("-n", "logical", "--maxprocesses", "4", "--dist", "loadfile")
"""Much of what is tested waits: for a browser, a server, a process. More than four would each index the articles."""
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
)


class StepError(Exception):
    """A step failed; the text says why and what to do."""


def main(arguments: "Sequence[str]") -> int:
    """Set up, then answer a question or run the tests; returns the exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036
        return fail(f"Aftershock needs Python 3.11 or newer, and this is {sys.version.split()[0]}.")
    if list(arguments) not in ([], ["test"]):
        return fail("Use it as 'python3 bootstrap.py' or 'python3 bootstrap.py test'.")
    try:
        make_environment()
        return test() if arguments else demonstrate()
    except StepError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        fail("Interrupted; the same command goes on from here.")
        return 130


def demonstrate() -> int:
    """Install Aftershock, index its articles, answer a question, and say how to open the chat."""
    install(".")
    step("Indexing the articles that come with Aftershock")
    if subprocess.call([str(AFTERSHOCK), "ingest"]):
        raise StepError("The articles could not be indexed.")
    step(f'aftershock ask "{QUESTION}"')
    if subprocess.call([str(AFTERSHOCK), "ask", QUESTION]):
        raise StepError("The question could not be answered.")
    step(f"Open the chat in the browser with: {os.path.relpath(AFTERSHOCK)} chat")
    return 0


def test() -> int:
    """Install Aftershock, what its tests need and a browser for them, and run them."""
    install(".[test]")
    environment = {**os.environ, "CHROMIUM": browser()}
    step("Running the tests")
    return subprocess.call([str(PYTHON), "-m", "pytest", *IN_PARALLEL], cwd=ROOT, env=environment)


def make_environment() -> None:
    """Create the virtual environment unless there is a working one."""
    if PYTHON.exists() and quietly(PYTHON, "-m", "pip", "--version").returncode == 0:
        return
    step(f"Creating a virtual environment in {ENVIRONMENT}")
    made = quietly(sys.executable, "-m", "venv", "--clear", ENVIRONMENT)
    if made.returncode and shutil.which("apt-get"):
        apt_install("python3-venv")  # which Debian leaves out of Python
        made = quietly(sys.executable, "-m", "venv", "--clear", ENVIRONMENT)
    if made.returncode:
        raise StepError(f"{made.stdout}\nThe virtual environment could not be created.")


def install(requirement: str) -> None:
    """Install with pip what isn't there yet. Editable: after a change of the sources there is nothing to repeat."""
    record = ENVIRONMENT / "aftershock-installed.txt"
    parts = [str(ROOT).encode(), *((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))]
    state = hashlib.sha256(b"\0".join(parts)).hexdigest()
    installed = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    if installed[:1] == [state] and requirement in installed:
        return
    step("Installing Aftershock and what it needs, which takes some minutes the first time")
    done = quietly(
        PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "-c", "constraints.txt", "-e", requirement
    )
    if done.returncode:
        raise StepError(f"{done.stdout}\nThe installation failed; pip says above why.")
    record.write_text("\n".join([state, ".", requirement]), encoding="utf-8")


def browser() -> str:
    """Where Chromium or Chrome is; installed on Debian when there is none."""
    for _ in range(2):
        for name in (os.environ.get("CHROMIUM", ""), *BROWSERS):
            found = shutil.which(name)
            if found:
                return found
        if not shutil.which("apt-get"):
            break
        apt_install("chromium")
    raise StepError("The tests drive the chat page in a browser: install Chromium or Google Chrome, then try again.")


def apt_install(package: str) -> None:
    """Install a Debian package, where that is possible without asking for a password."""
    rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if rights and (not shutil.which("sudo") or quietly("sudo", "-n", "true").returncode):
        raise StepError(f"Run 'sudo apt-get install -y {package}' first, then this command again.")
    step(f"Installing Debian's package {package}")
    settings = ["env", "DEBIAN_FRONTEND=noninteractive"]
    quietly(*rights, *settings, "apt-get", "update")
    done = quietly(*rights, *settings, "apt-get", "install", "-y", "--no-install-recommends", package)
    if done.returncode:
        raise StepError(f"{done.stdout}\nDebian's package {package} could not be installed; apt-get says above why.")


def quietly(*command: "str | Path") -> "subprocess.CompletedProcess[str]":
    """Run a command and keep what it prints, for the case that it fails."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def step(line: str) -> None:
    """Say what happens next."""
    print(f"==> {line}", flush=True)


def fail(sentence: str) -> int:
    """Say what went wrong, and return the exit status for it."""
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
