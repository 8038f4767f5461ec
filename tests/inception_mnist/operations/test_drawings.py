"""What is written on the boxes, and that any module can be drawn."""

import io

import pytest

from inception_mnist.operations import counts, drawings
from inception_mnist.operations.counts import GOOGLENET, MODULES, Inception


def test_the_reduced_module_is_the_post_s_figure_3():
    first, *middle, last = drawings.boxes(GOOGLENET["3a"], "reduced")
    assert (first.maps, last.maps) == (192, 256)
    assert [(box.name, box.maps, box.multiplications) for box in middle] == [
        ("1×1 convolution", 64, 9_633_792),
        ("1×1 reduction", 96, 14_450_688),
        ("3×3 convolution", 128, 86_704_128),
        ("1×1 reduction", 16, 2_408_448),
        ("5×5 convolution", 32, 10_035_200),
        ("3×3 max pooling", 192, 0),
        ("1×1 convolution", 32, 4_816_896),
    ]
    assert [box.reads for box in middle] == [(0,), (0,), (2,), (0,), (4,), (0,), (6,)]
    assert last.reads == (1, 3, 5, 7)


def test_the_naive_module_is_the_post_s_figure_4():
    first, *middle, last = drawings.boxes(GOOGLENET["3a"], "naive")
    assert [box.maps for box in middle] == [64, 128, 32, 192]
    assert all(box.reads == (0,) for box in middle)
    assert (last.maps, last.reads) == (416, (1, 2, 3, 4))


@pytest.mark.parametrize("kind", MODULES)
@pytest.mark.parametrize("name", GOOGLENET)
def test_the_boxes_add_up(name, kind):
    *inner, last = drawings.boxes(GOOGLENET[name], kind)
    assert last.maps == sum(inner[place].maps for place in last.reads)
    total = counts.multiplications(GOOGLENET[name].layers(kind))
    assert sum(box.multiplications for box in inner) == total


@pytest.mark.parametrize("side", [1, 3, 224])
def test_any_size_can_be_drawn(side):
    module = Inception(side, side, 5, *range(1, 7))
    for draw in (drawings.draw_modules, drawings.draw_computation):
        file = io.BytesIO()
        draw(file, module)
        assert file.getvalue().startswith(b"\x89PNG")
