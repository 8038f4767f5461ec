"""The guide's steps about what TensorFlow needs, and about TensorFlow itself."""

import re
import shlex

from gpu_setup import compatibility as fit
from gpu_setup import logs
from gpu_setup.case import Case, Finding, ok, problem, skip, unknown

# Where pip's CUDA libraries are, for a TensorFlow that does not look there itself.
PIP_FOLDERS = (
    "export LD_LIBRARY_PATH=$(python -c \"import glob, site; print(':'.join(p for s in "
    "site.getsitepackages() for p in glob.glob(s + '/nvidia/*/lib')))\")"
)


def _not_needed(case: Case, found: str, expected: str) -> Finding | None:
    if not case.has_gpu:
        return skip(found, expected, "no card that needs it")
    if case.is_cpu_build:
        return skip(found, expected, "this TensorFlow has no GPU code")
    if not case.version:
        return skip(found, expected, "pip brings it along with TensorFlow")
    return None


def cuda(case: Case) -> Finding:
    """Section "2. Install CUDA 8.0RC"."""
    system = [version for _, version in case.facts.toolkits] + [case.facts.nvcc]
    pip = case.pip_version("cuda-runtime")
    names = [f"CUDA {v}" for v in dict.fromkeys(system) if v]
    found = ", ".join(names + ([f"CUDA {pip} of pip"] if pip else [])) or "none"
    release = case.version or (case.best.tensorflow if case.best else "")
    expected = f"CUDA {case.cuda} for TensorFlow {release}" if case.cuda else ""
    if left_out := _not_needed(case, found, expected):
        return left_out
    if case.gpus:
        return ok(found, expected, "TensorFlow loads it")
    for card in case.cards:
        if fit.cuda_knows(card.capability, case.cuda) == "too new":
            last = fit.cuda_range(card.capability)[1]
            advice, command = _release_for(case, card.capability)
            advice = f"CUDA {last} is the last for {card.name}; {advice}"
            return problem(found, expected, advice, command)
    majors = {fit.parse_version(v)[:1] for v in [*system, pip] if v}
    if fit.parse_version(case.cuda)[:1] in majors:
        return ok(found, expected)
    advice = "no CUDA of the major version that TensorFlow was built with"
    if "and-cuda" not in case.pip_install(case.version):
        return problem(found, expected, f"{advice}; this release needs a toolkit of it")
    return problem(found, expected, advice, case.pip_install(case.version))


def _release_for(case: Case, capability: str) -> tuple[str, str]:
    """Advice and command for a card that the build cannot use."""
    if best := fit.newest_fit(case.python, [capability]):
        advice = f"TensorFlow {best.tensorflow} is the newest that runs on {capability}"
        return advice, case.pip_install(best.tensorflow)
    advice = f"no release with known code for {capability} takes this Python"
    if best := fit.newest_fit("", [capability]):
        advice += f"; TensorFlow {best.tensorflow} has, on Python {best.python}"
    return advice, ""


def cudnn(case: Case) -> Finding:
    """Section "3. cuDNN v5.1"."""
    library, headers = case.libcudnn, [version for _, version in case.facts.cudnns]
    pip = case.pip_version("cudnn")
    here = (library.version if library else "") or pip or (headers or [""])[0]
    found = f"cuDNN {here}" if here else "none"
    if library:
        found += f"; {library.path} is loaded first ({library.origin})"
    expected = f"cuDNN {case.cudnn} or a later one of its major" if case.cudnn else ""
    if library and library.is_fake:
        advice = f"{library.path} is another library, {library.target}, by that name"
        return problem(found, expected, advice, f"sudo rm {shlex.quote(library.path)}")
    if left_out := _not_needed(case, found, expected):
        return left_out
    name = f"nvidia-cudnn-cu{case.cuda.partition('.')[0]}"
    above = (fit.parse_version(case.cudnn) or (0,))[0] + 1
    command = f"python -m pip install --upgrade '{name}>={case.cudnn},<{above}'"
    if here and not fit.cudnn_fits(here, case.cudnn):
        return problem(found, expected, "too old, or another major version", command)
    if case.gpus or here:
        return ok(found, expected)
    return problem(found, expected, "TensorFlow finds no cuDNN", command)


def bazel(case: Case) -> Finding:
    """Sections 6 to 10, a build from source, which pip's wheels made needless."""
    found = f"Bazel {case.facts.bazel}" if case.facts.bazel else "no Bazel"
    expected = f"Bazel {case.target.bazel}" if case.target else ""
    return skip(found, expected, "only for a build from source")


def environment(case: Case) -> Finding:
    """Section "11. Set up conda environment to install tensorflow"."""
    if not case.python:
        return unknown("no Python was recorded")
    newest = fit.builds()[0]
    found = f"Python {case.python}{_kind(case)}"
    expected = f"Python {newest.python} for TensorFlow {newest.tensorflow}"
    if case.told.get("state") == "ok":
        return ok(found, expected)
    best = fit.newest_fit(case.python)
    if best is None:
        last = newest.python.rpartition("-")[2]
        new = fit.parse_version(case.python)[:2] > fit.parse_version(last)
        advice = f"no TensorFlow wheel for a Python so {'new' if new else 'old'}"
        create = f"conda create --name tensorflow python={last}"
        return problem(found, expected, advice, create)
    advice = f"its newest TensorFlow is {best.tensorflow}"
    return ok(found, expected, "" if best == newest else advice)


