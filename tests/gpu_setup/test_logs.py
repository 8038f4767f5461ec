"""What a log's lines mean: each form that is known, and whole logs with their cause."""

import re

import pytest

from gpu_setup import logs
from gpu_setup.log_origin import cudnn_version, origin_of
from tests.gpu_setup.log_examples import EXAMPLES


def test_every_entry_is_whole_and_has_an_example():
    entries = logs.knowledge()
    assert len(entries) >= 90
    assert [entry["id"] for entry in entries] == list(
        dict.fromkeys(entry["id"] for entry in entries)
    )
    assert {entry["id"] for entry in entries} == set(EXAMPLES)
    for entry in entries:
        assert entry["kind"] in {"cause", "follows", "harmless"}
        assert re.compile(entry["pattern"]) and entry["means"].endswith((".", "}"))
        assert entry["source"] and entry["tested"] and entry["releases"]
        if entry["kind"] == "cause":
            assert entry["rank"] > 0 and entry["fix"], entry["id"]


@pytest.mark.parametrize("id", EXAMPLES)
def test_each_form(id):
    line, words = EXAMPLES[id]
    explanation = logs.explain(line)
    assert [known.id for known in explanation.lines] == [id]
    known = explanation.lines[0]
    answer = " ".join([known.means, known.hint, known.fix])
    assert words.lower() in answer.lower(), answer
    assert not re.search(r"[{}]\w", answer.replace("{cuda,nvidia}", "")), answer
    if known.kind == "cause":
        assert explanation.exit_code == 1 and known.fix


