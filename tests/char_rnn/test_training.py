"""Windows against the post's own class, steps, and going on where it stopped."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from char_rnn import corpus, training
from char_rnn.config import Config


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
    several = training.windows(text, config, 0, 40)  # round the text more than once
    for step in range(40):
        assert training.cursors(size, config, step).tolist() == [
            (c + 1) % size for c in batch.cursors
        ]
        window = training.windows(text, config, step, 1)[0]
        np.testing.assert_array_equal(several[step], window)
        for unrolling in range(6):
            x, y = batch.next()
            assert window[unrolling].tolist() == x
            assert window[unrolling + 1].tolist() == y


def small(**settings):
    base = {"num_nodes": 12, "num_unrollings": 5, "batch_size": 4, "steps": 400}
    base |= {"warmup_steps": 0, "count_bias": False}
    return Config.of_recipe("modern", **base | settings)


def losses(trainer, until):
    return np.concatenate([progress.losses for progress in trainer.run(until)])


@pytest.fixture(scope="module")
def course(data):
    """The trainer and the 400 losses of a small run, compiled once for all tests."""

    @functools.cache
    def run(**settings):
        trainer = training.Trainer(small(**settings), data, 27)
        return trainer, losses(trainer, 400)

    return run


@pytest.mark.parametrize(
    "settings", [{}, {"arch": 2, "combine": "concat", "teacher_forcing": False}]
)
def test_the_loss_falls_and_a_run_goes_on_to_the_same_bits(data, course, settings):
    done, whole = course(**settings)
    assert done.step == len(whole) == 400
    assert whole[:3].mean() > 3.0 and whole[-20:].mean() < 2.6

    again = training.Trainer(small(**settings), data, 27)
    np.testing.assert_array_equal(losses(again, 37), whole[:37])
    arrays = again.arrays()
    assert (
        arrays["cursors"].tolist() == training.cursors(3_000, again.config, 37).tolist()
    )
    losses(again, 120)
    again.restore(arrays)
    assert again.step == 37
    np.testing.assert_array_equal(losses(again, 400), whole[37:])
    for letter, value in done.model.arrays().items():
        np.testing.assert_array_equal(again.model.arrays()[letter], value)


def test_records_are_values(course):
    trainer, _ = course()
    records = [*trainer.run(trainer.step + 200)]
    kept = [(each.losses.copy(), each.norms.copy()) for each in records]
    losses(trainer, trainer.step + 100)
    for each, (old_losses, old_norms) in zip(records, kept, strict=True):
        np.testing.assert_array_equal(each.losses, old_losses)
        np.testing.assert_array_equal(each.norms, old_norms)


def test_a_window_s_loss_and_state(data):
    """The loss is the mean cross-entropy, and two windows of five are one of ten."""
    short, long = (
        training.Trainer(small(learning_rate=1e-30, num_unrollings=n), data, 27)
        for n in (5, 10)
    )
    window = training.windows(data, short.config, 0, 1)[0].astype(int)
    logits, _ = short.model.unroll(tf.constant(window[:-1]), short.state)
    logs = np.log(np.exp(logits) / np.exp(logits).sum(-1, keepdims=True))
    chosen = np.take_along_axis(logs, window[1:, :, np.newaxis], -1)
    found = losses(short, 8)
    assert found[0] == pytest.approx(-chosen.mean(), rel=1e-5)
    np.testing.assert_allclose(found.reshape(4, 2).mean(1), losses(long, 4), rtol=1e-5)
    np.testing.assert_allclose(short.state, long.state, rtol=1e-4, atol=1e-6)


def test_a_wide_network_starts_calmly():
    """Adam's first steps gave one of 512 nodes a loss of 1e16."""
    ids = corpus.load("embedded").ids
    shape = {"num_nodes": 512, "batch_size": 8, "steps": 30_000}
    trainer = training.Trainer(Config.of_recipe("modern", **shape), ids, 27)
    shares = np.bincount(ids, minlength=27) / len(ids)
    np.testing.assert_allclose(np.exp(trainer.model.c), shares, atol=1e-4)
    for progress in trainer.run(60):
        assert progress.norms.max() < 100 and progress.losses.max() < 5


def test_an_alphabet_of_thousands_trains():
    ids = np.arange(40_000, dtype=np.uint16) % 4_000
    trainer = training.Trainer(small(combine="concat"), ids, 4_000)
    assert losses(trainer, 5)[0] == pytest.approx(np.log(4_000), abs=0.2)


def test_squared_error_is_that_of_the_probabilities():
    logits = np.random.default_rng(0).normal(size=(3, 2, 5))
    targets = np.array([[0, 1], [2, 3], [4, 0]])
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = ((p - np.eye(5)[targets]) ** 2).sum(-1).mean()
    assert training.squared_error(targets, logits).numpy() == pytest.approx(expected)


def test_squared_error_is_followed_and_cross_entropy_told(course):
    """At the first step both losses see the same network, and then part."""
    (_, usual), (_, squared) = course(), course(loss="squared")
    assert usual[0] == pytest.approx(squared[0])
    assert usual[1] != pytest.approx(squared[1], rel=1e-6)
    assert squared[-20:].mean() < squared[:3].mean() - 0.3


@pytest.mark.parametrize("recipe", ["modern", "post"])
def test_plain_and_fast_train_alike(data, recipe):
    shape = {"num_nodes": 12, "num_unrollings": 5, "batch_size": 4}
    fast, plain = (
        training.Trainer(Config.of_recipe(recipe, plain=plain, **shape), data, 27)
        for plain in (False, True)
    )
    np.testing.assert_allclose(losses(fast, 30), losses(plain, 30), rtol=1e-4)


def test_a_step_is_gradient_descent_with_clipping(data):
    settings = {"optimizer": "sgd", "schedule": "staircase", "learning_rate": 0.5}
    config = small(clip_norm=0.01, **settings)
    trainer = training.Trainer(config, data, 27)
    before = trainer.model.arrays()
    progress = next(trainer.run(1))
    after = trainer.model.arrays()
    moved = np.sqrt(sum(np.sum((after[k] - before[k]) ** 2) for k in before))
    assert progress.norms[0] > 0.01
    assert moved == pytest.approx(0.5 * 0.01, rel=1e-3)


def test_as_printed_learns_to_repeat_one_batch(data, course):
    config = small(arch=2, as_printed=True)
    windows = training.stale_windows(data, config, 0, 3)
    assert windows.shape == (3, 6, 4)
    assert (windows == windows[0, 0]).all()
    assert course(arch=2, as_printed=True)[1][-1] < 0.1


def test_a_diverging_run_says_so(data):
    config = small(optimizer="sgd", learning_rate=1e30, clip_norm=1e30)
    trainer = training.Trainer(config, data, 27)
    with pytest.raises(FloatingPointError, match="--learning_rate than 1e"):
        next(trainer.run(2))
    assert trainer.step == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda data: data[:50], "--batch_size=32"),
        (lambda data: data + 100, "27 characters"),
        (lambda data: data.tolist(), "list"),
        (lambda data: data.reshape(2, -1), "dimensions"),
    ],
)
def test_wrong_ids_are_refused(data, wrong, message):
    with pytest.raises(ValueError, match=message):
        training.Trainer(Config(), wrong(data), 27)
