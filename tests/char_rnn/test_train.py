"""Windows against the post's own class, steps, and going on where it stopped."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from char_rnn import train
from char_rnn.config import LOSSES, Config


class Batch:
    """The post's class, told again line by line."""

    def __init__(self, text, batch_size):
        self.text = text
        self.text_size = len(text)
        self.segment_size = self.text_size // batch_size
        self.cursors = [self.segment_size * b for b in range(batch_size)]

    def next(self):
        self.cursors = [(c + 1) % self.text_size for c in self.cursors]
        x = [self.text[c] for c in self.cursors]
        y = [self.text[(c + 1) % self.text_size] for c in self.cursors]
        return x, y


@pytest.mark.parametrize(("size", "batch_size"), [(100, 4), (103, 5), (29, 7)])
def test_windows_are_the_post_s_batches(size, batch_size):
    text = np.random.default_rng(0).integers(0, 27, size).astype(np.uint8)
    config = Config(batch_size=batch_size, num_unrollings=6)
    batch = Batch(text, batch_size)
    several = train.windows(text, config, 0, 40)  # round the text more than once
    for step in range(40):
        assert train.cursors(size, config, step).tolist() == [
            (c + 1) % size for c in batch.cursors
        ]
        window = train.windows(text, config, step, 1)[0]
        np.testing.assert_array_equal(several[step], window)
        for unrolling in range(6):
            x, y = batch.next()
            assert window[unrolling].tolist() == x
            assert window[unrolling + 1].tolist() == y


def small(**settings):
    base = {"num_nodes": 12, "num_unrollings": 5, "batch_size": 4, "steps": 400}
    return Config(**{"recipe": "modern"} | base | settings)


def losses(trainer, until):
    return np.concatenate([progress.losses for progress in trainer.run(until)])


def test_the_state_goes_from_window_to_window(data):
    """Two windows of five are one of ten, as long as nothing is learned."""
    config = small(learning_rate=1e-30)
    short = train.Trainer(config, data, 27)
    long = train.Trainer(dataclasses.replace(config, num_unrollings=10), data, 27)
    pairs = losses(short, 8).reshape(4, 2).mean(1)
    np.testing.assert_allclose(pairs, losses(long, 4), rtol=1e-5)
    np.testing.assert_allclose(short.state, long.state, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("combine", ["concat", "sum"])
@pytest.mark.parametrize("arch", [1, 2])
def test_the_loss_falls(data, arch, combine):
    trainer = train.Trainer(small(arch=arch, combine=combine), data, 27)
    course = losses(trainer, 400)
    assert trainer.step == len(course) == 400
    assert course[:3].mean() > 3.0 and course[-20:].mean() < 2.6


def test_squared_error_is_that_of_the_probabilities():
    logits = np.random.default_rng(0).normal(size=(3, 2, 5))
    targets = np.array([[0, 1], [2, 3], [4, 0]])
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = ((p - np.eye(5)[targets]) ** 2).sum(-1).mean()
    assert train.squared_error(targets, logits).numpy() == pytest.approx(expected)


def test_squared_error_is_followed_and_cross_entropy_told(data):
    """At the first step both losses see the same network, and then part."""
    usual, squared = (
        losses(train.Trainer(small(loss=loss), data, 27), 400) for loss in LOSSES
    )
    assert usual[0] == pytest.approx(squared[0])
    assert usual[1] != pytest.approx(squared[1], rel=1e-6)
    assert squared[-20:].mean() < squared[:3].mean() - 0.3


def test_a_step_is_gradient_descent_with_clipping(data):
    settings = {"optimizer": "sgd", "schedule": "staircase", "learning_rate": 0.5}
    config = small(clip_norm=0.01, **settings)
    trainer = train.Trainer(config, data, 27)
    before = trainer.model.arrays()
    progress = next(trainer.run(1))
    after = trainer.model.arrays()
    moved = np.sqrt(sum(np.sum((after[k] - before[k]) ** 2) for k in before))
    assert progress.norms[0] > 0.01
    assert moved == pytest.approx(0.5 * 0.01, rel=1e-3)


def test_the_staircase_and_the_cosine():
    rate = train.make_optimizer(Config(arch=2)).learning_rate
    assert float(rate) == pytest.approx(2.5)
    optimizer = train.make_optimizer(Config(arch=2))
    for step, expected in ((4999, 2.5), (5000, 0.25), (10000, 0.025)):
        optimizer.iterations.assign(step)
        assert float(optimizer.learning_rate) == pytest.approx(expected)
    optimizer = train.make_optimizer(small(learning_rate=1.0, steps=100))
    optimizer.iterations.assign(50)
    assert float(optimizer.learning_rate) == pytest.approx(0.5)


def test_plain_and_tables_train_alike(data):
    plain, fast = (
        losses(train.Trainer(small(plain=plain), data, 27), 30)
        for plain in (True, False)
    )
    np.testing.assert_allclose(plain, fast, rtol=1e-4)


def test_as_printed_learns_to_repeat_one_batch(data):
    config = small(arch=2, as_printed=True)
    windows = train.stale_windows(data, config, 0, 3)
    assert windows.shape == (3, 6, 4)
    assert (windows == windows[0, 0]).all()
    assert losses(train.Trainer(config, data, 27), 400)[-1] < 0.1


def test_the_same_seed_gives_the_same_bits_and_another_does_not(data):
    one, same, other = (
        losses(train.Trainer(small(seed=seed), data, 27), 50) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-4


@pytest.mark.parametrize("arch", [1, 2])
def test_a_restored_run_goes_on_to_the_same_bits(data, arch):
    config = small(arch=arch, teacher_forcing=False)
    whole = train.Trainer(config, data, 27)
    first = losses(whole, 37)
    arrays = whole.arrays()
    rest = losses(whole, 120)
    again = train.Trainer(dataclasses.replace(config), data, 27)
    again.restore(arrays)
    np.testing.assert_array_equal(losses(again, 120), rest)
    for letter, value in whole.model.arrays().items():
        np.testing.assert_array_equal(again.model.arrays()[letter], value)
    assert len(first) == 37
    assert arrays["cursors"].tolist() == train.cursors(len(data), config, 37).tolist()


def test_a_diverging_run_says_so(data):
    config = small(optimizer="sgd", learning_rate=1e30, clip_norm=1e30)
    with pytest.raises(FloatingPointError, match="--learning_rate than 1e"):
        losses(train.Trainer(config, data, 27), 400)


def test_too_many_streams_for_the_text(data):
    with pytest.raises(ValueError, match="--batch_size=32"):
        train.Trainer(Config(), data[:50], 27)


def test_the_loss_is_the_mean_cross_entropy_of_logits(data):
    config = small(learning_rate=1e-30)
    trainer = train.Trainer(config, data, 27)
    window = train.windows(data, config, 0, 1)[0].astype(int)
    logits, _ = trainer.model.unroll(tf.constant(window[:-1]), trainer.state)
    logs = np.log(np.exp(logits) / np.exp(logits).sum(-1, keepdims=True))
    chosen = np.take_along_axis(logs, window[1:, :, np.newaxis], -1)
    assert losses(trainer, 1)[0] == pytest.approx(-chosen.mean(), rel=1e-5)
