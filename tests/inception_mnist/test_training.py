"""Training: the loss falls, a step is the plain one, and a run goes on exactly."""

import gc

import keras
import numpy as np
import pytest
import tensorflow as tf

from inception_mnist import evaluate
from inception_mnist.config import Config
from inception_mnist.model import build_model
from inception_mnist.training import Trainer

SMALL = {"map1": 4, "map2": 4, "reduce1x1": 2, "hidden": 16, "batch_size": 20}


def trainer(digits, **options):
    return Trainer(Config.of_recipe(**{**SMALL, "steps": 60, **options}), *digits)


@pytest.mark.parametrize(
    "options",
    [
        {"recipe": "modern", "head": "dense", "module": "naive", "pool": 2},
        {"learning_rate": 1e-3},
    ],
)
def test_the_loss_falls(digits, options):
    losses = [p.loss for p in trainer(digits, **options, dropout=0.0).run(60)]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])


def test_a_step_is_the_textbooks(digits):
    options = {"precision": "float32", "dropout": 0.0, "head": "gap"}
    ours = trainer(digits, **options)
    keras.utils.set_random_seed(0)
    model = build_model(ours.config)
    adam = keras.optimizers.Adam(ours.config.learning_rate, epsilon=1e-8)
    for progress in ours.run(3):
        first = (progress.step - 1) * 20
        images = digits[0][first : first + 20, ..., np.newaxis].astype(np.float32)
        labels = digits[1][first : first + 20].astype(np.int32)
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            loss = keras.losses.SparseCategoricalCrossentropy(True)(labels, logits)
        weights = model.trainable_weights
        adam.apply(tape.gradient(loss, weights), weights)
        np.testing.assert_allclose(progress.loss, loss, rtol=1e-4)
        right = np.mean(np.argmax(logits, axis=1) == labels)
        np.testing.assert_allclose(progress.accuracy, right)
    for one, two in zip(ours.model.weights, model.weights, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-4)


@pytest.mark.parametrize(
    ("head", "precision"), [("gap", "float32"), ("dense", "bfloat16")]
)
def test_goes_on_exactly(digits, head, precision):
    """From the same seed, too: the two trainers share nothing else."""
    options = {"recipe": "modern", "head": head, "precision": precision}
    whole, second = (trainer(digits, **options) for _ in range(2))
    first = [p.loss for p in whole.run(4)]
    halfway = {name: np.array(array) for name, array in whole.arrays().items()}
    assert [p.loss for p in second.run(4)] == first
    rest = [p.loss for p in whole.run(9)]
    second.restore(halfway)
    assert second.step == 4
    assert [p.loss for p in second.run(9)] == rest
    ours, theirs = second.arrays(), whole.arrays()
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name])
    rounded = 0  # the weights to use are the float32 masters
    for found, weight in zip(whole.weights(), whole.model.weights, strict=True):
        assert found.dtype == np.float32
        if precision == "bfloat16":
            value = tf.cast(found, weight.value.dtype)
            np.testing.assert_array_equal(value, weight.value)
            rounded += not np.array_equal(found, tf.cast(value, tf.float32))
    assert rounded == (2 if precision == "bfloat16" else 0)  # a kernel and its bias


def test_averages_are_those_of_the_weights(digits):
    run = trainer(digits, recipe="modern", average=0.5)
    expected = run.model.get_weights()
    for progress in run.run(6):
        decay = min(0.5, progress.step / (9 + progress.step))
        expected = [
            decay * average + (1 - decay) * weight
            for average, weight in zip(expected, run.model.get_weights(), strict=True)
        ]
    for average, found in zip(expected, run.weights(), strict=True):
        np.testing.assert_allclose(average, found, atol=1e-6)


def test_begins_with_given_weights(digits):
    run = trainer(digits, recipe="modern", head="dense", precision="bfloat16")
    random = np.random.default_rng(0)
    weights = [random.normal(size=w.shape).astype(np.float32) for w in run.weights()]
    run.restore(run.arrays_from(weights))
    assert run.step == 0
    for found, expected in zip(run.weights(), weights, strict=True):
        np.testing.assert_array_equal(found, expected)
    kernel = run.model.get_layer("hidden").kernel.value
    assert kernel.dtype == tf.bfloat16
    rounded = tf.cast(kernel, tf.float32).numpy()
    assert any(
        w.shape == rounded.shape and np.allclose(w, rounded, 0.01) for w in weights
    )
    with pytest.raises(ValueError, match="not the state of such a network"):
        run.restore({"step": np.array(3)})


def test_divergence_and_wrong_arrays_are_said(digits):
    run = trainer(digits, recipe="modern", learning_rate=1e30)
    with pytest.raises(FloatingPointError, match="--learning_rate than 1e\\+30"):
        list(run.run(60))
    images, labels = digits
    for wrong in ((images / 255, labels), (images, labels + 7), (images[:9], labels)):
        with pytest.raises(ValueError, match="^(images|labels?)"):
            Trainer(run.config, *wrong)


def handles():
    """How many variables TensorFlow holds."""
    gc.collect()
    tensors = (
        o for o in gc.get_objects() if isinstance(o, tf.__internal__.EagerTensor)
    )
    return sum(tensor.dtype == tf.resource for tensor in tensors)


def test_nothing_is_kept_of_a_trainer_that_is_gone(digits):
    before = handles()
    gone = trainer(digits, recipe="modern")
    list(gone.run(2))
    evaluate.Classifier(gone.averaged).probabilities(digits[0], 100)
    assert handles() > before
    del gone
    assert handles() == before
