"""The commands that mend an installation, for each release and each system as it is.

The commands that do not depend on a release stand in data/commands.json.
"""

import dataclasses
import json
from importlib import resources

from gpu_setup import compatibility as fit

COMMANDS = json.loads((resources.files("gpu_setup") / "data/commands.json").read_text())


@dataclasses.dataclass(frozen=True)
class Platform:
    """What decides which packages there are.

    Attributes:
        system: "linux", "windows", "wsl", "macos", or "jetson".
        machine: The processor's architecture, "x86_64" or "aarch64".
        distribution: The name of the Linux distribution; "" if it is not known.
        jetson_linux: On a Jetson, the major release of its Linux (L4T), such as "36".
    """

    system: str = "linux"
    machine: str = "x86_64"
    distribution: str = ""
    jetson_linux: str = ""


def requirement(tensorflow: str) -> str:
    """What to ask pip for to get a release with GPU code, newest patch of its series.

    The extra `and-cuda`, which brings CUDA and cuDNN along, began with 2.14. From 2.1
    on the plain package has the GPU code; before that, tensorflow-gpu. (Of 1.15,
    tensorflow had it in 1.15.0 alone: tensorflow issue 36347.)
    """
    version = fit.parse_version(tensorflow)[:2]
    series = ".".join(map(str, version))
    if version >= (2, 14):
        newest = version == fit.parse_version(fit.builds()[0].tensorflow)[:2]
        return "tensorflow[and-cuda]" + ("" if newest else f"=={series}.*")
    name = "tensorflow" if version >= (2, 1) else "tensorflow-gpu"
    return f"{name}=={series}.*"


def pip_install(wanted: str) -> str:
    """The pip command for a requirement, quoted where the shell needs it."""
    quoted = f"'{wanted}'" if set(wanted) & set("[]=*<>") else wanted
    command = f"python -m pip install --upgrade {quoted}"
    if wanted.startswith("tensorflow[and-cuda]==2.14"):
        # Its extra asks for a TensorRT that PyPI has not for Python 3.11 (issue 61986).
        command += " --extra-index-url https://pypi.nvidia.com"
    return command


def install_tensorflow(platform: Platform, tensorflow: str = "") -> str:
    """The command that installs a TensorFlow with GPU code; by default the newest."""
    if platform.system == "jetson":
        folder = COMMANDS["jetson_folders"].get(platform.jetson_linux, "v60")
        return COMMANDS["jetson_wheel"].format(folder=folder)
    if platform.machine != "x86_64" and platform.system in ("linux", "wsl"):
        return COMMANDS["container"]  # PyPI's wheels for aarch64 have no GPU code
    tensorflow = tensorflow or fit.builds()[0].tensorflow
    if platform.system == "windows" and fit.parse_version(tensorflow)[:2] > (2, 10):
        return COMMANDS["wsl"]  # 2.10 was the last with a GPU on native Windows
    return pip_install(requirement(tensorflow))


def install_cuda(platform: Platform, build: fit.Build, pinned: bool = True) -> str:
    """The command that brings the CUDA and cuDNN libraries that a build asks for.

    Args:
        platform: Where they are missing.
        build: The release that asks for them.
        pinned: Whether the release has to stay; otherwise the newest may replace it.
    """
    if platform.system == "jetson":
        return COMMANDS["jetpack"]
    if fit.parse_version(build.tensorflow) >= (2, 14) or platform.machine != "x86_64":
        return install_tensorflow(platform, build.tensorflow if pinned else "")
    cuda = ".".join(build.cuda.split(".")[:2])
    return _conda_install(platform, build.cuda, f"cudatoolkit={cuda} ", build.cudnn)


def install_cudnn(platform: Platform, build: fit.Build, needed: str = "") -> str:
    """The command that brings a cuDNN that a build takes.

    Args:
        platform: Where it is missing or too old.
        build: The release that asks for it.
        needed: The version that the build was compiled with; the table's by default.
    """
    needed = ".".join((needed or build.cudnn).split(".")[:2])
    cuda = build.cuda.partition(".")[0]
    if platform.system == "jetson" or platform.machine != "x86_64":
        return install_cuda(platform, build)
    if int(cuda) < 11 or platform.system == "windows":
        return _conda_install(platform, build.cuda, "", needed)
    command = pip_install(f"nvidia-cudnn-cu{cuda}{_same_major(needed)}")
    if fit.parse_version(build.tensorflow) >= (2, 14):
        return command
    return f"{command} && {COMMANDS['pip_path']}:$LD_LIBRARY_PATH"


def _same_major(version: str) -> str:
    return f">={version},<{fit.parse_version(version)[0] + 1}"


def _conda_install(platform: Platform, cuda: str, toolkit: str, cudnn: str) -> str:
    # conda-forge begins with CUDA 9.2; Anaconda's own channel has 8.0 and 9.0.
    channel = "-c conda-forge " if fit.parse_version(cuda) >= (10,) else ""
    command = f"conda install {channel}{toolkit}'cudnn{_same_major(cudnn)}'"
    windows = platform.system == "windows"
    return command if windows else f"{command} && {COMMANDS['conda_path']}"


def install_driver(platform: Platform) -> str:
    """The command that brings a driver; "" where the system has none to type."""
    drivers = COMMANDS["drivers"]
    if platform.system != "linux":
        return drivers.get(platform.system, "")
    name = platform.distribution.lower() or "ubuntu"
    return next(command for word, command in drivers.items() if word in name)


def run_on(python: str) -> str:
    """The command that makes an environment with a Python version."""
    return COMMANDS["environment"].format(python=python)
