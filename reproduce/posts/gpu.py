"""Post "Installing 10-series GPUs, CUDA and TensorFlow", statement by statement."""

from reproduce import post

CARD = "gtx_1060_cuda_"

POST = post.Post(
    "Installing 10-series GPUs, CUDA and TensorFlow",
    "gpu_setup/README.md",
    front=[
        "[Installing a GPU](gpu_setup/README.md)",
        "what is wrong with this machine's GPU, and the next command to type",
        "`make demo-gpu`",
        "a weekend, for one GTX 1060",
        "seconds, for any card, driver and release of TensorFlow in its tables",
    ],
    experiments=[
        post.Experiment(
            f"{CARD}{cuda}",
            f"gpu_setup.check --root={{data}}/{CARD}{cuda}.tar.gz --format=text,html",
        )
        for cuda in ("7.5", "8.0")
    ],
    figures={
        f"{CARD}7.5/report.txt": "The report on the post's card with the old CUDA.",
        f"{CARD}8.0/report.txt": "The report on the same card with the new CUDA.",
    },
)


@POST.claim("10-series GPUs require CUDA 8", f"{CARD}7.5", f"{CARD}8.0")
def cuda(old: post.Result, new: post.Result) -> post.Judgement:
    """Compares two saved machines that differ in their CUDA alone."""
    step = "12. The build's code for this card"
    with_old, with_new = (r["steps"][step] for r in (old, new))
    found = (
        f'step {step.partition(".")[0]} says "{with_old}" with CUDA 7.5; the whole '
        f'report says "{new["verdict"]}" with CUDA 8.0'
    )
    holds = with_old == "problem" and with_new != "problem"
    return post.verdict(found, holds and new["verdict"] == "ready")


@POST.claim(
    "GTX 1060, driver 367.44, CUDA 8.0 RC, cuDNN 5.1, TensorFlow 0.10 fit together",
    f"{CARD}8.0",
)
def versions(new: post.Result) -> post.Judgement:
    """Asks for no problem in any step, on a saved machine with these versions."""
    steps = list(new["steps"].values())
    fine, bad = steps.count("ok"), steps.count("problem")
    return post.verdict(
        f"{fine} of {len(steps)} steps are fine, {bad} have a problem", not bad
    )


POST.open(
    "The source of TensorFlow of September 2016 needs repairs by hand to be built",
    "that source, the Bazel of that time and the card",
)
