"""Post "Vanilla Recurrent Neural Networks", statement by statement."""

import math

from reproduce.experiments import RATES, UNROLLINGS
from reproduce.verdicts import Claim, Judgement, Result, settings, verdict, without

POST_1 = {
    "batch_size": 32,
    "num_nodes": 100,
    "num_unrollings": 40,
    "learning_rate": 2.5,
    "decay_steps": 80_000,
    "decay_rate": 0.75,
    "activation": "relu",
}
POST_2 = {
    "batch_size": 64,
    "num_nodes": 50,
    "num_unrollings": 20,
    "learning_rate": 2.5,
    "decay_steps": 5_000,
    "decay_rate": 0.1,
    "activation": "tanh",
}
SEED = "the post's seed, text8 and TensorFlow 0.x"
BIGRAM = 1  # in "ngram_valid_bpc"


def bits(result: Result) -> str:
    """The validation figure."""
    return f"{result['valid_bpc']:.3f} bits/character"


def text8(result: Result) -> Judgement:
    """The size of the text, which for text8 the loader checks to the byte."""
    characters = result["characters"]
    if "text8" in result["corpus"]:
        return verdict(f"{characters:,} characters", characters == 10_000_000)
    return without("text8", f"{characters:,} characters of another text")


def arch(post: Result, steps: int):
    """The settings of an architecture, as far as the run went."""

    def judge(result: Result) -> Judgement:
        bigram = result["ngram_valid_bpc"][BIGRAM]
        outcome = (
            f"{bits(result)} after {result['steps']:,} steps (bigram {bigram:.3f})"
        )
        if result["steps"] < steps:
            return without(f"{steps:,} steps (`make reproduce-full`)", outcome)
        learned = result["valid_bpc"] < bigram + 0.01
        return settings(result["config"], post, outcome, learned)

    return judge


def sample(result: Result) -> Judgement:
    """Text of the last look."""
    return without(SEED, f"`{result['sample'][:90].strip()}`")


def loss(usual: Result, squared: Result) -> Judgement:
    """Cross-entropy of two networks, one of which went down squared errors."""
    worse = squared["valid_bpc"] - usual["valid_bpc"]
    found = f"squared error: {bits(squared)}, cross-entropy: {bits(usual)}"
    return verdict(f"{found}, {usual['steps']:,} steps each", worse > 0.1)


def rates(*results: Result) -> Judgement:
    """The best rates lie between 0.1 and 2.5, both ends included."""
    reached = {
        rate: result.get("valid_bpc", math.inf)
        for rate, result in zip(RATES, results, strict=True)
    }
    listed = ", ".join(
        f"{rate:g}: {value:.3f}" if math.isfinite(value) else f"{rate:g}: diverges"
        for rate, value in reached.items()
    )
    inside = [value for rate, value in reached.items() if 0.1 <= rate <= 2.5]
    outside = [value for rate, value in reached.items() if not 0.1 <= rate <= 2.5]
    steps = max(result.get("steps", 0) for result in results)
    found = f"bits/character after {steps:,} steps at {listed}"
    return verdict(found, max(inside) < min(outside))


def unrollings(*results: Result) -> Judgement:
    """tanh gets worse beyond 20 unrollings, ReLU not before 40; equal text read."""
    reached = {
        (activation, count): result["valid_bpc"]
        for (activation, count, _), result in zip(UNROLLINGS, results, strict=True)
    }
    found = "; ".join(
        f"{activation} "
        + ", ".join(
            f"{count}: {value:.3f}"
            for (a, count), value in reached.items()
            if a == activation
        )
        for activation in ("tanh", "relu")
    )
    falls = reached["tanh", 40] - reached["tanh", 20]
    holds = reached["relu", 40] - reached["relu", 20]
    return verdict(f"bits/character by unrollings: {found}", falls > 0.1 > holds)


def concatenation(concat: Result, added: Result) -> Judgement:
    """The post's settings otherwise."""
    found = f"sum {bits(added)}, concatenation {bits(concat)}"
    found = f"{found}, {concat['steps']:,} steps each"
    return verdict(found, concat["valid_bpc"] < added["valid_bpc"])


