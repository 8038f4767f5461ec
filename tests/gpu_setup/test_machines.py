"""Saved machines: of each the verdict, the step to mend first, and the command."""

import time

import pytest

from gpu_setup import guide, probes, report
from gpu_setup.config import Probing
from gpu_setup.machine import Machine
from tests.gpu_setup.machines import (
    BLIND,
    LIB,
    LINK,
    NO_CARD,
    NO_TENSORFLOW,
    PCI,
    PIP,
    SITE,
    SOUND,
    driver_files,
    gone,
    old_smi,
    proc_driver,
    say,
    seen,
    smi,
    tensorflow,
)

DRIVER = tuple(driver_files("555.42.06"))
NO_LIBRARIES = gone(*(f for f in DRIVER if f.startswith(LIB)))
K80 = NO_TENSORFLOW.but(
    files=gone(*DRIVER) | driver_files("470.256.02"),
    commands={
        "nvidia-smi": old_smi("Tesla K80, 470.256.02"),
        "dpkg-query": "echo 'ii  nvidia-driver-470 470.256.02-0ubuntu1'",
        "dkms": "echo 'nvidia, 470.256.02, 6.8.0-50-generic, x86_64: installed'",
        "modinfo": "echo 470.256.02",
    },
)
WSL = SOUND.but(
    files=gone(*DRIVER, *(f for f in SOUND.files if f.startswith(PCI)))
    | {
        "/proc/version": "Linux version 5.15 (root@x) Microsoft WSL2\n",
        "/usr/lib/wsl/lib/libcuda.so.1": "",
        "/proc/modules": "",
    },
    commands={"dpkg-query": "exit 1", "modinfo": None, "dkms": None, "ldconfig": None},
)
CONTAINER = SOUND.but(files={"/.dockerenv": ""}, commands={"dkms": None})
POST = SOUND.but(  # the machine at the end of the post
    files=gone(*DRIVER, f"{SITE}/nvidia/cudnn/lib/libcudnn.so.9")
    | driver_files("367.44")
    | {
        f"{PCI}/device": "0x1c03\n",
        "/etc/os-release": 'PRETTY_NAME="Ubuntu 14.04.5 LTS"\n',
        "/usr/local/cuda-8.0/version.txt": "CUDA Version 8.0.27\n",
        "/usr/local/cuda-8.0/include/cudnn.h": "#define CUDNN_MAJOR      5\n"
        "#define CUDNN_MINOR      1\n#define CUDNN_PATCHLEVEL 5\n",
        "/usr/local/cuda": f"{LINK}/usr/local/cuda-8.0",
        "/usr/local/cuda-8.0/lib64/libcudnn.so.5": f"{LINK}libcudnn.so.5.1.5",
        "/usr/local/cuda-8.0/lib64/libcudnn.so.5.1.5": "",
    },
    commands={
        "nvidia-smi": old_smi("GeForce GTX 1060 6GB, 367.44"),
        "dpkg-query": "echo 'ii  nvidia-367 367.44-0ubuntu1'",
        "dkms": "echo 'nvidia-367, 367.44, 4.4.0-36-generic, x86_64: installed'",
        "modinfo": "echo 367.44",
    },
    environment={
        "LD_LIBRARY_PATH": "/usr/local/cuda/lib64",
        "CONDA_PREFIX": "/home/eve/anaconda/envs/tensorflow",
    },
    python={"version": "2.7.12", "packages": {"tensorflow": "0.10.0rc0"}},
    tensorflow=tensorflow("0.10.0rc0", gpus=[seen("GeForce GTX 1060 6GB", "6.1")])
    | {"build": {}},
    kernel="4.4.0-36-generic",
)
MIG = "A100, 555.42.06, 8.0, Enabled"
DOWN = gone("/proc/driver/nvidia/version") | {"/proc/modules": ""}  # nothing loaded
SMI_DOWN = {"nvidia-smi": "echo 'NVIDIA-SMI has failed'; exit 9"}


def packages(*lines):
    return {"dpkg-query": say("\n".join(lines))}


def python(version, **found):
    return {"version": version, "packages": found}


def old_card(name, capability, card_python="3.12.3"):
    """A card that the newest build has no code for."""
    return BLIND.but(
        commands={"nvidia-smi": smi(f"{name}, 555.42.06, {capability}, [N/A]")},
        python={"version": card_python},
    )


def toolkit(version):
    """A CUDA toolkit of its own folder."""
    folder = f"/usr/local/cuda-{'.'.join(version.split('.')[:2])}"
    return {f"{folder}/version.txt": f"CUDA Version {version}\n"}