def _kind(case: Case) -> str:
    if case.facts.environment.get("CONDA_PREFIX"):
        return " in a conda environment"
    prefix = case.facts.python.get("prefix", "/usr")
    if re.match(r"/usr(/local)?/?$|/opt/python", prefix):
        return ", the system's own"
    return " in a virtual environment"


def tensorflow(case: Case) -> Finding:
    """Section "12. Install Tensorflow"."""
    told, state = case.told, case.told.get("state", "unrecorded")
    expected = f"TensorFlow {case.best.tensorflow}" if case.best else "TensorFlow"
    if state in ("skipped", "unrecorded", "denied"):
        found = f"TensorFlow {case.version}, not asked" if case.version else "not asked"
        return unknown(f"{found} ({state})", expected)
    if state == "missing":
        return problem("not installed", expected, "install it", case.pip_install())
    if state == "timeout":
        advice = f"import tensorflow took over {told.get('seconds', '?')} s"
        return unknown("no answer", expected, advice)
    again = f"{case.pip_install(case.version)} --force-reinstall"
    if state != "ok":
        advice = "the import fails: " + str(told.get("error", state))
        return problem("broken", expected, advice, again)
    found = f"TensorFlow {case.version}"
    if told.get("cpu_product") is not True:
        advice = f"a matrix product on the CPU gave {told.get('cpu_product')}"
        return problem(found, expected, advice, again)
    if case.has_gpu and not case.gpus and (trouble := _blind(case, found, expected)):
        return trouble
    if case.build.get("is_cuda_build"):
        found += f", built with CUDA {case.cuda}"
    advice = "newer or older than the tables: only tried, not judged"
    return ok(found, expected, "" if fit.build_of(case.version) else advice)


def _blind(case: Case, found: str, expected: str) -> Finding | None:
    """Why a TensorFlow that works sees no card."""
    if case.is_cpu_build:
        found = f"{found}, a CPU-only build"
        return problem(found, expected, "it has no GPU code", case.pip_install())
    missing = case.told.get("missing", [])
    if missing:
        advice = "cannot load " + ", ".join(missing)
        return problem(found, expected, advice, case.pip_install(case.version))
    if case.told.get("pip_only"):
        advice = "it does not look where pip put its CUDA libraries"
        return problem(found, expected, advice, PIP_FOLDERS)
    return None


def card(case: Case) -> Finding:
    """Does this build run on this card? (The post's "10-series" question.)"""
    if not case.has_gpu:
        return skip(advice="no card")
    if not case.cards or not case.architectures:
        return _too_old(case) or unknown("the card or the build does not say")
    ways = [fit.runs_on(c.capability, case.architectures) for c in case.cards]
    words = {"native": "natively", "ptx": "from PTX", "none": "not at all"}
    found = "; ".join(
        f"{c.name} ({c.capability or '?'}): {words.get(way, 'unknown')}"
        for c, way in zip(case.cards, ways, strict=True)
    )
    expected = "one of " + " ".join(case.architectures)
    if "none" in ways:
        if case.works:
            return ok(found, expected, "TensorFlow leaves out what it cannot use")
        capability = case.cards[ways.index("none")].capability
        return problem(found, expected, *_release_for(case, capability))
    if "unknown" in ways:
        return unknown(found, expected)
    advice = "the driver compiles at first use: minutes once, then cached; if it "
    advice += "reports INVALID_PTX, take a newer TensorFlow and driver"
    return ok(found, expected, advice if "ptx" in ways else "")


def _too_old(case: Case) -> Finding | None:
    """A build by a CUDA that is older than the card, as the post's first attempt."""
    for card in case.cards:
        if not case.works and fit.cuda_knows(card.capability, case.cuda) == "too old":
            return problem(
                f"CUDA {case.cuda} has no code for {card.name} ({card.capability})",
                f"a build by CUDA {fit.cuda_range(card.capability)[0]} or newer",
                *_release_for(case, card.capability),
            )
    return None


def works(case: Case) -> Finding:
    """The post's "You're all done!", proven by a matrix product on each GPU."""
    if not case.has_gpu:
        return skip(advice="no card")
    if case.told.get("state") != "ok":
        return unknown("TensorFlow did not run", "every GPU multiplies")
    hidden = case.facts.environment.get("CUDA_VISIBLE_DEVICES")
    if not case.gpus and hidden is not None and not re.match(r"\d|GPU|MIG", hidden):
        advice = f"CUDA_VISIBLE_DEVICES={hidden!r} hides every card"
        return problem("no GPU", "a GPU", advice, "unset CUDA_VISIBLE_DEVICES")
    if not case.gpus:
        return problem("no GPU", "a GPU", "TensorFlow sees none" + _from_log(case))
    if not case.works:
        bad = [f"{g['name']}: {g.get('product')}" for g in case.gpus]
        return problem("; ".join(bad), "a right product", "a card fails")
    count = f"{len(case.gpus)} GPU" + "s" * (len(case.gpus) > 1)
    more = max(len(case.cards), len(case.facts.pci_gpus or []))
    left_out = f"{len(case.gpus)} of {more} cards; see CUDA_VISIBLE_DEVICES"
    return ok(
        f"{count}, each multiplied two matrices right",
        "every GPU multiplies",
        left_out if more > len(case.gpus) else "",
    )


def _from_log(case: Case) -> str:
    """What TensorFlow's own log says, where it is known."""
    causes = [k for k in logs.explain(case.told.get("log", "")) if k.kind == "cause"]
    return f"; its log says: {causes[0].means}" if causes else ""
