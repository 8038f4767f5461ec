"""The three shorter posts, statement by statement."""

from reproduce.verdicts import Claim, Judgement, Result, settings, verdict, without


def toy(result: Result) -> Judgement:
    """The post's o = (1, 2, 3); its constraint is not printed, so it is ours."""
    best, optimum = result["best_objective"], result["optimum"]
    found = f"{best:g} of {optimum:g} with c = (1, 1, 1), b = 2"
    return verdict(found, best == optimum)


def probabilities(result: Result) -> Judgement:
    """The post's initial and mutation probabilities are the defaults."""
    post = {"initial_probability": 0.5, "mutation": 0.01}
    outcome = f"{100 * (1 - result['gap']):.1f} % of the optimum, 300 generations"
    return settings(result["config"], post, outcome, result["feasible"])


def airline(post: Result, modern: Result) -> Judgement:
    """36 flights under four constraints, against the proven optimum."""
    found = (
        f"{100 * post['gap']:.1f} % short of the optimum after 300 generations as the "
        f"post has it, {100 * modern['gap']:g} % with the modern scheme"
    )
    return verdict(found, post["feasible"] and post["gap"] < 0.1)


def cuda(old: Result, new: Result) -> Judgement:
    """Two saved machines that differ in their CUDA alone."""
    step = "12. The build's code for this card"
    with_old, with_new = (r["metrics"]["steps"][step] for r in (old, new))
    found = f"CUDA 7.5: {with_old} at that step; CUDA 8.0: {new['metrics']['verdict']}"
    holds = with_old == "problem" and with_new != "problem"
    return verdict(found, holds and new["metrics"]["verdict"] == "ready")


def versions(new: Result) -> Judgement:
    """Every step of the guide, on a saved machine with the post's versions."""
    steps = new["metrics"]["steps"]
    bad = [title for title, status in steps.items() if status == "problem"]
    fine = sum(status == "ok" for status in steps.values())
    return verdict(f"{fine} of {len(steps)} steps fine, {len(bad)} problems", not bad)


def tunnel(result: Result) -> Judgement:
    """The commands that gpu_setup.notebook prints and runs."""
    jupyter, ssh = result["metrics"]["commands"]
    holds = "--no-browser" in jupyter and "--port=8886" in jupyter
    holds = holds and "-N" in ssh and "127.0.0.1:8888:127.0.0.1:8886" in ssh
    return verdict(f"`{ssh}`", holds)


GENETIC = [
    Claim("o = (1, 2, 3): a genetic algorithm maximizes o'x", ("toy",), toy),
    Claim(
        "A gene is 1 with p = 0.5 at the start and mutates with p = 0.01",
        ("flights_post",),
        probabilities,
    ),
    Claim(
        "It finds a good choice of an airline's flights",
        ("flights_post", "flights"),
        airline,
    ),
]
GPU = [
    Claim(
        "10-series GPUs require CUDA 8",
        ("gtx_1060_cuda_7.5", "gtx_1060_cuda_8.0"),
        cuda,
    ),
    Claim(
        "GTX 1060, driver 367.44, CUDA 8.0 RC, cuDNN 5.1, TensorFlow 0.10 fit together",
        ("gtx_1060_cuda_8.0",),
        versions,
    ),
    Claim(
        "The source of TensorFlow of September 2016 needs repairs by hand to be built",
        (),
        lambda: without("that source, Bazel of the time and the card"),
    ),
]
NOTEBOOK = [
    Claim(
        "ssh -N -L localhost:8888:localhost:8886 and jupyter --no-browser --port 8886",
        ("notebook",),
        tunnel,
    ),
    Claim(
        "The notebook then opens at localhost:8888",
        (),
        lambda: without("a remote machine (the tests do it with an ssh server here)"),
    ),
]