MISSING = (
    "Could not load dynamic library '{0}'; dlerror: {0}: cannot open shared object"
)
DLOPEN = "W gpu_device.cc:1850] Cannot dlopen some GPU libraries. Please make sure\n"
SKIP = "Skipping registering GPU devices...\n"
OLD = "W tensorflow/stream_executor/platform/default/dso_loader.cc:64] "
CONDA = "conda install -c conda-forge "
# Of each log: its text, the entry that is the cause, and a part of the headline.
LOGS = {
    "TensorFlow 1.4, CUDA 8": (
        "ImportError: libcublas.so.8.0: cannot open shared object file: No such file",
        "cuda_library",
        "conda install cudatoolkit=8.0 'cudnn>=6,<7'",
    ),
    "TensorFlow 1.14 has a form of its own": (
        f"{OLD}Could not dlopen library 'libcudart.so.10.0'; dlerror: libcudart.so.10.0: "
        "cannot open shared object file\n" + DLOPEN,
        "cuda_library",
        CONDA + "cudatoolkit=10.0",
    ),
    "several libraries, Python 3.6": (
        "/usr/lib/python3.6/site.py\n"
        + OLD
        + MISSING.format("libcublas.so.11")
        + f"\n{OLD}"
        + MISSING.format("libcudnn.so.8")
        + f"\n{OLD}"
        + MISSING.format("libcusolver.so.11")
        + f"\n{DLOPEN}{SKIP}",
        "cuda_library",
        "libcublas.so.11, libcudnn.so.8, libcusolver.so.11",
    ),
    "TensorFlow 2.4 asks for CUDA 11.0's cuSOLVER": (
        f"{OLD}Successfully opened dynamic library libcudart.so.11.0\n{OLD}"
        + MISSING.format("libcusolver.so.10"),
        "cuda_library",
        CONDA + "cudatoolkit=11.0 'cudnn>=8.0,<9'",
    ),
    "TensorFlow 2.11, cuDNN alone": (
        "W tensorflow/compiler/xla/stream_executor/platform/default/dso_loader.cc:64] "
        + MISSING.format("libcudnn.so.8"),
        "cudnn_library",
        "'nvidia-cudnn-cu11>=8.1,<9' && export LD_LIBRARY_PATH=",
    ),
    "a library of CUDA 12 for a build by CUDA 11": (
        f"{OLD}Successfully opened dynamic library libcublas.so.11\n{OLD}Could not load "
        "dynamic library 'libcusolver.so.11'; dlerror: libnvJitLink.so.12: cannot open "
        f"shared object file: No such file\n{DLOPEN}",
        "library_behind_library",
        "libnvJitLink.so.12 is missing, which libcusolver.so.11 needs. That",
    ),
    "Windows, CUDA 10.1": (
        f"{OLD}Could not load dynamic library 'cudart64_101.dll'; dlerror: "
        "cudart64_101.dll not found\nOpened C:\\Users\\eve\\x",
        "cuda_library",
        CONDA + "cudatoolkit=10.1 'cudnn>=7.6,<8'",
    ),
    "Windows, TensorFlow 1.5": (
        "ImportError: Could not find 'cudart64_90.dll'. TensorFlow requires that this",
        "cuda_library",
        "conda install cudatoolkit=9.0",
    ),
    "Windows, TensorFlow 2.10, cuDNN": (
        "Could not load library cudnn_cnn_infer64_8.dll. Error code 126",
        "cudnn_library",
        CONDA + "'cudnn>=8.1,<9'",
    ),
    "a driver is missing too: it comes first": (
        f"{OLD}"
        + MISSING.format("libcudart.so.11.0")
        + "\nI cudart_stub.cc:29] Ignore above cudart dlerror if you do not have a GPU\n"
        + OLD
        + MISSING.format("libcuda.so.1"),
        "no_libcuda",
        "ubuntu-drivers install",
    ),
    "the runtime alone, 2.16 and later": (
        "I external/local_tsl/tsl/cuda/cudart_stub.cc:32] Could not find cuda drivers on "
        "your machine, GPU will not be used.",
        "cuda_runtime",
        "'tensorflow[and-cuda]'",
    ),
    "the runtime alone, 2.19": (
        "E0000 00:00:1800000000.1 7 cuda_executor.cc:1309] INTERNAL: CUDA Runtime error: "
        "Failed call to cudaGetRuntimeVersion: Error loading CUDA libraries. GPU will not"
        f" be used.\n{DLOPEN}{SKIP}",
        "cuda_runtime",
        "libcudart",
    ),
    "no library named": (DLOPEN + SKIP, "unnamed_library", "python -m gpu_setup.check"),
    "two versions of the driver": (
        "E cuda_driver.cc:271] failed call to cuInit: "
        "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE: forward compatibility was attempted\n"
        "E cuda_diagnostics.cc:313] kernel version 460.91.3 does not match DSO version "
        "470.57.2 -- cannot find working devices in this configuration",
        "version_differs",
        "sudo reboot",
    ),
    "no --gpus": (
        "E cuda_driver.cc:313] failed call to cuInit: UNKNOWN ERROR (-1)\n"
        "I cuda_diagnostics.cc:163] no NVIDIA GPU device is present: /dev/nvidia0 does "
        "not exist",
        "no_device_node",
        "docker run --gpus all",
    ),
    "cuDNN 8.4 for 8.9": (
        "E external/local_xla/xla/stream_executor/cuda/cuda_dnn.cc:466] Loaded runtime "
        "CuDNN library: 8.4.1 but source was compiled with: 8.9.6.  CuDNN library needs\n"
        "UNIMPLEMENTED: DNN library is not found.",
        "cudnn_version",
        "'nvidia-cudnn-cu12>=8.9,<9'",
    ),
    "cuDNN 8.2 for 8.7, CUDA 11": (
        "E cuda_dnn.cc:9] Loaded runtime CuDNN library: 8.2.4 but source was compiled "
        "with: 8.7.0.",
        "cudnn_version",
        "'nvidia-cudnn-cu11>=8.7,<9'",
    ),
    "cuDNN 7.0 for 6.0": (
        "E cuda_dnn.cc:378] Loaded runtime CuDNN library: 7005 (compatibility version "
        "7000) but source was compiled with 6021 (compatibility version 6000).",
        "cudnn_version",
        "conda install 'cudnn>=6.0,<7'",
    ),
    "a card newer than CUDA 10": (
        "name: GeForce RTX 3090 major: 8 minor: 6 memoryClockRate(GHz): 1.7\n"
        f"{OLD}Successfully opened dynamic library libcudart.so.10.0\n"
        "E cuda_blas.cc:428] failed to run cuBLAS routine: CUBLAS_STATUS_EXECUTION_FAILED",
        "cublas_failed",
        "newer than the CUDA 10.0",
    ),
    "a card newer than every wheel": (
        "W gpu_device.cc:2433] TensorFlow was not built with CUDA kernel binaries "
        "compatible with compute capability 12.1. CUDA kernels will be jit-compiled\n"
        "W x.cc:40] 'cuModuleLoadData' failed with 'CUDA_ERROR_INVALID_PTX'\n"
        "W x.cc:40] 'cuLaunchKernel()' failed with 'CUDA_ERROR_INVALID_HANDLE'",
        "ptx_refused",
        "capability 12.1, and the driver refused",
    ),
    "a card too old for 2.17": (
        "Ignoring visible gpu device (device: 0, name: GTX 960M) with Cuda compute "
        "capability 5.0. The minimum required Cuda capability is 6.0.",
        "card_too_old",
        "'tensorflow[and-cuda]==2.16.*'",
    ),
    "cuDNN did not start, and a convolution says so": (
        "E cuda_dnn.cc:329] Could not create cudnn handle: CUDNN_STATUS_ALLOC_FAILED\n"
        "UnknownError: Failed to get convolution algorithm. This is probably because",
        "cudnn_handle",
        "TF_FORCE_GPU_ALLOW_GROWTH=true",
    ),
    "a Python too new for a release": (
        "ERROR: Could not find a version that satisfies the requirement tensorflow==2.10 "
        "(from versions: 2.16.1, 2.17.0)",
        "release_not_for_python",
        "python=3.10",
    ),
    "pip of 2016": (
        "  Could not find a version that satisfies the requirement tensorflow\n"
        "You are using pip version 8.1.1, however version 21.0 is available.",
        "old_pip",
        "pip install --upgrade pip",
    ),
    "aarch64": (
        "uname: Linux aarch64\n" + DLOPEN,
        "unnamed_library",
        "gpu_setup.check",
    ),
    "libdevice in conda": (
        "/home/eve/miniconda3/envs/tf\nINTERNAL: libdevice not found at ./libdevice.10.bc",
        "libdevice",
        "conda install -c nvidia cuda-nvcc",
    ),
    "libdevice of pip": (
        "W external/local_xla/xla/service/gpu/x.cc:1] Can't find libdevice directory "
        "${CUDA_DIR}/nvvm/libdevice. This may result in compilation or runtime failures",
        "libdevice",
        "import nvidia.cuda_nvcc",
    ),
}


