"""Which libcuda and libcudnn a program would load, and from where (see ld.so(8))."""

import dataclasses
import re

from gpu_setup.machine import Machine

PREFIXES = ("libcuda.so", "libcudnn.so", "libnvidia-ml.so")
DEFAULT_FOLDERS = ("/usr/lib/wsl/lib", "/lib/x86_64-linux-gnu")
DEFAULT_FOLDERS += ("/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu")
DEFAULT_FOLDERS += ("/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")


@dataclasses.dataclass(frozen=True)
class Library:
    """A shared library: its path, what that leads to, and who puts it first."""

    path: str
    target: str
    origin: str  # "LD_LIBRARY_PATH", "pip", "ldconfig" or "default folder"

    @property
    def is_fake(self) -> bool:
        """Whether it is another library under this name (libcuda as libcudnn)."""
        names = [p.rpartition("/")[2].partition(".so")[0] for p in self._both()]
        return names[0] != names[1]

    def _both(self) -> tuple[str, str]:
        return self.path, self.target


@dataclasses.dataclass(frozen=True)
class Found:
    """The first libcuda and libcudnn in search order, and the driver's version."""

    libcuda: Library | None = None
    libcudnn: Library | None = None
    driver: str = ""
    is_stub: bool = False
    old_cuda_path: str = ""  # the folder in LD_LIBRARY_PATH that names a CUDA


def find(machine: Machine) -> Found:
    """Searches in the loader's order: LD_LIBRARY_PATH, pip's folders, cache, defaults.

    The TensorFlow wheel names pip's folders in its RUNPATH, which the loader reads
    after LD_LIBRARY_PATH and before the cache.
    """
    path = machine.environment.get("LD_LIBRARY_PATH", "")
    variable = [p.rstrip("/") for p in path.split(":") if p.startswith("/")]
    sites = machine.python.get("site_packages", [])
    pip = [f"{site}/nvidia/*/lib" for site in sites]
    places = [(p, "LD_LIBRARY_PATH") for p in variable] + [(p, "pip") for p in pip]
    cache = machine.run("ldconfig", "-p").text
    found: dict[str, Library] = {}
    for prefix in PREFIXES:
        candidates = [
            (name, origin)
            for folder, origin in places
            for name in machine.glob(f"{folder}/{prefix}*")
        ]
        cached = re.findall(rf"{re.escape(prefix)}\S*.*=> (/\S+)", cache)
        candidates += [(name, "ldconfig") for name in cached]
        for folder in DEFAULT_FOLDERS:
            names = machine.glob(f"{folder}/{prefix}*")
            candidates += [(name, "default folder") for name in names]
        # The loader asks for the soname, libcudnn.so.9, not for libcudnn.so.
        loadable = [c for c in candidates if re.search(r"\.so\.\d", c[0])]
        if loadable:
            name, origin = loadable[0]
            found[prefix] = Library(name, follow(machine, name), origin)
    return Found(
        found.get("libcuda.so"),
        found.get("libcudnn.so"),
        _driver(machine, found),
        "/stubs" in (found["libcuda.so"].path if "libcuda.so" in found else ""),
        next((p for p in variable if re.search(r"/cuda-?\d", p)), ""),
    )


def follow(machine: Machine, path: str) -> str:
    """The file behind a chain of symbolic links, as the machine names it."""
    for _ in range(20):
        target = machine.link(path)
        if not target:
            return path
        path = target
    return path


def _driver(machine: Machine, found: dict[str, Library]) -> str:
    for prefix in ("libnvidia-ml.so", "libcuda.so"):
        if prefix not in found:
            continue
        folder = found[prefix].target.rpartition("/")[0]
        names = [found[prefix].target, *machine.glob(f"{folder}/{prefix}.*")]
        for name in names:
            number = re.search(r"\.so\.(\d{3}\.\d+(?:\.\d+)?)$", name)
            if number:
                return number[1]
    return ""
