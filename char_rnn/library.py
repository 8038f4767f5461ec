"""The package as a library: a text in, a writer out."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from char_rnn import checkpoint, text
from char_rnn.config import Config
from char_rnn.sampler import Sampler, softmax
from runkit import start

if TYPE_CHECKING:
    from char_rnn.training import Progress


@dataclasses.dataclass(frozen=True)
class Writer:
    """A trained network that writes.

    Attributes:
        config: The settings that it was trained by.
        alphabet: The characters that it knows.
        weights: U, W, b, V and c of the post, float32, by letter.
    """

    config: Config
    alphabet: str
    weights: Mapping[str, np.ndarray] = dataclasses.field(repr=False)

    def sample(
        self,
        prime: str = "",
        length: int = 500,
        temperature: float = 1.0,
        top_k: int = 0,
        seed: int = 0,
    ) -> str:
        """Writes a text, one character after another.

        Args:
            prime: The text to go on from, which the result begins with; by default it
                is one character, drawn as in the post.
            length: The number of characters to add.
            temperature: Below 1 the text is safer, above 1 wilder; 0 takes the
                likeliest character.
            top_k: How many of the likeliest characters to draw from; 0 means all.
            seed: The seed of all draws.

        Raises:
            ValueError: The prime has an unknown character, or a number is wrong.
        """
        random = np.random.default_rng(seed)
        ids = text.encode(prime, self.alphabet)
        if not len(ids):
            ids = np.array([text.random_character(random, len(self.alphabet))])
        sampler = Sampler(self.config, self.weights)
        written = sampler.write(ids, length, random, temperature, top_k)
        return text.decode([*ids, *written], self.alphabet)

    def expects(self, before: str) -> dict[str, float]:
        """Tells the probability of each next character, the likeliest first.

        Args:
            before: The text so far, of one character at least.

        Raises:
            ValueError: The text is empty, or has an unknown character.
        """
        ids = text.encode(before, self.alphabet)
        text.check_ids(ids, len(self.alphabet))
        *_, o = map(Sampler(self.config, self.weights).logits, ids)
        chances = dict(zip(self.alphabet, softmax(o).tolist(), strict=True))
        return dict(sorted(chances.items(), key=lambda item: -item[1]))

    def bits_per_character(self, content: str) -> float:
        """Measures how well it predicts a text; fewer bits are better.

        Args:
            content: The text, of two characters at least.

        Raises:
            ValueError: The text is too short, or has an unknown character.
        """
        start.library()
        from char_rnn import evaluate, model

        network = model.CharRNN(self.config, len(self.alphabet))
        network.assign(self.weights)
        evaluator = evaluate.Evaluator(network)
        return evaluator.bits_per_character(text.encode(content, self.alphabet))


def train(
    content: str,
    report: "Callable[[Progress], Any] | None" = None,
    alphabet: str = "",
    **settings: Any,
) -> Writer:
    """Teaches a network to write like a text.

    >>> import char_rnn
    >>> fox = "the quick brown fox jumps over the lazy dog. " * 100
    >>> writer = char_rnn.train(fox, steps=200, num_nodes=64)
    >>> writer.sample("the quick ", length=16, temperature=0)
    'the quick brown fox jumps '

    Args:
        content: The text itself, of a few thousand characters at least.
        report: Called with the `training.Progress` of each call of the compiled loop:
            `step`, `losses` (nats a character, [k]) and `norms` of the gradients, [k].
        alphabet: The characters to know; by default those of the text.
        settings: Fields of `Config`, such as steps=30000, num_nodes=100 or arch=2. The
            recipe is "modern" unless it is named.

    Returns:
        The writer. 30,000 steps, the default, take about a minute on one core.

    Raises:
        ValueError: The text is too short or a setting is wrong.
        FloatingPointError: The training diverges.
    """
    config = Config.of_recipe(**{"recipe": "modern", **settings})
    alphabet = alphabet or "".join(sorted(set(content)))
    ids = text.encode(content, alphabet)
    start.library()
    from char_rnn.training import Trainer

    trainer = Trainer(config, ids, len(alphabet))
    for progress in trainer.run(config.steps):
        if report:
            report(progress)
    return Writer(config, alphabet, trainer.model.arrays())


def load(folder: str) -> Writer:
    """Reads the writer that a run of `python -m char_rnn.main` left in its folder.

    Raises:
        OSError: There is none, or it is damaged.
        ValueError: The file is no model.
    """
    return Writer(*checkpoint.load_model(folder))