def with_release(release, cuda, **changes):
    """A machine whose TensorFlow of some release sees no card; pip has no CUDA."""
    machine = BLIND.but(
        files=gone(f"{SITE}/nvidia/cudnn/lib/libcudnn.so.9"),
        python={"packages": {"tensorflow": release}},
        tensorflow=tensorflow(release, cuda),
    )
    return machine.but(**changes)


def broken(release, library):
    """What TensorFlow 1 says where a library of its CUDA is missing."""
    error = f"ImportError: {library}: cannot open shared object file: No such file"
    told = {"state": "broken", "error": error}
    packages = {"packages": {"tensorflow-gpu": release}}
    return SOUND.but(python=packages | {"version": "3.6.9"}, tensorflow=told)


REFUSED = (
    "InternalError: 'cuLaunchKernel(function, gridX)' failed with "
    "'CUDA_ERROR_INVALID_HANDLE'"
)
REFUSED_LOG = (
    "W tf_gpu_runtime_wrappers.cc:40] 'cuModuleLoadData(&module, data)' failed with "
    "'CUDA_ERROR_INVALID_PTX'"
)
BLACKWELL = SOUND.but(
    commands={
        "nvidia-smi": smi("NVIDIA GeForce RTX 5090, 580.65.06, 12.0, [N/A]"),
        "modinfo": "echo 580.65.06",
        "dkms": None,
    },
    files=gone(*DRIVER) | driver_files("580.65.06"),
)
ENV = "/home/eve/miniconda3/envs/tf"
CONDA = with_release(
    "2.10.0",
    "11.2",
    files={
        f"{ENV}/conda-meta/cudatoolkit-11.2.2-hbe64b41_10.json": "{}",
        f"{ENV}/conda-meta/cudnn-8.1.0.77-h90431f1_0.json": "{}",
        f"{ENV}/lib/libcudart.so.11.0": f"{LINK}libcudart.so.11.2.152",
        f"{ENV}/lib/libcudart.so.11.2.152": "",
        f"{ENV}/lib/libcudnn.so.8": "",
    },
    environment={"CONDA_PREFIX": ENV, "VIRTUAL_ENV": ""},
)
JETSON = SOUND.but(
    files=gone(*DRIVER, *(f for f in SOUND.files if f.startswith((PCI, SITE))))
    | {
        "/etc/nv_tegra_release": "# R36 (release), REVISION: 3.0, BOARD: t234\n",
        "/proc/device-tree/model": "NVIDIA Jetson Orin Nano Developer Kit\0",
        "/proc/modules": "nvgpu 2654208 3 - Live 0x0\n",
        "/usr/local/cuda-12.2/version.json": '{"cuda": {"version": "12.2.140"}}',
    },
    commands=dict.fromkeys(["nvidia-smi", "dkms", "modinfo", "mokutil", "ldconfig"])
    | packages("ii  nvidia-l4t-core 36.3.0", "ii  nvidia-l4t-cuda 36.3.0"),
    python={"version": "3.10.12", "packages": {"tensorflow": "2.16.1"}},
    tensorflow=tensorflow("2.16.1") | {"build": {"is_cuda_build": False}},
    processor="aarch64",
)
GRACE = BLIND.but(
    commands={"nvidia-smi": smi("NVIDIA GH200 480GB, 555.42.06, 9.0, Disabled")},
    tensorflow=tensorflow("2.21.0") | {"build": {"is_cuda_build": False}},
    python={"packages": {"tensorflow": "2.21.0"}},
    processor="aarch64",
)
TWO = with_release(
    "2.15.1",
    "12.2",
    files={
        **toolkit("11.8.0"),
        **toolkit("12.2.2"),
        "/usr/local/cuda-12.2/include/cudnn_version.h": "#define CUDNN_MAJOR 8\n"
        "#define CUDNN_MINOR 9\n#define CUDNN_PATCHLEVEL 7\n",
    },
    environment={"LD_LIBRARY_PATH": "/usr/local/cuda-11.8/lib64"},
)
# Machines that were once judged wrongly, and others of their kind.
KINDS = {
    "TensorFlow 1.5 and CUDA 9.1": (
        broken("1.5.0", "libcublas.so.9.0").but(files=toolkit("9.1.85")),
        "problem",
        "cuda",
        "conda install cudatoolkit=9.0 'cudnn>=7,<8'",
    ),
    "TensorFlow 1.13 and CUDA 10.1": (
        broken("1.13.1", "libcublas.so.10.0").but(files=toolkit("10.1.105")),
        "problem",
        "cuda",
        "conda install -c conda-forge cudatoolkit=10.0",
    ),
    "TensorFlow 2.1 and CUDA 10.2": (
        with_release("2.1.0", "10.1", files=toolkit("10.2.89")),
        "problem",
        "cuda",
        "cudatoolkit=10.1 'cudnn>=7.6,<8'",
    ),
    "TensorFlow 2.4 and CUDA 11.2": (
        with_release("2.4.1", "11.0", files=toolkit("11.2.0")),
        "problem",
        "cuda",
        "cudatoolkit=11.0 'cudnn>=8.0,<9'",
    ),
    "TensorFlow 2.10 and CUDA 11.8, without cuDNN": (
        with_release("2.10.0", "11.2", files=toolkit("11.8.0")),
        "problem",
        "cudnn",
        "'nvidia-cudnn-cu11>=8.1,<9'",
    ),
    "TensorFlow 2.10 and CUDA 12": (
        with_release("2.10.0", "11.2", files=toolkit("12.2.0")),
        "problem",
        "cuda",
        "cudatoolkit=11.2",
    ),
    "TensorFlow 2.17 and CUDA 13": (
        with_release("2.17.1", "12.3", files=toolkit("13.0.0")),
        "problem",
        "cuda",
        "'tensorflow[and-cuda]==2.17.*'",
    ),
    "a newer card whose code is refused": (
        BLACKWELL.but(
            tensorflow=tensorflow(
                "2.21.0", gpus=[seen("RTX 5090", "12.0", REFUSED)], log=REFUSED_LOG
            )
        ),
        "problem",
        "card",
        "nvcr.io/nvidia/tensorflow",
    ),
    "a newer card, and no log": (
        BLACKWELL.but(
            tensorflow=tensorflow("2.18.0", gpus=[seen("RTX 5090", "12.0", REFUSED)])
        ),
        "problem",
        "card",
        "nvcr.io/nvidia/tensorflow",
    ),
    "a newer card that works": (
        BLACKWELL.but(tensorflow=tensorflow("2.21.0", gpus=[seen("5090", "12.0")])),
        "ready",
        "",
        "",
    ),
    "a card of today and a TensorFlow of 2020": (
        SOUND.but(
            tensorflow=tensorflow("2.3.0", "10.1", gpus=[seen("A", "8.6", REFUSED)]),
            python={"version": "3.8.10", "packages": {"tensorflow": "2.3.0"}},
        ),
        "problem",
        "card",
        "'tensorflow[and-cuda]'",
    ),
    "a full card": (
        SOUND.but(
            tensorflow=tensorflow(
                "2.21.0",
                gpus=[seen("A", "8.6", "ResourceExhaustedError: OOM when allocating")],
            )
        ),
        "problem",
        "works",
        "nvidia-smi",
    ),
    "conda's CUDA, not on the path": (CONDA, "problem", "cuda", "activate.d/gpu.sh"),
    "conda's CUDA, by its files alone": (
        CONDA.but(
            files={k: None for k in CONDA.files if "conda-meta" in k}
            | {f"{ENV}/lib/libcudart.so.11.0": ""}
        ),
        "problem",
        "cuda",
        "LD_LIBRARY_PATH=$CONDA_PREFIX/lib",
    ),
    "conda's CUDA, of another release": (
        CONDA.but(
            python={"packages": {"tensorflow": "2.3.0"}},
            tensorflow=tensorflow("2.3.0", "10.1"),
        ),
        "problem",
        "cuda",
        "cudatoolkit=10.1",
    ),
    "conda's CUDA, on the path": (
        CONDA.but(
            environment={"LD_LIBRARY_PATH": f"{ENV}/lib"},
            tensorflow=tensorflow("2.10.0", "11.2", gpus=[seen("3090", "8.6")]),
        ),
        "ready",
        "",
        "",
    ),
    "a Jetson with PyPI's wheel": (
        JETSON,
        "problem",
        "tensorflow",
        "developer.download.nvidia.com/compute/redist/jp/v60 tensorflow",
    ),
    "an old Jetson without TensorFlow": (
        JETSON.but(
            files={"/etc/nv_tegra_release": "# R32 (release), REVISION: 7.1\n"},
            python={"version": "3.6.9", "packages": {}},
            tensorflow={"state": "missing"},
        ),
        "problem",
        "tensorflow",
        "jp/v461 tensorflow",
    ),
    "a Jetson with NVIDIA's wheel": (
        JETSON.but(tensorflow=tensorflow("2.16.1", "12.2", gpus=[seen("Orin", "8.7")])),
        "ready",
        "",
        "",
    ),
    "a server of aarch64": (GRACE, "problem", "tensorflow", "docker run --gpus all"),
    "a server of aarch64 without TensorFlow": (
        GRACE.but(python={"packages": {}}, tensorflow={"state": "missing"}),
        "problem",
        "tensorflow",
        "nvcr.io/nvidia/tensorflow",
    ),
    "WSL2 with a part of a Linux driver": (
        WSL.but(
            files={f"{LIB}/libcuda.so.1": ""},
            commands=packages("ii  libnvidia-compute-535 535.1")
            | {"ldconfig": f"echo '\tlibcuda.so.1 (x86-64) => {LIB}/libcuda.so.1'"},
            tensorflow=tensorflow("2.21.0"),
        ),
        "problem",
        "previous_drivers",
        "purge libnvidia-compute-535",
    ),
    "WSL2 with the container toolkit": (
        WSL.but(commands=packages("ii  nvidia-container-toolkit 1.17")),
        "ready",
        "",
        "",
    ),
    "WSL2 with a libcuda of a .run file": (
        WSL.but(
            files={f"{LIB}/libcuda.so.1": ""},
            commands={
                "ldconfig": f"echo '\tlibcuda.so.1 (x86-64) => {LIB}/libcuda.so.1'"
            },
            tensorflow=tensorflow("2.21.0"),
        ),
        "problem",
        "driver",
        "LD_LIBRARY_PATH=/usr/lib/wsl/lib",
    ),
    "two toolkits, the wrong one named": (
        TWO,
        "problem",
        "old_toolkits",
        "export LD_LIBRARY_PATH=/usr/local/cuda-12.2/lib64",
    ),
    "two toolkits, the newer one named": (
        TWO.but(
            python={"packages": {"tensorflow": "2.13.0"}},
            tensorflow=tensorflow("2.13.0", "11.8"),
            environment={"LD_LIBRARY_PATH": "/usr/local/cuda-12.2/lib64"},
        ),
        "problem",
        "old_toolkits",
        "export LD_LIBRARY_PATH=/usr/local/cuda-11.8/lib64",
    ),
    "two toolkits, named through a link": (
        TWO.but(
            files={"/usr/local/cuda": f"{LINK}cuda-11.8"},
            environment={"LD_LIBRARY_PATH": "/usr/local/cuda/lib64"},
        ),
        "problem",
        "old_toolkits",
        "export LD_LIBRARY_PATH=/usr/local/cuda-12.2/lib64",
    ),
    "a pod without a card": (
        CONTAINER.but(
            files=NO_LIBRARIES | gone("/.dockerenv"),
            environment={"KUBERNETES_SERVICE_HOST": "10.0.0.1"},
            commands={"nvidia-smi": None, "ldconfig": "true"},
            tensorflow=tensorflow("2.21.0"),
        ),
        "problem",
        "driver",
        "nvidia.com/gpu=1",
    ),
    "a container of podman": (
        CONTAINER.but(
            files=NO_LIBRARIES | gone("/.dockerenv") | {"/run/.containerenv": ""},
            commands={"nvidia-smi": None, "ldconfig": "true"},
            tensorflow=tensorflow("2.21.0"),
        ),
        "problem",
        "driver",
        "--device nvidia.com/gpu=all",
    ),
    "a container that lost its card": (
        CONTAINER.but(
            commands={
                "nvidia-smi": say("Failed to initialize NVML: Unknown Error")
                + "; exit 255"
            },
            tensorflow=tensorflow("2.21.0"),
        ),
        "problem",
        "driver",
        "docker restart",
    ),
    "a container on an old driver": (
        CONTAINER.but(
            files=gone(*DRIVER) | driver_files("470.256.02"),
            commands={"nvidia-smi": old_smi("Tesla T4, 470.256.02"), "modinfo": None},
            tensorflow=tensorflow("2.21.0"),
        ),
        "problem",
        "driver",
        "ubuntu-drivers install",
    ),
    "a log that names the cause": (
        BLIND.but(
            tensorflow=tensorflow(
                "2.21.0",
                log="E cuda_platform.cc:52] failed call to cuInit: CUDA_ERROR_UNKNOWN",
            )
        ),
        "problem",
        "works",
        "modprobe nvidia_uvm",
    ),
    "pip's CUDA 11, where TensorFlow 2.13 does not look": (
        with_release(
            "2.13.1",
            "11.8",
            python={
                "packages": {
                    "tensorflow": "2.13.1",
                    "nvidia-cuda-runtime-cu11": "11.8.89",
                    "nvidia-cudnn-cu11": "8.6.0.163",
                }
            },
        ),
        "problem",
        "cuda",
        "export LD_LIBRARY_PATH=$(python",
    ),
    "toolkits of libraries alone": (
        TWO.but(
            files={
                "/usr/local/cuda-11.8/version.txt": None,
                "/usr/local/cuda-12.2/version.txt": None,
                "/usr/local/cuda-11.8/lib64/libcudart.so.11.0": "",
                "/usr/local/cuda-12.2/lib64/libcudart.so.12": "",
            }
        ),
        "problem",
        "old_toolkits",
        "export LD_LIBRARY_PATH=/usr/local/cuda-12.2/lib64",
    ),
    "a toolkit that no path names": (
        TWO.but(environment={"LD_LIBRARY_PATH": ""}),
        "problem",
        "works",
        "export LD_LIBRARY_PATH=/usr/local/cuda-12.2/lib64",
    ),
    "no reason to be seen": (BLIND, "problem", "works", "--log=tensorflow.log"),
}

