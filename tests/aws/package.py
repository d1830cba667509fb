"""Checks what is deployed to Lambda: python3 tests/aws/package.py DIR [--arch arm64|x86_64]

DIR holds a folder with a `bootstrap` for each function, as cargo-lambda leaves them. Each must be an executable for the
architecture, without symbols, no larger than 7 MB, and no larger than 3 MB as a zip archive with `bootstrap` at its top.
Needs nothing but Python. Exit code 1 with a line per finding."""

import argparse
import io
import os
import struct
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MACHINES = {"arm64": 183, "x86_64": 62}
BYTES_MAX = 7_000_000
ZIP_BYTES_MAX = 3_000_000
SYMBOLS = 2  # the type of a section with symbols


def functions():
    """The names of all Lambdas, as the functions crate declares them."""
    manifest = tomllib.loads((ROOT / "functions" / "Cargo.toml").read_text())
    return [binary["name"] for binary in manifest["bin"]]


def section_types(image):
    """The type of each section of a 64-bit little-endian ELF image."""
    start, size, count = struct.unpack_from("<Q", image, 40)[0], *struct.unpack_from("<HH", image, 58)
    return [struct.unpack_from("<I", image, start + number * size + 4)[0] for number in range(count)]


def zipped(image):
    """The archive as it is deployed."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        out.writestr(entry, image)
    return len(archive.getvalue())


def findings(path, machine):
    """What is wrong with one package, and its two sizes."""
    if not path.is_file():
        return [f"{path} is missing"], (0, 0)
    image = path.read_bytes()
    found = []
    if not os.access(path, os.X_OK):
        found.append("it cannot be executed")
    if image[:6] != b"\x7fELF\x02\x01" or len(image) < 64:
        return [f"{path}: it is no 64-bit executable"], (len(image), 0)
    if struct.unpack_from("<H", image, 18)[0] != machine:
        found.append("it is for another architecture")
    if SYMBOLS in section_types(image):
        found.append("it is not stripped")
    sizes = len(image), zipped(image)
    if sizes[0] > BYTES_MAX:
        found.append(f"it has {sizes[0]} bytes, more than {BYTES_MAX}")
    if sizes[1] > ZIP_BYTES_MAX:
        found.append(f"its archive has {sizes[1]} bytes, more than {ZIP_BYTES_MAX}")
    return [f"{path}: {one}" for one in found], sizes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dir", type=Path)
    parser.add_argument("--arch", choices=MACHINES, default="arm64")
    arguments = parser.parse_args()
    wrong = []
    for name in functions():
        found, (size, archive) = findings(arguments.dir / name / "bootstrap", MACHINES[arguments.arch])
        wrong += found
        print(f"{name:<16} {size / 1e6:5.2f} MB, zipped {archive / 1e6:5.2f} MB")
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
