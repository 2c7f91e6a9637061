"""What `pipx install .` gives a user: the wheel, made from the source distribution, without our own tools."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder, ROOT], check=True, stdout=subprocess.DEVNULL)
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_holds_man_pages_completions_and_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [Path(name).name for name in archive.namelist()]
    wanted = [path.name for folder in ("man", "completions") for path in (ROOT / folder).iterdir()]

    assert len(wanted) > 20
    assert set(wanted) | {"LICENSE", "py.typed"} <= set(names)


def test_the_wheel_works_alone(wheel: Path, tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MANPATH")}
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    bin_ = tmp_path / "venv/bin"
    subprocess.run([bin_ / "pip", "--quiet", "install", wheel], check=True, env=env)

    env |= {"PATH": f"{bin_}:{env['PATH']}", "HOME": str(tmp_path)}

    def output(*argv: str) -> bytes:
        return subprocess.run(argv, check=True, env=env, cwd=tmp_path, capture_output=True).stdout

    assert output("clave", "--version").startswith(b"clave ")
    assert output("man", "--path", "clave-show").decode() == f"{tmp_path}/venv/share/man/man1/clave-show.1\n"
    assert output("clave", "completion", "bash") == (ROOT / "completions/clave.bash").read_bytes()
    every_module = (
        "import clave, importlib, pkgutil\n"
        "for each in pkgutil.walk_packages(clave.__path__, 'clave.'):\n"
        "    if not each.name.endswith('__main__'): importlib.import_module(each.name)"
    )
    output("python", "-W", "error", "-c", every_module)