# Of each machine: itself, the verdict, the step to mend first, a part of its command.
MACHINES = {
    "sound": (SOUND, "ready", "", ""),
    "the post's own": (POST, "ready", "", ""),
    "no card": (NO_CARD, "cpu", "", ""),
    "no card and no tensorflow": (
        NO_CARD.but(python={"packages": {}}, tensorflow={"state": "missing"}),
        "problem",
        "tensorflow",
        "install --upgrade tensorflow",
    ),
    "no driver": (
        BLIND.but(
            files=gone(*DRIVER),
            commands={"modinfo": "exit 1", "dkms": None, "nvidia-smi": None}
            | packages(),
        ),
        "problem",
        "driver",
        "ubuntu-drivers install",
    ),
    "no driver on Debian": (
        BLIND.but(
            files=gone(*DRIVER) | {"/etc/os-release": 'PRETTY_NAME="Debian 12"\n'},
            commands={"modinfo": None, "dkms": None, "nvidia-smi": None} | packages(),
        ),
        "problem",
        "driver",
        "apt-get install nvidia-driver",
    ),
    "nouveau": (
        BLIND.but(files=DOWN | {"/proc/modules": "nouveau 240 1 - Live 0x0\n"}),
        "problem",
        "nomodeset",
        "blacklist nouveau",
    ),
    "two branches": (
        SOUND.but(
            commands=packages(
                "ii  nvidia-driver-470 470.1", "ii  nvidia-driver-555-open 555.4"
            )
        ),
        "problem",
        "previous_drivers",
        "apt-get purge nvidia-driver-470",
    ),
    "half installed": (
        SOUND.but(commands=packages("iF  nvidia-dkms-555 555.42.06")),
        "problem",
        "previous_drivers",
        "dpkg --configure -a",
    ),
    "a .run file over a package": (
        SOUND.but(files={"/usr/bin/nvidia-uninstall": ""}),
        "problem",
        "previous_drivers",
        "nvidia-uninstall",
    ),
    "an older module, dkms 2": (
        SOUND.but(
            commands={
                "dkms": "echo 'nvidia, 470.1, 6.8.0-50-generic, x86_64: installed';"
                "echo 'nvidia, 555.42.06, 6.8.0-50-generic, x86_64: installed'"
            }
        ),
        "problem",
        "kernel_modules",
        "dkms remove nvidia/470.1 --all",
    ),
    "never built, dkms 3": (
        BLIND.but(files=DOWN, commands={"dkms": "echo 'nvidia/555.42.06: added'"}),
        "problem",
        "kernel_modules",
        "dkms autoinstall",
    ),
    "an old CUDA comes first": (
        BLIND.but(
            environment={"LD_LIBRARY_PATH": "/usr/local/cuda/lib64"},
            files={
                "/usr/local/cuda": f"{LINK}cuda-11.2",
                "/usr/local/cuda-11.2/lib64/libcublas.so.11": "",
            },
        ),
        "problem",
        "old_toolkits",
        "unset LD_LIBRARY_PATH",
    ),
    "an old CUDA that does no harm": (
        SOUND.but(
            environment={"LD_LIBRARY_PATH": "/usr/local/cuda-11.2/lib64"},
            files={"/usr/local/cuda-11.2/version.json": '{"cuda": {"version": "11.2"'},
        ),
        "ready",
        "",
        "",
    ),
    "no CUDA": (
        BLIND.but(
            python={"packages": {"tensorflow": "2.17.1"}},
            tensorflow=tensorflow("2.17.1", "12.3"),
        ),
        "problem",
        "cuda",
        "'tensorflow[and-cuda]==2.17.*'",
    ),
    "only another CUDA": (
        BLIND.but(
            python={"packages": {"tensorflow": "2.21.0"}},
            files={
                "/usr/local/cuda-13.0/version.json": '{"cuda":{"version":"13.0.1"}}'
            },
        ),
        "problem",
        "cuda",
        "'tensorflow[and-cuda]'",
    ),
    "an old cuDNN": (
        BLIND.but(python={"packages": PIP | {"nvidia-cudnn-cu12": "9.1.0.70"}}),
        "problem",
        "cudnn",
        "'nvidia-cudnn-cu12>=9.3,<10'",
    ),
    "an old cuDNN before pip's": (
        BLIND.but(
            environment={"LD_LIBRARY_PATH": "/opt/cudnn"},
            files={
                "/opt/cudnn/libcudnn.so.9": f"{LINK}libcudnn.so.9.1.0",
                "/opt/cudnn/libcudnn.so.9.1.0": "",
            },
        ),
        "problem",
        "cudnn",
        "nvidia-cudnn-cu12",
    ),
    "libcuda by the name of cuDNN": (
        BLIND.but(
            files=gone(f"{SITE}/nvidia/cudnn/lib/libcudnn.so.9")
            | {f"{LIB}/libcudnn.so.9": f"{LINK}libcuda.so.555.42.06"}
        ),
        "problem",
        "cudnn",
        f"rm {LIB}/libcudnn.so.9",
    ),
    "an old driver": (
        BLIND.but(
            files=gone(*DRIVER) | driver_files("510.47.03"),
            commands={
                "nvidia-smi": smi("RTX 3090, 510.47.03, 8.6, [N/A]"),
                "modinfo": "echo 510.47.03",
                "dkms": None,
            },
        ),
        "problem",
        "driver",
        "ubuntu-drivers install",
    ),
    "a driver between floor and shipped": (
        SOUND.but(
            files=gone(*DRIVER) | driver_files("535.104.05"),
            commands={
                "nvidia-smi": smi("RTX 3090, 535.104.05, 8.6, [N/A]"),
                "modinfo": "echo 535.104.05",
                "dkms": None,
            },
        ),
        "ready",
        "",
        "",
    ),
    "an old driver, and no tensorflow yet": (
        K80.but(python={"version": "3.11.2"}),
        "problem",
        "tensorflow",
        "'tensorflow[and-cuda]==2.14.*'",
    ),
    "an old card, before the extra": (
        K80.but(python={"version": "3.8.10"}),
        "problem",
        "tensorflow",
        "'tensorflow==2.13.*'",
    ),
    "a stale ldconfig cache": (
        BLIND.but(files=NO_LIBRARIES),
        "problem",
        "driver",
        "libnvidia-compute-555",
    ),
    "the toolkit's stub": (
        BLIND.but(
            environment={"LD_LIBRARY_PATH": "/opt/cuda/lib64/stubs"},
            files={"/opt/cuda/lib64/stubs/libcuda.so.1": ""},
        ),
        "problem",
        "driver",
        "unset LD_LIBRARY_PATH",
    ),
    "a card off the bus": (
        BLIND.but(commands={"nvidia-smi": "echo 'GPU is lost'; exit 15"}),
        "problem",
        "driver",
        "dmesg",
    ),
    "MIG without an instance": (
        BLIND.but(commands={"nvidia-smi": smi(MIG)}),
        "problem",
        "driver",
        "nvidia-smi mig",
    ),
    "MIG with one": (
        SOUND.but(commands={"nvidia-smi": smi(MIG, listed="GPU 0: A\n  MIG 1g.5gb")}),
        "ready",
        "",
        "",
    ),
    "libraries newer than the module": (
        BLIND.but(
            files={"/proc/driver/nvidia/version": proc_driver("550.54.14")},
            commands={"nvidia-smi": "echo 'Driver/library version mismatch'; exit 18"},
        ),
        "problem",
        "reboot",
        "sudo reboot",
    ),
    "installed, not loaded": (
        BLIND.but(files=DOWN, commands=SMI_DOWN),
        "problem",
        "reboot",
        "sudo reboot",
    ),
    "secure boot": (
        BLIND.but(
            files=DOWN, commands=SMI_DOWN | {"mokutil": "echo 'SecureBoot enabled'"}
        ),
        "problem",
        "reboot",
        "mokutil --import",
    ),
    "a container without the toolkit": (
        CONTAINER.but(
            files=NO_LIBRARIES,
            commands={"nvidia-smi": None, "ldconfig": "true"},
            tensorflow=tensorflow("2.21.0", missing=["libcuda.so.1"]),
        ),
        "problem",
        "driver",
        "docker run --gpus all",
    ),
    "a container with it": (
        CONTAINER.but(commands={"dpkg-query": None, "modinfo": None}),
        "ready",
        "",
        "",
    ),
    "WSL2": (WSL, "ready", "", ""),
    "WSL2 with a Linux driver": (
        WSL.but(commands=packages("ii  nvidia-driver-535 535.1")),
        "problem",
        "previous_drivers",
        "purge nvidia-driver-535",
    ),
    "WSL2 without a card": (
        WSL.but(
            files=gone("/usr/lib/wsl/lib/libcuda.so.1"),
            commands={"nvidia-smi": None},
            tensorflow=tensorflow("2.21.0"),
        ),
        "problem",
        "gpu",
        "wsl.exe --update",
    ),
    "a card too old for the build": (
        old_card("GTX 980", "5.2"),
        "problem",
        "card",
        "'tensorflow[and-cuda]==2.16.*'",
    ),
    "a card too old for every wheel": (
        old_card("GTX 680", "3.0"),
        "problem",
        "cuda",
        "install --upgrade tensorflow-cpu",
    ),
    "a card too old for this Python": (
        old_card("Tesla K80", "3.7"),
        "problem",
        "cuda",
        "conda create --name tensorflow python=3.11",
    ),
    "a card newer than the build": (
        SOUND.but(
            commands={"nvidia-smi": smi("RTX 5090, 580.65.06, 12.0, [N/A]")},
        ),
        "ready",
        "",
        "",
    ),
    "two cards, one visible": (
        SOUND.but(
            environment={"CUDA_VISIBLE_DEVICES": "0"},
            commands={
                "nvidia-smi": smi(*2 * ["NVIDIA RTX 3090, 555.42.06, 8.6, [N/A]"])
            },
        ),
        "ready",
        "",
        "",
    ),
    "no card visible": (
        BLIND.but(environment={"CUDA_VISIBLE_DEVICES": "-1"}),
        "problem",
        "works",
        "unset CUDA_VISIBLE_DEVICES",
    ),
    "a CPU-only build": (
        BLIND.but(
            tensorflow=tensorflow("2.21.0") | {"build": {"is_cuda_build": False}},
            python={"packages": {"tensorflow": "2.21.0"}},
        ),
        "problem",
        "tensorflow",
        "'tensorflow[and-cuda]'",
    ),
    "a library is missing": (
        BLIND.but(tensorflow=tensorflow("2.21.0", missing=["libcusolver.so.11"])),
        "problem",
        "tensorflow",
        "'tensorflow[and-cuda]'",
    ),
    "pip's libraries are not found": (
        BLIND.but(tensorflow=tensorflow("2.21.0", pip_only=["libcudart.so.12"])),
        "problem",
        "tensorflow",
        "export LD_LIBRARY_PATH=",
    ),
    "a Python too new": (
        NO_TENSORFLOW.but(python={"version": "3.15.0"}),
        "problem",
        "environment",
        "conda create --name tensorflow python=3.13",
    ),
    "no tensorflow": (
        NO_TENSORFLOW,
        "problem",
        "tensorflow",
        "'tensorflow[and-cuda]'",
    ),
    "a broken tensorflow": (
        SOUND.but(tensorflow={"state": "broken", "error": "ImportError: numpy"}),
        "problem",
        "tensorflow",
        "--force-reinstall",
    ),
    "a wrong product": (
        SOUND.but(tensorflow=tensorflow("2.21.0", gpus=[seen("A", "8.6", "wrong")])),
        "problem",
        "works",
        "nvidia-smi -q -d ECC",
    ),
    # Nothing wrong is seen, and nothing that works: not ready, but no advice either.
    "a hanging tensorflow": (
        SOUND.but(tensorflow={"state": "timeout", "seconds": 120.0}),
        "problem",
        "",
        "",
    ),
}


