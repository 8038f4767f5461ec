"""Every run that the results rest on: which command, how long, on which data."""

import dataclasses
import os
import pathlib

from reproduce import config as config_lib
from reproduce.config import Config

HERE = pathlib.Path(__file__).parent
MACHINE = HERE / "data" / "gtx_1060_cuda_{}.tar.gz"
RATES = (0.01, 0.1, 2.5, 25.0)  # of gradient descent: the post's range, and beside it
# Activation, unrollings, steps: the same number of characters for each.
UNROLLINGS = tuple(
    (activation, unrollings, 800_000 // unrollings)
    for activation in ("tanh", "relu")
    for unrollings in (20, 40, 80)
)
ADAM = ((0.1, 500), (1.0, 500), (5.0, 500), (1.0, 2000), (5.0, 2000), (50.0, 500))


@dataclasses.dataclass(frozen=True)
class Experiment:
    """One command, in each length that it has.

    Attributes:
        name: of its folder and of its result.
        module: run with `python -m`.
        flags: of every length.
        lengths: further flags by length; a length that is not here is not run.
        seconds: what each length takes on two cores, roughly, for the bar.
        data: which of `inputs` it gets.
        cores: that it keeps busy.
        discard: patterns of files that are not kept once it is done.
        may_diverge: whether a loss that is not finite is a finding, not a failure.
    """

    name: str
    module: str
    flags: tuple[str, ...] = ()
    lengths: dict[str, tuple[str, ...]] = dataclasses.field(
        default_factory=lambda: {"short": (), "full": ()}
    )
    seconds: dict[str, float] = dataclasses.field(
        default_factory=lambda: {"short": 3, "full": 3}
    )
    data: str = ""
    cores: int = 1
    discard: tuple[str, ...] = ()
    may_diverge: bool = False


def inputs(experiment: Experiment, config: Config) -> list[str]:
    """The flags that name the data: what is on this machine, else what is embedded."""
    if experiment.data == "text":
        return [f"--corpus={config.text or config_lib.text8() or 'embedded'}"]
    if experiment.data == "digits" and config.train_csv:
        files = f"--train_csv={config.train_csv}", f"--test_csv={config.test_csv}"
        return ["--dataset=csv", *files]
    if experiment.data.endswith(".jpg") and config.pictures:
        names = zip(("content", "style"), experiment.data.split(), strict=True)
        return [f"--{flag}={os.path.join(config.pictures, n)}" for flag, n in names]
    return []


def command(experiment: Experiment, config: Config, folder: str) -> list[str]:
    """What follows `python`, for one experiment."""
    if experiment.module.startswith("style_transfer"):
        full = config.length == "full" and config_lib.imagenet()
        weights = [f"--weights={'imagenet' if full else 'compact'}"]
    else:
        weights = []
    return [
        "-m",
        experiment.module,
        *experiment.flags,
        *experiment.lengths[config.length],
        *weights,
        *inputs(experiment, config),
        f"--out_dir={folder}",
    ]


def _style() -> list[Experiment]:
    main = "style_transfer.main"
    sizes = {"short": ("--size=256",), "full": ("--size=512",)}
    takes = {"short": 10.0, "full": 30.0}
    adam = [
        Experiment(
            f"adam_{rate:g}_{steps}",
            main,
            (
                "--optimizer=adam",
                f"--learning_rate={rate:g}",
                f"--steps={steps}",
                "--init=noise",
                "--scales=1",
                "--save_every=0",
            ),
            {"short": ("--size=192",), "full": ("--size=384",)},
            {"short": 4 + 0.03 * steps, "full": 6 + 0.1 * steps},
            cores=2,
        )
        for rate, steps in ADAM
    ]
    return [
        Experiment(
            "style_figures",
            "style_transfer.figures",
            (),
            {"short": ("--size=160", "--steps=60"), "full": ()},
            {"short": 60, "full": 150},
            cores=2,
        ),
        Experiment(
            "pixels",
            main,
            ("--mode=pixels", "--optimizer=adam", "--scales=1", "--steps=500"),
            cores=2,
        ),
        Experiment("transfer", main, (), sizes, takes, cores=2),
        Experiment(
            "paper_pair",
            main,
            (),
            sizes,
            takes,
            "tuebingen_neckarfront.jpg starry_night.jpg",
            cores=2,
        ),
        Experiment(
            "post_pair",
            main,
            (),
            sizes,
            takes,
            "chicago_skyline.jpg great_wave.jpg",
            cores=2,
        ),
        *adam,
    ]


def _rnn(name, flags, short="", full="", seconds=(45, 60), lengths=config_lib.LENGTHS):
    """A run of char_rnn.main; `short` and `full` are its numbers of steps."""
    steps = {"short": short, "full": full}
    return Experiment(
        name,
        "char_rnn.main",
        flags,
        {n: (f"--steps={steps[n]}",) if steps[n] else () for n in lengths},
        dict(zip(config_lib.LENGTHS, seconds, strict=True)),
        "text",
    )


def _texts() -> list[Experiment]:
    own = ("--arch=2", "--noteacher_forcing")
    compared = 20_000, 40_000
    large = ("--num_nodes=512", "--num_unrollings=50", "--batch_size=64")
    return [
        # On a text as short as the embedded one, the post's rate diverges after 34,000
        # steps or more: the short runs end before.
        _rnn("arch1", (), 25_000, "", (30, 1800)),
        _rnn("concat", (), *compared),
        _rnn("sum", ("--combine=sum",), *compared),
        _rnn("init_printed", ("--initialization=printed",), *compared),
        _rnn("squared", ("--loss=squared",), *compared),
        *(
            dataclasses.replace(
                _rnn(
                    f"rate_{rate:g}",
                    (f"--learning_rate={rate:g}", "--decay_rate=1", "--steps=20000"),
                    seconds=(30, 45),
                ),
                may_diverge=True,
            )
            for rate in RATES
        ),
        *(
            _rnn(
                f"{activation}_{unrollings}",
                (
                    f"--activation={activation}",
                    f"--num_unrollings={unrollings}",
                    f"--steps={steps}",
                ),
                seconds=(30, 45),
            )
            for activation, unrollings, steps in UNROLLINGS
        ),
        _rnn("arch2", ("--arch=2",), 15_000, "", (25, 70)),
        _rnn("arch2_own", own, 15_000, "", (25, 85)),
        _rnn("arch2_printed", ("--arch=2", "--as_printed", "--steps=5000")),
        _rnn("arch2_modern", ("--recipe=modern", *own), 15_000, "", (25, 85)),
        _rnn("rnn_modern", ("--recipe=modern",), 30_000, 200_000, (40, 210)),
        _rnn(
            "rnn_512",
            ("--recipe=modern", *large, "--learning_rate=0.001", "--steps=20000"),
            seconds=(0, 1200),
            lengths=("full",),
        ),
        Experiment(
            "gradients",
            "char_rnn.gradients",
            seconds={"short": 60, "full": 60},
        ),
        Experiment("rnn_figures", "char_rnn.figures"),
    ]


def _digits(name, flags, lengths, seconds, discard=()):
    return Experiment(
        name, "inception_mnist.main", flags, lengths, seconds, "digits", 2, discard
    )


def _modules() -> list[Experiment]:
    weights = ("*.npz",)  # a dense network is gigabytes
    rarely = "--checkpoint_seconds=600"
    modern = "--recipe=modern"
    return [
        Experiment(
            "operations", "inception_mnist.operations", seconds={"short": 8, "full": 8}
        ),
        _digits(
            "digits_few",
            (rarely, "--steps=200"),
            {"short": (), "full": ()},
            {"short": 80, "full": 80},
            weights,
        ),
        _digits("digits_post", (rarely,), {"full": ()}, {"full": 5000}, weights),
        _digits(
            "digits_dense",
            (modern, "--head=dense", rarely),
            {"full": ()},
            {"full": 5000},
            weights,
        ),
        _digits(
            "digits_fast",
            (modern, "--steps=2400"),
            {"short": (), "full": ()},
            {"short": 140, "full": 140},
        ),
        _digits("digits_modern", (modern,), {"full": ()}, {"full": 1000}),
    ]


def _others() -> list[Experiment]:
    main, scheme = "genetic.main", "--scheme=post"
    return [
        Experiment(
            "toy", main, (scheme, f"--problem={HERE / 'data' / 'toy.csv'}", "--exact")
        ),
        Experiment("flights_post", main, (scheme, "--generations=300", "--exact")),
        Experiment("flights", main, ("--exact",)),
        *(
            Experiment(
                f"gtx_1060_cuda_{cuda}",
                "gpu_setup.check",
                (f"--root={str(MACHINE).format(cuda)}", "--format=text,html"),
            )
            for cuda in ("7.5", "8.0")
        ),
        Experiment("notebook", "gpu_setup.notebook", ("ubuntu@host", "--print_only")),
    ]


EXPERIMENTS = [*_style(), *_texts(), *_modules(), *_others()]
