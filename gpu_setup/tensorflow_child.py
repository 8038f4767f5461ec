"""Asks TensorFlow what it is and what it sees; runs alone, as a process of its own.

`tensorflow_probe.ask` gives this text to a Python that may end, hang or crash in it. It
prints one line of JSON behind a mark, and imports nothing of this package.
"""

import ctypes
import glob
import json
import os
import sys

MARK = "gpu_setup-answer:"
LIBRARIES = ("libcudart", "libcublas", "libcufft", "libcusolver", "libcusparse")


def build_info(tf):
    """What the wheel says of itself; the keys may change between releases."""
    keys = ["is_cuda_build", "cuda_version", "cudnn_version"]
    keys += ["cuda_compute_capabilities"]
    try:
        build = dict(tf.sysconfig.get_build_info())
    except Exception:  # before 2.3 there was none
        return {}
    return {key: build[key] for key in keys if key in build}


def product(tf, device):
    """True if a device multiplies two matrices right, else what it does."""
    try:
        with tf.device(device):
            a = tf.reshape(tf.range(4.0), (2, 2))
            return (a @ a).numpy().tolist() == [[2.0, 3.0], [6.0, 11.0]] or "wrong"
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]


def gpus(tf):
    """The GPUs that TensorFlow sees, and one product on each."""
    found = []
    for index, gpu in enumerate(tf.config.list_physical_devices("GPU")):
        try:
            about = tf.config.experimental.get_device_details(gpu)
        except Exception:
            about = {}
        found.append(
            {
                "name": about.get("device_name", gpu.name),
                "capability": ".".join(map(str, about.get("compute_capability", ()))),
                "product": product(tf, f"GPU:{index}"),
            }
        )
    return found


def libraries(build, numbers):
    """Which GPU libraries do not load, and which do by pip's full path alone.

    Args:
        build: What `build_info` found.
        numbers: The numbers in the libraries' names, by CUDA's major and minor version.
    """
    cuda = ".".join(str(build.get("cuda_version", "")).split(".")[:2])
    names = {name: numbers.get(cuda, {}).get(name, "") for name in LIBRARIES}
    names |= {"libcuda": "1", "libcudnn": str(build.get("cudnn_version", ""))[:1]}
    missing, pip_only = [], []
    for name, number in names.items():
        file = f"{name}.so.{number}"
        pip = [p for s in sys.path for p in glob.glob(f"{s}/nvidia/*/lib/{file}")]
        for path in [file, *pip] if number else []:
            try:
                ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
            except OSError:
                continue
            if path != file:
                pip_only.append(file)
            break
        else:
            missing += [file] if number else []
    return {"missing": missing, "pip_only": pip_only}


def main(numbers):
    """The answer, whatever TensorFlow does short of killing the process."""
    try:
        import tensorflow as tf
    except BaseException as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name == "tensorflow"
        reason = f"{type(error).__name__}: {error}"[:400]
        return {"state": "missing" if absent else "broken", "error": reason}
    answer = {"state": "ok", "version": tf.__version__, "build": build_info(tf)}
    answer["cpu_product"] = product(tf, "CPU:0")
    try:
        answer["gpus"] = gpus(tf)
    except Exception as error:
        answer |= {"gpus": [], "gpu_error": str(error)[:300]}
    if answer["build"].get("is_cuda_build") and not answer["gpus"]:
        answer |= libraries(answer["build"], numbers)
    return answer


if __name__ == "__main__":
    print(f"\n{MARK}{json.dumps(main(json.loads(sys.argv[1])))}", flush=True)
    os._exit(0)  # a broken driver can hang in TensorFlow's own clean-up
