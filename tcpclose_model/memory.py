"""How much memory this process has, and how much it may still take."""

from __future__ import annotations

import os
import sys
from pathlib import Path

GIB = 1 << 30
MARGIN = 0.9
"""Share of the memory that is free which a search takes at most."""

_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""Where Linux tells the limit and the use of this process's group: version 2, version 1."""


def resident() -> int:
    """Return the bytes of memory that this process holds; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return _peak()


def _peak() -> int:
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def allowed() -> int:
    """Return the bytes that this process may hold by default: what it has, and most of the rest.

    The rest is the least of what the machine and the control groups have free.
    """
    free = [free for free in (_free_in_machine(), *map(_free_in_group, _CGROUPS)) if free]
    return resident() + int(MARGIN * min(free, default=4 * GIB))


def _free_in_machine() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return None
    except (OSError, ValueError, IndexError):
        try:
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
        except (AttributeError, OSError, ValueError):
            return None


def _free_in_group(files: tuple[str, str]) -> int | None:
    try:
        limit, used = (int(Path(file).read_text(encoding="ascii")) for file in files)
    except (OSError, ValueError):  # no such group, or no limit ("max")
        return None
    return max(limit - used, 1)


def in_bytes(text: str) -> int | None:
    """Return "8G", "500M", "64K" or a number of bytes as a number, or None if it is neither."""
    text = text.strip().upper().removesuffix("IB").removesuffix("B")
    scale = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}.get(text[-1:], 1)
    digits = text if scale == 1 else text[:-1]
    try:
        size = float(digits) * scale
    except ValueError:
        return None
    return int(size) if 0 < size < 1 << 62 else None


def in_words(size: int) -> str:
    """Return a number of bytes for people: "7.2 GiB", "512 MiB"."""
    if size >= GIB:
        return f"{size / GIB:.1f} GiB"
    return f"{size / (1 << 20):.0f} MiB"
