"""The commands that mend an installation, for each release and each system as it is.

Sources: the install pages of the releases (tensorflow.org/install/pip), the metadata of
the wheels 2.12.0 to 2.21.0, NVIDIA's guides for Jetson and for its containers.
"""

import dataclasses

from gpu_setup import compatibility as fit

CONTAINER = "docker run --gpus all -it --rm nvcr.io/nvidia/tensorflow:25.02-tf2-py3"
CONDA_PATH = "export LD_LIBRARY_PATH=$CONDA_PREFIX/lib:$LD_LIBRARY_PATH"
# What the environment sets whenever it is activated (install page of 2.8 to 2.11).
ACTIVATE = (
    "mkdir -p $CONDA_PREFIX/etc/conda/activate.d && "
    "echo 'export LD_LIBRARY_PATH=$CONDA_PREFIX/lib:$LD_LIBRARY_PATH' > "
    "$CONDA_PREFIX/etc/conda/activate.d/gpu.sh && "
    "conda activate $CONDA_PREFIX"
)
# Where pip's libraries are, for a TensorFlow that does not look there itself.
PIP_PATH = (
    "export LD_LIBRARY_PATH=$(python -c \"import glob, site; print(':'.join(p for s in "
    "site.getsitepackages() for p in glob.glob(s + '/nvidia/*/lib')))\")"
)
# The folder of NVIDIA's wheels for a Jetson, by the release of its Linux (L4T).
JETSON_INDEX = {"36": "v60", "35": "v512", "32": "v461"}
JETSON_WHEELS = "https://developer.download.nvidia.com/compute/redist/jp"
JETPACK = "sudo apt-get install nvidia-jetpack"  # CUDA and cuDNN for a Jetson
WSL = "wsl --install"
DRIVERS = {  # by a word of the distribution's name
    "ubuntu": "sudo ubuntu-drivers install && sudo reboot",
    "debian": "sudo apt-get install nvidia-driver && sudo reboot",
    "fedora": "sudo dnf install akmod-nvidia && sudo reboot",
    "arch": "sudo pacman -S nvidia && sudo reboot",
}


@dataclasses.dataclass(frozen=True)
class Platform:
    """What decides which packages there are.

    Attributes:
        system: "linux", "windows", "wsl", "macos", or "jetson".
        machine: The processor's architecture, "x86_64" or "aarch64".
        distribution: The name of the Linux distribution; "" if it is not known.
        jetson_linux: On a Jetson, the major release of L4T, such as "36".
    """

    system: str = "linux"
    machine: str = "x86_64"
    distribution: str = ""
    jetson_linux: str = ""

    @property
    def has_extra(self) -> bool:
        """Whether pip can bring CUDA along: on Linux (and WSL2) with x86_64 alone."""
        return self.system in ("linux", "wsl") and self.machine == "x86_64"


def requirement(tensorflow: str) -> str:
    """What to ask pip for to get a release with GPU code, newest patch of its series.

    The extra `and-cuda`, which brings CUDA and cuDNN along, began with 2.14. From 2.1 on
    the plain package has the GPU code; before that, tensorflow-gpu. (Of 1.15, tensorflow
    had it in 1.15.0 alone: tensorflow issue 36347.)
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
    """The command that installs a TensorFlow with GPU code.

    Args:
        platform: Where it is to run.
        tensorflow: The release; by default the newest.
    """
    if platform.system == "jetson":
        folder = JETSON_INDEX.get(platform.jetson_linux, "v60")
        index = f"--extra-index-url {JETSON_WHEELS}/{folder}"
        return f"python3 -m pip install --no-cache-dir {index} tensorflow"
    if platform.machine != "x86_64" and platform.system in ("linux", "wsl"):
        return CONTAINER  # PyPI's wheels for aarch64 have no GPU code
    tensorflow = tensorflow or fit.builds()[0].tensorflow
    if platform.system == "windows" and fit.parse_version(tensorflow)[:2] > (2, 10):
        return WSL
    return pip_install(requirement(tensorflow))


def install_cuda(platform: Platform, build: fit.Build, pinned: bool = True) -> str:
    """The command that brings the CUDA and cuDNN libraries that a build asks for.

    Args:
        platform: Where they are missing.
        build: The release that asks for them.
        pinned: Whether the release has to stay; otherwise the newest may replace it.
    """
    if platform.system == "jetson":
        return JETPACK
    version = fit.parse_version(build.tensorflow)[:2]
    if version >= (2, 14) or platform.machine != "x86_64":
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
    if platform.system == "jetson":
        return JETPACK
    if platform.machine != "x86_64":
        return install_tensorflow(platform, build.tensorflow)
    if int(cuda) < 11 or platform.system == "windows":
        return _conda_install(platform, build.cuda, "", needed)
    command = pip_install(f"nvidia-cudnn-cu{cuda}{_same_major(needed)}")
    if fit.parse_version(build.tensorflow)[:2] >= (2, 14):
        return command
    return f"{command} && {PIP_PATH}:$LD_LIBRARY_PATH"


def _same_major(version: str) -> str:
    return f">={version},<{fit.parse_version(version)[0] + 1}"


def _conda_install(platform: Platform, cuda: str, toolkit: str, cudnn: str) -> str:
    # conda-forge begins with CUDA 9.2; Anaconda's own channel has 8.0 and 9.0.
    channel = "-c conda-forge " if fit.parse_version(cuda) >= (10,) else ""
    command = f"conda install {channel}{toolkit}'cudnn{_same_major(cudnn)}'"
    return command if platform.system == "windows" else f"{command} && {CONDA_PATH}"


def install_driver(platform: Platform) -> str:
    """The command that brings a driver; "" where the system has none to type."""
    if platform.system == "windows":
        return "start https://www.nvidia.com/drivers"
    if platform.system in ("wsl", "jetson", "macos"):
        return ""
    name = platform.distribution.lower()
    return next(
        (command for word, command in DRIVERS.items() if word in name),
        DRIVERS["ubuntu"] if not name else "xdg-open https://www.nvidia.com/drivers",
    )


def start_container(kind: str) -> str:
    """The command that starts a container with the cards, for each kind of container."""
    return {
        "podman": "podman run --device nvidia.com/gpu=all --rm IMAGE nvidia-smi",
        "kubepods": "kubectl set resources deployment NAME --limits=nvidia.com/gpu=1",
        "apptainer": "apptainer exec --nv IMAGE nvidia-smi",
        "lxc": "lxc config device add NAME gpu gpu",
    }.get(kind, "docker run --gpus all --rm IMAGE nvidia-smi")


def run_on(python: str) -> str:
    """The command that makes an environment with a Python version."""
    return f"conda create --name tensorflow python={python}"
