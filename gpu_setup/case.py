"""What the steps of the guide judge: the facts, and what follows from several."""

import dataclasses
import functools
import json
from importlib import resources
from typing import Any

from gpu_setup import compatibility as fit
from gpu_setup import logs, remedies
from gpu_setup.facts import Facts, Gpu
from gpu_setup.libraries import Library


@dataclasses.dataclass(frozen=True)
class Finding:
    """What a step found, what is right, and what to do and to type next."""

    status: str  # ok, problem, skip or unknown
    found: str = ""
    expected: str = ""
    advice: str = ""
    command: str = ""


@functools.cache
def guide_data() -> dict[str, Any]:
    """The guide's steps and the sentences of every finding (data/guide.json)."""
    file = resources.files("gpu_setup") / "data" / "guide.json"
    return json.loads(file.read_text())


def say(name: str, **words: object) -> Finding:
    """The finding of a name in data/guide.json.

    Args:
        name: Of the finding.
        words: What stands for the words in braces, and texts that the file leaves out.
    """
    texts = guide_data()["findings"][name]
    filled = {
        field.name: texts[field.name].format_map(words)
        if field.name in texts
        else str(words.get(field.name, ""))
        for field in dataclasses.fields(Finding)
    }
    return Finding(**filled)


class Case:
    """The facts with what several steps conclude from them.

    Attributes:
        facts: What the probes found.
        platform: The system and the processor, which decide what there is to install.
        told: What TensorFlow answered.
        version: The TensorFlow that is installed; "" if none.
        best: The newest release for this Python, these cards and this driver.
        target: The tested build to judge by: the installed one's, else `best`.
        cuda: The CUDA that the installed or the best build needs.
        cudnn: The cuDNN that it needs.
        driver: The version that is loaded; "" if none.
        has_gpu: Whether anything speaks of a card.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts, self.told = facts, facts.tensorflow
        self.platform = facts.platform
        self.build = self.told.get("build") or {}
        packages = facts.python.get("packages", {})
        installed = packages.get("tensorflow") or packages.get("tensorflow-gpu", "")
        self.version = str(self.told.get("version") or installed)
        self.gpus = self.told.get("gpus") or []
        self.driver = facts.loaded_driver or next(
            (g.driver for g in facts.smi_gpus if g.driver), ""
        )
        self.cards = facts.smi_gpus or [
            Gpu(g.get("name", "GPU"), "", g.get("capability", ""), "")
            for g in self.gpus
        ]
        self.python = facts.python.get("version", "")
        self.best = self._best()
        self.target = fit.build_of(self.version) if self.version else self.best
        row = self.target
        self.cuda = str(self.build.get("cuda_version") or (row.cuda if row else ""))
        self.cudnn = row.cudnn if row else str(self.build.get("cudnn_version", ""))
        lent = facts.wsl and any("/wsl/" in x.path for x in self._libcudas)
        self.has_gpu = bool(
            facts.pci_gpus or self.cards or facts.loaded_driver or facts.jetson or lent
        )

    def _best(self) -> fit.Build | None:
        cards = [g.capability for g in self.cards if g.capability]
        return (
            fit.newest_fit(self.python, cards, self.driver)
            or fit.newest_fit(self.python, cards)
            or fit.newest_fit(self.python)
        )

    @property
    def _libcudas(self) -> list[Library]:
        return self.facts.libraries.libraries.get("libcuda.so", [])

    @property
    def libcuda(self) -> Library | None:
        """The driver's library that TensorFlow would load."""
        return self.facts.libraries.first("libcuda.so", "1")

    @property
    def libcudnn(self) -> Library | None:
        """The cuDNN that TensorFlow would load, by its major version."""
        major = self.cudnn.partition(".")[0]
        libraries = self.facts.libraries
        return libraries.first("libcudnn.so", major) or libraries.first("libcudnn.so")

    @property
    def toolkit(self) -> str:
        """The folder of a toolkit whose libraries TensorFlow can use; "" if none."""
        fitting = (p for p, v in self.facts.toolkits if fit.cuda_fits(v, self.cuda))
        return next(fitting, "")

    @property
    def is_in_conda(self) -> bool:
        """Whether the CUDA that is needed lies in conda, where no loader looks."""
        found = self.facts.libraries
        return not found.conda_in_path and fit.cuda_fits(found.conda_cuda, self.cuda)

    @property
    def looks_in_pip(self) -> bool:
        """Whether TensorFlow looks where pip puts CUDA's libraries: since 2.14."""
        return fit.parse_version(self.version) >= (2, 14)

    @property
    def architectures(self) -> list[str]:
        """What the build was compiled for: its own word, else the table's."""
        own = self.build.get("cuda_compute_capabilities")
        release = self.version or (self.best.tensorflow if self.best else "")
        return own or fit.wheel_architectures(release)

    @property
    def is_cpu_build(self) -> bool:
        """Whether TensorFlow says that it has no GPU code."""
        return self.build.get("is_cuda_build") is False

    @property
    def owns_kernel(self) -> bool:
        """Whether kernel and driver are this system's own to choose."""
        return self.platform.system == "linux" and not self.facts.container

    @property
    def works(self) -> bool:
        """Whether TensorFlow multiplied two matrices right on every GPU it has."""
        return bool(self.gpus) and all(g.get("product") is True for g in self.gpus)

    @property
    def failure(self) -> logs.Known | None:
        """The cause that TensorFlow's own messages give; None if they give none."""
        products = [str(gpu.get("product")) for gpu in self.gpus]
        words = [str(self.told.get(key, "")) for key in ("log", "error", "gpu_error")]
        named = f"tensorflow {self.version}" if self.version else ""
        cards = [f"compute capability {c.capability}" for c in self.cards]
        return logs.explain("\n".join([*words, *products, named, *cards])).cause

    def pip_version(self, name: str) -> str:
        """The version of pip's nvidia-NAME for the CUDA that is needed; "" if none."""
        packages = self.facts.python.get("packages", {})
        major = self.cuda.partition(".")[0]
        # The packages of CUDA 13 have no number in their names.
        return packages.get(f"nvidia-{name}-cu{major}") or packages.get(
            f"nvidia-{name}", ""
        )

    def install(self, release: str = "") -> str:
        """The command that installs a release; by default the best one."""
        if not self.has_gpu:
            return remedies.pip_install("tensorflow")
        release = release or (self.best.tensorflow if self.best else "")
        return remedies.install_tensorflow(self.platform, release)
