"""What a measurement was taken on."""

import os
import pathlib
import platform
import re
import sys


def processor() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def describe() -> dict:
    flags = ""
    if os.path.exists("/proc/cpuinfo"):
        flags = pathlib.Path("/proc/cpuinfo").read_text()
    wanted = ["avx2", "avx512f", "avx512_bf16", "avx_vnni", "amx_bf16"]
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory_gb() * 1e9 / 2**30, 1),
        "instructions": [flag for flag in wanted if re.search(rf"\b{flag}\b", flags)],
        "system": f"{platform.system()} {platform.machine()}",
        "load_average": os.getloadavg(),
    }


def short_name() -> str:
    """For the name of a folder: the processor and how many cores of it."""
    name = re.sub(r"\(R\)|\(TM\)|CPU|Processor|@.*", " ", processor())
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") + f"-{os.cpu_count()}-cores"


def graphs_compiled() -> int:
    """How many graphs torch.compile has made in this process so far."""
    dynamo = sys.modules.get("torch._dynamo.utils")
    return dynamo.counters["stats"]["unique_graphs"] if dynamo else 0


def memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def free_gb() -> float:
    """Memory that a program could get now; all of it where the system does not tell."""
    try:
        found = re.search(r"MemAvailable:\s*(\d+) kB", pathlib.Path("/proc/meminfo").read_text())
    except OSError:
        found = None
    return int(found.group(1)) * 1024 / 1e9 if found else memory_gb()
