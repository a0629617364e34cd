"""Lets PyPI's CUDA build of torch be imported on a machine without CUDA.

PyPI has no CPU-only torch for Linux on x86-64, and the CUDA libraries that its build links against are several gigabytes that no
test here uses. This script writes empty stand-ins for them next to torch's own libraries: every function that torch refers to is
there and returns an error code, so that a use by mistake fails instead of computing nonsense. It needs `cc`, `nm` and `objdump`,
which a machine that links Rust programs has. The real CUDA runtime (a small package) is installed beside it, because torch's
libraries register themselves with it while they load; without a driver it answers that there is no device.

    python cpu_torch.py        in the virtual environment that holds torch
"""

import importlib.metadata
import pathlib
import re
import subprocess
import tempfile

NOT_REPLACED = ("libcudart.so", "libcuda.so")  # a package; and the driver, which nothing loads at import
SYSTEM = re.compile(r"lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s|z|quadmath)\.so|ld-linux")
UNVERSIONED = re.compile(r"(nccl|cuFile|cusparseLt|cu)[A-Z]")  # libraries whose symbols carry no version


def output(*command: object) -> str:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout


def needed_by(libraries: list[pathlib.Path]) -> set[str]:
    """Names of libraries, outside torch and the system, that torch's own libraries are linked against."""
    own = {library.name for library in libraries}
    names = {name for library in libraries for name in re.findall(r"NEEDED\s+(\S+)", output("objdump", "-p", library))}
    return {name for name in names if name not in own and not SYSTEM.match(name) and not name.startswith(NOT_REPLACED)}


def undefined_in(libraries: list[pathlib.Path]) -> set[tuple[str, str]]:
    """(symbol, version) of everything that torch's libraries refer to."""
    symbols = set()
    for library in libraries:
        for line in output("nm", "-D", "--undefined-only", library).splitlines():
            symbol, _, version = line.split()[-1].partition("@")
            symbols.add((symbol, version.lstrip("@")))
    return symbols


def write_stand_in(folder: pathlib.Path, name: str, version: str, symbols: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        source, versions = pathlib.Path(scratch, "stand_in.c"), pathlib.Path(scratch, "versions")
        source.write_text("".join(f"int {symbol}(void) {{ return 1; }}\n" for symbol in symbols))
        versions.write_text(f"{version} {{ global: *; }};\n")
        script = [f"-Wl,--version-script={versions}"] if version else []
        output("cc", "-shared", "-fPIC", f"-Wl,-soname,{name}", *script, "-o", folder / name, source)


def main() -> None:
    files = importlib.metadata.files("torch") or []
    libraries = sorted(path for file in files if (path := pathlib.Path(file.locate())).name.startswith("lib") and ".so" in path.name)
    if not libraries:
        raise SystemExit("torch is not installed in this environment")
    symbols = undefined_in(libraries)
    for name in sorted(needed_by(libraries)):
        # CUDA's libraries name the version of their symbols after themselves, NVSHMEM uses a word of its own, and some have no
        # versions at all: such symbols may be found in any library, so all of them stand in NCCL's.
        version = "NVSHMEM" if name.startswith("libnvshmem") else name
        versioned = sorted(symbol for symbol, wanted in symbols if wanted == version)
        free = sorted(symbol for symbol, wanted in symbols if not wanted and UNVERSIONED.match(symbol))
        if name.startswith("libnccl"):
            write_stand_in(libraries[0].parent, name, "", free)
        else:
            write_stand_in(libraries[0].parent, name, version if versioned else "", versioned)


if __name__ == "__main__":
    main()