MACHINES |= KINDS


def judge(saved, tmp_path, seconds=20.0):
    """The judgement of a machine whose commands are the only ones on PATH."""
    commands = saved.write(tmp_path)
    machine = Machine(str(tmp_path), True, str(commands))
    return guide.judge(probes.collect(machine, Probing(command_seconds=seconds)))


def step(judgement, name):
    return next(s for s in judgement.steps if s.id == name)


@pytest.mark.parametrize("name", MACHINES)
def test_verdict_first_problem_and_command(name, tmp_path):
    saved, verdict, first, command = MACHINES[name]
    judgement = judge(saved, tmp_path)
    found = judgement.first_problem
    assert (judgement.verdict, found.id if found else "") == (verdict, first), found
    if first:
        assert found.advice.endswith((".", ")", "?")) or ":" in found.advice
        assert command in found.command and command
    first_line = report.as_text(judgement).splitlines()[0]
    assert first_line == report.headline(judgement)
    if verdict == "problem":
        assert "Not ready: " in first_line and " Next: " in first_line
        assert "all done" not in first_line


@pytest.mark.parametrize(
    ("name", "of", "status", "words"),
    [
        ("the post's own", "cudnn", "ok", "cuDNN 5.1.5"),
        ("the post's own", "driver", "ok", "367.44"),
        ("the post's own", "gpu", "ok", "GTX 1060"),
        ("sound", "card", "ok", "natively"),
        ("sound", "cudnn", "ok", f"{SITE}/nvidia/cudnn/lib/libcudnn.so.9"),
        ("sound", "driver", "ok", f"{LIB}/libcuda.so.1 (ldconfig)"),
        ("a card newer than the build", "card", "ok", "from PTX"),
        ("a card too old for the build", "card", "problem", "not at all"),
        ("a driver between floor and shipped", "driver", "ok", "555.42.02 has it all"),
        ("two cards, one visible", "works", "ok", "1 of 2 cards"),
        ("a hanging tensorflow", "tensorflow", "unknown", "120.0 s"),
        ("a hanging tensorflow", "works", "unknown", "did not run"),
        ("a stale ldconfig cache", "driver", "problem", "libcuda.so.1 is missing"),
        ("no card", "gpu", "skip", "no NVIDIA card"),
        ("WSL2", "nomodeset", "skip", "belong to Windows"),
        ("a container with it", "reboot", "skip", "the host of this container"),
        ("a container with it", "previous_drivers", "unknown", "no dpkg"),
        ("an old CUDA that does no harm", "old_toolkits", "ok", "works all the same"),
        ("a broken tensorflow", "tensorflow", "problem", "ImportError: numpy"),
    ],
)
def test_what_a_step_says(name, of, status, words, tmp_path):
    found = step(judge(MACHINES[name][0], tmp_path), of)
    assert found.status == status
    assert words in found.found + found.advice


