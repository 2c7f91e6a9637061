from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_target_that_is_spoken_of_exists_and_is_explained() -> None:
    run = subprocess.run(["make", "--silent", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    explained = {line.split()[0] for line in run.stdout.splitlines()}

    spoken_of = set()
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / ".ci/run"]:
        for words in re.findall(r"(?:^|`)make((?: [a-z-]+)+)", path.read_text(), re.MULTILINE):
            spoken_of |= set(words.split())

    assert {"demo", "test", "check", "generate"} <= spoken_of
    assert spoken_of <= explained
