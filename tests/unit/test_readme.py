"""What the README tells people to type does what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_hosts_can_be_tried_out_as_the_readme_says(tmp_path: Path) -> None:
    (script,) = re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-euxc", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    listed = ran.stdout.rpartition("NAME")[2]
    assert len(re.findall(r"^backup/web1/tank/www@rec-", listed, re.MULTILINE)) == 2, ran.stdout
