"""Which of the GPU's libraries a program would load, and from where (see ld.so(8))."""

import dataclasses
import re

from gpu_setup.machine import Machine

PREFIXES = ("libcuda.so", "libcudnn.so", "libnvidia-ml.so")
DEFAULT_FOLDERS = ["/usr/lib/wsl/lib", "/lib/x86_64-linux-gnu"]
DEFAULT_FOLDERS += ["/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu"]
DEFAULT_FOLDERS += ["/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"]
# What conda calls CUDA's runtime (until 11, and since 12) and cuDNN.
CONDA_CUDA = ("cudatoolkit", "cuda-cudart")


@dataclasses.dataclass(frozen=True)
class Library:
    """A shared library: its path, what that leads to, and who puts it first."""

    path: str
    target: str
    origin: str  # "LD_LIBRARY_PATH", "pip", "ldconfig" or "default folder"

    @property
    def version(self) -> str:
        """What its file's name says, such as 9.3.0; "" for a bare major version."""
        number = re.search(r"\.so\.(\d+(?:\.\d+)+)$", self.target)
        return number[1] if number else ""

    @property
    def is_fake(self) -> bool:
        """Whether it is another library under this name (libcuda as libcudnn)."""
        return _stem(self.path) != _stem(self.target)

    @property
    def is_stub(self) -> bool:
        """Whether it is the toolkit's stand-in for linking, which drives no card."""
        return "/stubs/" in self.path


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".so")[0]


@dataclasses.dataclass(frozen=True)
class Found:
    """What can be loaded, in the order of the search.

    Attributes:
        libraries: By name without the number, such as "libcudnn.so".
        driver: The version of the driver's libraries; "" if they do not say.
        cuda_in_path: A folder of LD_LIBRARY_PATH that holds a CUDA, and its version.
        conda: The folder of libraries of the conda environment; "" if there is none.
        conda_cuda: The version of CUDA in it; "" if there is none.
        conda_cudnn: The version of cuDNN in it; "" if there is none.
        conda_in_path: Whether the loader looks into it, by LD_LIBRARY_PATH.
    """

    libraries: dict[str, list[Library]] = dataclasses.field(default_factory=dict)
    driver: str = ""
    cuda_in_path: tuple[str, str] = ("", "")
    conda: str = ""
    conda_cuda: str = ""
    conda_cudnn: str = ""
    conda_in_path: bool = False

    def first(self, name: str, major: str = "") -> Library | None:
        """The library that the loader takes for a name and a major version."""
        wanted = rf"\.so\.{major}(\.|$)" if major else r"\.so\.\d"
        found = self.libraries.get(name, [])
        return next((x for x in found if re.search(wanted, x.path)), None)


def find(machine: Machine) -> Found:
    """Searches in the loader's order: LD_LIBRARY_PATH, pip's folders, cache, defaults.

    The TensorFlow wheel names pip's folders in its RUNPATH, which the loader reads
    after LD_LIBRARY_PATH and before the cache. What the cache names and is not there
    any more, since nobody ran ldconfig, is left out.
    """
    path = machine.environment.get("LD_LIBRARY_PATH", "")
    variable = [p.rstrip("/") for p in path.split(":") if p.startswith("/")]
    pip = [f"{site}/nvidia/*/lib" for site in machine.python.get("site_packages", [])]
    before = [(p, "LD_LIBRARY_PATH") for p in variable] + [(p, "pip") for p in pip]
    after = [(p, "default folder") for p in DEFAULT_FOLDERS]
    cache = machine.run("ldconfig", "-p").text
    libraries = {}
    for name in PREFIXES:
        cached = re.findall(rf"^\s*{re.escape(name)}\S*.*=> (/\S+)$", cache, re.M)
        order = _listed(machine, before, name)
        order += [(p, "ldconfig") for p in cached if machine.exists(p)]
        order += _listed(machine, after, name)
        libraries[name] = [Library(p, machine.resolve(p), o) for p, o in order]
    driver, in_path = _driver(libraries), _cuda_in(machine, variable)
    here = machine.environment.get("CONDA_PREFIX")
    prefix = (here or machine.python.get("prefix", "")).rstrip("/")
    if not here and not machine.glob(f"{prefix}/conda-meta"):
        return Found(libraries, driver, in_path)
    folder = f"{prefix}/lib"
    return Found(
        libraries,
        driver,
        in_path,
        folder,
        _conda_version(machine, prefix, CONDA_CUDA, "libcudart"),
        _conda_version(machine, prefix, ("cudnn",), "libcudnn"),
        folder in [*variable, *map(machine.resolve, variable)],
    )


def _listed(
    machine: Machine, folders: list[tuple[str, str]], name: str
) -> list[tuple[str, str]]:
    return [
        (path, origin)
        for folder, origin in folders
        for path in machine.glob(f"{folder}/{name}*")
        if machine.exists(path)
    ]


def _driver(libraries: dict[str, list[Library]]) -> str:
    for name in ("libnvidia-ml.so", "libcuda.so"):
        for library in libraries[name]:
            if re.match(r"\d{3}\.", library.version):
                return library.version
    return ""


def _cuda_in(machine: Machine, folders: list[str]) -> tuple[str, str]:
    for folder in folders:
        number = re.search(r"/cuda-(\d+\.\d+)", machine.resolve(folder))
        if number:
            return folder, number[1]
    return "", ""


def _conda_version(
    machine: Machine, prefix: str, packages: tuple[str, ...], library: str
) -> str:
    """The version by conda's list of packages, else by the library's file name."""
    for package in packages:
        for path in machine.glob(f"{prefix}/conda-meta/{package}-[0-9]*.json"):
            return path.rpartition(f"/{package}-")[2].split("-")[0]
    names = [machine.resolve(p) for p in machine.glob(f"{prefix}/lib/{library}.so.*")]
    numbers = [name.rpartition(".so.")[2] for name in names]
    longest = max(numbers, key=lambda number: number.count("."), default="")
    # Every libcudart of CUDA 11 has this name, so that it says no more than "11".
    return "11" if (library, longest) == ("libcudart", "11.0") else longest
