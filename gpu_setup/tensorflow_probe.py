"""TensorFlow, asked in a child process: it may be missing, broken, or never answer."""

import json
import os
import sys
from typing import Any

from gpu_setup.config import Config
from gpu_setup.machine import Machine, run_command

MARK = "gpu_setup-answer:"

# Runs alone in the child, with no import of this package.
CHILD = r"""
import ctypes, glob, json, os, re, sys
answer = {}
def say():
    print("\ngpu_setup-answer:" + json.dumps(answer), flush=True)
try:
    import tensorflow as tf
except BaseException as error:
    missing = isinstance(error, ModuleNotFoundError) and error.name == "tensorflow"
    answer["state"] = "missing" if missing else "broken"
    answer["error"] = f"{type(error).__name__}: {error}"[:400]
    say(); sys.exit()
answer.update(state="ok", version=tf.__version__, gpus=[], build={})
try:
    build = dict(tf.sysconfig.get_build_info())
    keys = ("is_cuda_build", "cuda_version", "cudnn_version",
            "cuda_compute_capabilities")
    answer["build"] = {k: build[k] for k in keys if k in build}
except Exception as error:
    answer["build_error"] = str(error)[:200]
def product(device):
    try:
        with tf.device(device):
            a = tf.reshape(tf.range(4.0), (2, 2))
            return (a @ a).numpy().tolist() == [[2.0, 3.0], [6.0, 11.0]] or "wrong"
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]
answer["cpu_product"] = product("CPU:0")
try:
    for index, gpu in enumerate(tf.config.list_physical_devices("GPU")):
        try:
            about = tf.config.experimental.get_device_details(gpu)
        except Exception:
            about = {}
        answer["gpus"].append({
            "name": about.get("device_name", gpu.name),
            "capability": ".".join(map(str, about.get("compute_capability", ()))),
            "product": product(f"GPU:{index}")})
except Exception as error:
    answer["gpu_error"] = str(error)[:300]
build = answer["build"]
major = str(build.get("cuda_version", "")).split(".")[0]
cudnn = str(build.get("cudnn_version", "")).split(".")[0]
if build.get("is_cuda_build") and not answer["gpus"]:
    # The major versions that ship with CUDA 12 and 11 stand beside those of CUDA.
    fft, solver = {"12": ("11", "11"), "11": ("10", "11")}.get(major, (major, major))
    names = {"libcuda.so": "1", "libcudart.so": major, "libcudnn.so": cudnn,
             "libcublas.so": major, "libcufft.so": fft, "libcusolver.so": solver,
             "libcusparse.so": major}
    folders = [f for p in sys.path for f in glob.glob(p + "/nvidia/*/lib")]
    answer["missing"] = []
    for name, number in names.items():
        if not number:
            continue
        name = name + "." + number
        places = [name] + [f for d in folders for f in glob.glob(f"{d}/{name}")]
        for path in places:
            try:
                ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
                break
            except OSError:
                pass
        else:
            answer["missing"].append(name)
try:
    mapped = set(re.findall(r"/\S*lib(?:cuda|cudnn)\.so\S*",
                            open("/proc/self/maps").read()))
    answer["mapped"] = sorted(mapped)
except OSError:
    pass
say()
os._exit(0)  # a broken driver can hang in TensorFlow's own clean-up
"""


def ask(machine: Machine, config: Config) -> dict[str, Any]:
    """Asks TensorFlow what it is and what it sees.

    Args:
      machine: only the one that runs this program can be asked; a saved one answers
        with what it recorded.
      config: `tensorflow_seconds`, and `tensorflow` to ask at all.

    Returns:
      `state` ("ok", "missing", "broken", "timeout", "skipped" or "unrecorded"); if ok
      `version`, `build`, `gpus`, `cpu_product` and `missing`, the libraries that would
      not load; `log`, the last lines on stderr.
    """
    if not machine.is_here:
        return dict(machine.saved.get("tensorflow", {"state": "unrecorded"}))
    if not config.tensorflow:
        return {"state": "skipped"}
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0"}
    argv = [sys.executable, "-c", CHILD]
    output = run_command(argv, config.tensorflow_seconds, environment)
    log, _, answer = output.text.rpartition(MARK)
    if output.state != "ok":
        return {"state": output.state, "seconds": config.tensorflow_seconds}
    try:
        told = json.JSONDecoder().raw_decode(answer.strip())[0]
    except ValueError:
        told = {"state": "broken", "error": f"the import ended with {output.code}"}
        log = output.text
    told["log"] = "\n".join(log.splitlines()[-30:])
    return told