def markov(result: Result) -> Judgement:
    """A Markov chain over single characters is the bigram."""
    bigram = result["ngram_valid_bpc"][BIGRAM]
    found = f"{bits(result)} under teacher forcing, bigram {bigram:.3f}"
    return verdict(found, abs(result["valid_bpc"] - bigram) < 0.02)


def capacity(first: Result, second: Result, own: Result) -> Judgement:
    """Both ways of training Arch 2 are given a chance."""
    best = min(second["valid_bpc"], own["valid_bpc"])
    found = f"Arch 1 {bits(first)}, Arch 2 {best:.3f}"
    return verdict(found, first["valid_bpc"] < best)


def teacher(forced: Result, own: Result) -> Judgement:
    """Efficiency: what the network is worth when it must live on its own output."""
    with_it, without_it = forced["valid_bpc_own_output"], own["valid_bpc"]
    found = (
        f"on its own output {with_it:.3f} bits/character after teacher forcing "
        f"({forced['seconds']:.0f} s), without it {without_it:.3f} "
        f"({own['seconds']:.0f} s)"
    )
    return verdict(found, with_it < without_it)


def vanish(result: Result) -> Judgement:
    """How much the gradient's norm changes each ten steps back, before training."""
    factors = {
        scale: norms[10] / norms[0]
        for scale, norms in result["norms"]["relu before training"].items()
    }
    listed = ", ".join(f"{scale}: {factor:.1e}" for scale, factor in factors.items())
    found = f"ReLU, after ten steps back; {listed}"
    return verdict(found, min(factors.values()) < 0.1 and max(factors.values()) > 10)


def incentive(result: Result) -> Judgement:
    """Equal text read, so fewer steps with longer windows."""
    reached = {
        int(count): value for count, value in result["valid_bpc"]["relu"].items()
    }
    listed = ", ".join(
        f"{count}: {value:.3f}" for count, value in sorted(reached.items())
    )
    found = f"ReLU, bits/character at equal text read; {listed}"
    return verdict(found, min(reached, key=reached.get) == max(reached))


CLAIMS = [
    Claim("The text is 10 million characters long", ("concat",), text8),
    Claim(
        "Arch 1: batch 32, 100 nodes, 40 unrollings, ReLU, 800,001 steps, rate 2.5 "
        "times 0.75 every 80,000",
        ("arch1",),
        arch(POST_1, 800_001),
    ),
    Claim(
        "Arch 2 with teacher forcing: batch 64, 50 nodes, 20 unrollings, tanh, 50,001 "
        "steps, rate 2.5 times 0.1 every 5,000",
        ("arch2",),
        arch(POST_2, 50_001),
    ),
    Claim(
        "Arch 1 writes `wide chromber coorers are stare printiun s cont imegres and`",
        ("arch1",),
        sample,
    ),
    Claim(
        "Arch 2 writes `qpmhcytkaip tuouhccitgtvyr cy fjcvsnsd sgs rkilbblcj`",
        ("arch2_printed",),
        sample,
    ),
    Claim(
        "Not using the log-likelihood really messes up the training",
        ("concat", "squared"),
        loss,
    ),
    Claim(
        "Most of the learning happens at learning rates of 0.1 to 2.5",
        tuple(f"rate_{rate:g}" for rate in RATES),
        rates,
    ),
    Claim(
        "20 unrollings is the most before major trouble; 40 with ReLU instead of tanh",
        tuple(f"{activation}_{count}" for activation, count, _ in UNROLLINGS),
        unrollings,
    ),
    Claim("Concatenating yielded the best results", ("concat", "sum"), concatenation),
    Claim(
        "Arch 2 is effectively reduced to a Markov chain whose states are the alphabet",
        ("arch2",),
        markov,
    ),
    Claim(
        "Arch 1 has greater modeling capacity than Arch 2",
        ("concat", "arch2", "arch2_own"),
        capacity,
    ),
    Claim(
        "Teacher forcing should allow Arch 2 to train more efficiently",
        ("arch2", "arch2_own"),
        teacher,
    ),
    Claim(
        "Gradients explode or vanish exponentially with the unrollings",
        ("gradients",),
        vanish,
    ),
    Claim(
        "There is an incentive to increase the number of unrollings",
        ("gradients",),
        incentive,
    ),
]
