"""Figures of a network, worked by hand."""

import keras
import numpy as np
import pytest

from inception_mnist import batches, evaluate
from inception_mnist.config import Config
from inception_mnist.model import build_model


def rows(*answers):
    """A row of probabilities for each (digit, its probability)."""
    found = np.zeros((len(answers), 10))
    for row, (digit, share) in zip(found, answers, strict=True):
        row[:] = (1 - share) / 9
        row[digit] = share
    return found


def test_figures_by_hand():
    labels = np.array([3, 1, 4, 1, 5])
    found = rows((3, 0.9), (1, 0.5), (9, 0.6), (7, 0.8), (5, 1.0))
    assert evaluate.accuracy(labels, found) == 0.6
    expected = -np.log([0.9, 0.5, 0.4 / 9, 0.2 / 9, 1.0]).mean()
    np.testing.assert_allclose(evaluate.cross_entropy(labels, found), expected)
    counts = evaluate.confusion(labels, found)
    assert counts.sum() == 5 and np.trace(counts) == 3
    assert counts[4, 9] == counts[1, 7] == counts[1, 1] == 1
    worst = evaluate.worst_mistakes(labels, found, 5)
    np.testing.assert_array_equal(worst, [3, 2])
    np.testing.assert_array_equal(evaluate.worst_mistakes(labels, found, 1), [3])


def test_no_probability_is_no_infinity():
    found = rows((2, 1.0))
    assert np.isfinite(evaluate.cross_entropy(np.array([3]), found))


def test_probabilities_do_not_depend_on_the_batch(images):
    config = Config(head="gap", map1=2, map2=2, hidden=5)
    model = evaluate.trained_model(config, build_model(config).get_weights())
    classifier = evaluate.Classifier(model)
    whole = classifier.probabilities(images, 6)
    np.testing.assert_allclose(whole.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(classifier.probabilities(images, 4), whole, 1e-4)
    logits = model(images[..., np.newaxis].astype(np.float32))
    np.testing.assert_allclose(whole, keras.ops.softmax(logits), rtol=1e-4)


def test_views_are_changed_as_in_training_and_repeat(images):
    config = Config(head="gap", map1=2, map2=2, hidden=5)
    model = evaluate.trained_model(config, build_model(config).get_weights())
    classifier = evaluate.Classifier(model)
    first, second = (classifier.probabilities(images, 4, view) for view in (1, 2))
    assert not np.allclose(first, classifier.probabilities(images, 4), rtol=1e-3)
    assert not np.allclose(first, second, rtol=1e-3)
    np.testing.assert_array_equal(first, classifier.probabilities(images, 4, view=1))
    pixels = images[4:, ..., np.newaxis].astype(np.float32)
    changed = batches.augment(pixels, np.array([1, 1]))  # view 1, batch 1
    logits = model(changed)
    np.testing.assert_allclose(first[4:], keras.ops.softmax(logits), rtol=1e-4)


def test_feature_maps_are_the_modules_outputs(images):
    config = Config(head="gap", map1=2, map2=3, hidden=5, module="naive", pool=2)
    model = evaluate.trained_model(config, build_model(config).get_weights())
    found = dict(evaluate.feature_maps(model, images[0]))
    assert list(found) == ["inception1", "inception2"]
    assert [maps.shape for maps in found["inception1"]] == [
        (28, 28, count) for count in (2, 2, 2, 1)
    ]
    assert [maps.shape for maps in found["inception2"]] == [
        (14, 14, count) for count in (3, 3, 3, 7)
    ]
    pixels = images[:1, ..., np.newaxis].astype(np.float32)
    joined = model.get_layer("inception1")(pixels)[0]
    np.testing.assert_allclose(np.concatenate(found["inception1"], -1), joined)


@pytest.mark.parametrize(
    ("labels", "found", "wanted"),
    [
        (
            [3, 1],
            rows((3, 0.9)),
            r"labels: int64 \[2\]: must be integers, one for each",
        ),
        ([3.0], rows((3, 0.9)), "labels: float64"),
        ([10], rows((3, 0.9)), "label 10: not from 0 to 9"),
        ([-1], rows((3, 0.9)), "label -1: not from 0 to 9"),
        ([], rows(), "N at least 1"),
        ([3], rows((3, 0.9))[0], r"probabilities: \[10\]: must be \[N, K\]"),
    ],
)
def test_answers_that_do_not_fit_are_one_line(labels, found, wanted):
    for figure in evaluate.accuracy, evaluate.cross_entropy, evaluate.confusion:
        with pytest.raises(ValueError, match=wanted):
            figure(np.array(labels), found)


def test_images_that_are_none_are_one_line(images):
    config = Config(head="gap", map1=2, map2=2, hidden=5)
    classifier = evaluate.Classifier(build_model(config))
    for wrong in (images / 255, images[:, 1:], images[:0], images[..., np.newaxis]):
        with pytest.raises(ValueError, match="images: .*must be uint8"):
            classifier.probabilities(wrong)
    with pytest.raises(ValueError, match="batch=0"):
        classifier.probabilities(images, 0)
    with pytest.raises(ValueError, match="images: .*must be"):
        batches.augment(images[:2].astype(np.float32), np.array([0, 1]))
    with pytest.raises(ValueError):
        evaluate.trained_model(config, build_model(config).get_weights()[1:])