def test_a_hanging_command_is_unknown_and_ends_in_time(tmp_path):
    hanging = dict.fromkeys(SOUND.commands, "/bin/sleep 1000 & wait")
    began = time.monotonic()
    judgement = judge(BLIND.but(commands=hanging), tmp_path, seconds=0.5)
    assert time.monotonic() - began < 20
    assert step(judgement, "driver").status == "unknown"
    assert "never answered" in step(judgement, "driver").advice
    assert step(judgement, "previous_drivers").status == "unknown"


def test_what_cannot_be_read_is_unknown(tmp_path):
    """A folder where a file should be: an error that root gets, too."""
    refused = gone("/proc/modules") | {"/proc/modules/": ""}
    found = step(judge(SOUND.but(files=refused), tmp_path), "nomodeset")
    assert found.status == "unknown"


def test_a_slow_slot_is_advice_alone(tmp_path):
    bus = "/sys/devices/pci0000:00/0000:00:01.0"
    card = f"{bus}/0000:01:00.0"
    moved = {f.replace(PCI, card): t for f, t in SOUND.files.items() if PCI in f}
    slot = {f"{bus}/max_link_speed": "8.0 GT/s\n", f"{bus}/max_link_width": "4\n"}
    link = {PCI: f"{LINK}{card}"}
    files = gone(*(f for f in SOUND.files if PCI in f)) | moved | slot | link
    judgement = judge(SOUND.but(files=files), tmp_path)
    assert judgement.verdict == "ready"
    assert "the slot 8 GT/s x4" in step(judgement, "gpu").advice


def test_an_empty_root_never_raises(tmp_path):
    judgement = guide.judge(probes.collect(Machine(str(tmp_path)), Probing()))
    assert judgement.verdict == "cpu"
    assert {s.status for s in judgement.steps} <= {"ok", "skip", "unknown"}


def test_rubbish_never_raises(tmp_path):
    files = {name: "\0\xff," * 50 for name, text in SOUND.files.items() if text}
    rubbish = dict.fromkeys(SOUND.commands, "/usr/bin/head -c 2000 /dev/urandom")
    saved = SOUND.but(
        files=files, commands=rubbish, tensorflow={"state": "ok", "version": "?"}
    )
    assert judge(saved, tmp_path).verdict == "problem"