@pytest.mark.parametrize("name", LOGS)
def test_the_cause_of_a_whole_log(name):
    log, id, words = LOGS[name]
    explanation = logs.explain(log)
    assert explanation.exit_code == 1
    assert explanation.cause.id == id
    assert words in explanation.headline
    assert logs.as_text(explanation).startswith("Cause, in line ")


@pytest.mark.parametrize(
    ("log", "code", "words"),
    [
        ("", 3, "no line of this log is known"),
        ("all well\nno doubt\n", 3, "no line of this log is known"),
        ("E tensorflow/core/new.cc:9] a failure that nobody knows", 3, "Cannot tell"),
        ("Using TensorFlow backend.\nFooError: who knows\n", 3, "Cannot tell"),
        ("W op_kernel.cc:1830] OP_REQUIRES failed at x.cc:9 : x", 3, "Cannot tell"),
        ("Using TensorFlow backend.\n", 0, "Nothing is wrong"),
        (
            "W asm_compiler.cc:235] Your CUDA software stack is old. We fallback to the "
            "NVIDIA driver. The ptxas error was: ptxas fatal   : Value 'sm_86' is not",
            0,
            "ptxas is missing or older than the card",
        ),
    ],
)
def test_silence_is_no_all_clear(log, code, words):
    explanation = logs.explain(log)
    assert explanation.exit_code == code
    assert words in explanation.headline


def test_what_only_follows_is_no_cause_beside_a_cause():
    log = "DNN library is not found.\nCould not create cudnn handle: X\n" + SKIP
    kinds = [known.kind for known in logs.explain(log).lines]
    assert kinds == ["follows", "cause", "follows"]
    assert logs.explain("DNN library is not found.").lines[0].kind == "cause"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("8.6.0", "8.6.0"),
        ("5110", "5.1.10"),
        ("7005", "7.0.5"),
        ("90300", "9.3.0"),
        ("9", "9"),
    ],
)
def test_cudnn_version(text, version):
    assert cudnn_version(text) == version


@pytest.mark.parametrize(
    ("log", "releases", "system"),
    [
        ("", "2.18 to 2.21", "linux"),
        ("pip install tensorflow==2.12.1", "2.12", "linux"),
        ("Could not find 'cudart64_80.dll'", "1.3 to 1.4", "windows"),
        ("external/local_xla/xla/x.cc", "2.18 to 2.21", "linux"),
        ("tensorflow/tsl/cuda/cudart_stub.cc:28]", "2.14", "linux"),
        ("OSError: libcublas.so.10: x", "2.1 to 2.3", "linux"),
        ("tensorflow-2.10.0 in /usr/lib/python3.9/x", "2.10", "linux"),
        ("Linux version 5.15 microsoft-standard-WSL2", "2.18 to 2.21", "wsl"),
        ("nvidia@tegra-ubuntu", "2.18 to 2.21", "jetson"),
    ],
)
def test_what_a_log_tells_of_its_origin(log, releases, system):
    origin = origin_of(log)
    assert (origin.releases, origin.platform.system) == (releases, system)
