"""Any picture of a digit comes to the geometry of MNIST; what is none is refused."""

import itertools
import os

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage
from sklearn.datasets import load_digits

from inception_mnist import data, pictures

SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)]  # of the picture's sides


def draw(size=200, paper=255, ink=0, width=0.08, mode="L", line=SEVEN):
    """A seven of one pen stroke, drawn large and scaled down for soft edges."""
    large = 4 * size
    picture = Image.new(mode, (large, large), paper)
    points = [(x * large, y * large) for x, y in line]
    pen = round(width * large)
    ImageDraw.Draw(picture).line(points, ink, pen, "curve")
    return picture.resize((size, size), Image.Resampling.BOX)


@pytest.fixture
def load(tmp_path):
    def load(picture, name="picture.png", **settings):
        picture.save(tmp_path / name, **settings)
        return pictures.read_picture(str(tmp_path / name))[0]

    return load


def alike(first, second):
    """Correlation of two pictures, the best of shifts by a pixel."""
    shifts = itertools.product((-1, 0, 1), repeat=2)
    moved = [np.roll(first, shift, (0, 1)).ravel() for shift in shifts]
    return np.corrcoef([second.ravel(), *moved])[0, 1:].max()


def assert_like_mnist(image):
    assert image.shape == (28, 28) and image.dtype == np.uint8
    assert image.max() == 255
    rows, columns = np.nonzero(image)
    sides = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert 19 <= max(sides) <= 20
    np.testing.assert_allclose(ndimage.center_of_mass(image), 14, atol=0.51)


VARIANTS = {
    "light on dark": draw(paper=0, ink=255),
    "grey on grey": draw(paper=140, ink=90),
    "small": draw(size=40),
    "huge": draw(size=1500),
    "tiny": draw(size=24),
    "colours": draw(paper=(250, 240, 200), ink=(30, 30, 160), mode="RGB"),
    "transparent": draw(paper=(0, 0, 0, 0), ink=(0, 0, 0, 255), mode="RGBA"),
    "palette": draw().convert("P"),
    "grey and alpha": draw().convert("LA"),
    "two levels": draw().convert("1"),
    "16 bits": Image.fromarray(np.asarray(draw()).astype(np.uint16) * 257),
    "floats": Image.fromarray(np.asarray(draw()) / np.float32(255)),
    "thin": draw(width=0.02, size=400),
    "wide": Image.new("L", (700, 300), 255),
}
VARIANTS["wide"].paste(draw(250), (30, 20))


@pytest.mark.parametrize("name", VARIANTS)
def test_however_it_is_drawn_it_comes_out_the_same(load, name):
    suffix = "tif" if name == "floats" else "png"
    image = load(VARIANTS[name], f"picture.{suffix}")
    assert_like_mnist(image)
    assert alike(image, load(draw())) > (0.85 if name == "thin" else 0.92)


def photo(picture, noise, light, seed=0):
    """The picture under light that falls from one side, with a grain."""
    values = np.asarray(picture, np.float64)
    height, width = values.shape
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    lit = values * (1 - light * (0.7 * x + 0.3 * y * y))
    grain = np.random.default_rng(seed).normal(0, noise, values.shape)
    return Image.fromarray((lit + grain).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("noise", [3, 15])
@pytest.mark.parametrize("light", [0.0, 0.5])
@pytest.mark.parametrize("ink", [20, 120])
def test_photo_with_grain_and_uneven_light(load, noise, light, ink):
    taken = photo(draw(600, paper=230, ink=ink, width=0.05), noise, light)
    image = load(taken.convert("RGB"), "photo.jpg", quality=80)
    assert_like_mnist(image)
    assert alike(image, load(draw(600, width=0.05))) > 0.9


def test_specks_are_left_out_and_parts_of_the_digit_are_not(load):
    drawn = draw(300)
    pen = ImageDraw.Draw(drawn)
    pen.line([(120, 180), (200, 180)], 0, 20)  # a bar, with a gap to the stroke
    pen.rectangle([140, 150, 180, 160], 255)
    barred = load(drawn)
    pen.rectangle([10, 280, 14, 284], 0)
    assert_like_mnist(barred)
    np.testing.assert_array_equal(load(drawn), barred)


def test_two_digits_are_warned_of_and_parts_of_one_are_not(tmp_path):
    path = str(tmp_path / "picture.png")
    one, wide, high = draw(200), Image.new("L", (420, 220)), Image.new("L", (220, 420))
    for paper, place in ((wide, (210, 10)), (high, (10, 210))):
        paper.paste(255, (0, 0, *paper.size))
        paper.paste(one, (10, 10))
        paper.paste(one, place)
        paper.save(path)
        assert "two digits" in pictures.read_picture(path)[1]
    pen = ImageDraw.Draw(one)
    pen.line([(90, 180), (150, 180)], 0, 14)  # below the stroke
    one.save(path)
    assert pictures.read_picture(path)[1] == ""


def test_any_picture_of_mnists_size_can_be_taken_as_it_is(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
    path = str(tmp_path / "picture.png")
    Image.fromarray(values).save(path)
    found, warning = pictures.read_picture(path, as_it_is=True)
    np.testing.assert_array_equal(found, values)
    assert warning == ""


def test_upright_by_exif(load):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    lying = draw().transpose(Image.Transpose.ROTATE_90)
    image = load(lying, "turned.jpg", exif=exif, quality=95)
    assert alike(image, load(draw())) > 0.95
    assert alike(load(lying), load(draw())) < 0.8


def test_mnist_itself_is_returned_as_it_is(load):
    random = np.random.default_rng(0)
    image = np.zeros((28, 28), np.uint8)
    image[1:-1, 1:-1] = random.integers(0, 256, (26, 26))
    for mode in "L", "RGB":
        np.testing.assert_array_equal(load(Image.fromarray(image).convert(mode)), image)
    drawn = load(draw())
    for other in drawn.astype(np.uint16) * 257, drawn / np.float32(255):
        assert alike(load(Image.fromarray(other), "other.tif"), drawn) > 0.95
    for near in data.load("digits", None, None).train_images[:5]:
        assert not near[0].any()
        np.testing.assert_array_equal(load(Image.fromarray(near)), near)


def test_dark_on_light_of_mnists_size_comes_back_nearly_unchanged(load):
    image = load(draw())
    back = load(Image.fromarray(255 - image))
    assert np.abs(back.astype(int) - image).mean() < 2


def test_real_digits_keep_their_shape(load):
    for values in load_digits().images[:20]:
        small = Image.fromarray(np.uint8(values * 15.9))
        paper = Image.new("L", (400, 400))
        paper.paste(small.resize((240, 240), Image.Resampling.BICUBIC), (100, 60))
        image = load(paper)
        assert_like_mnist(image)
        rows, columns = np.nonzero(image)
        inside = Image.fromarray(image).crop(
            (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        )
        held = np.nonzero(values > 3)
        box = held[1].min(), held[0].min(), held[1].max() + 1, held[0].max() + 1
        wanted = small.crop(box).resize(inside.size, Image.Resampling.BICUBIC)
        assert alike(np.asarray(inside), np.asarray(wanted)) > 0.75


@pytest.mark.parametrize("line", [[(0.5, 0.2), (0.5, 0.8)], [(0.2, 0.5), (0.8, 0.5)]])
def test_the_thinnest_shapes_keep_a_stroke(load, line):
    image = load(draw(800, width=0.003, line=line))
    assert_like_mnist(image)
    assert (image > 127).any(axis=0).sum() >= 2 <= (image > 127).any(axis=1).sum()


def test_otsu_parts_two_heaps():
    random = np.random.default_rng(0)
    values = np.concatenate([random.normal(10, 2, 900), random.normal(50, 5, 100)])
    assert 14 < pictures.otsu(values) < 35
    grid = np.linspace(values.min(), values.max(), 257)[1:-1]  # by its definition
    within = [
        sum(
            part.var() * part.size for part in (values[values < t], values[values >= t])
        )
        for t in grid
    ]
    found = pictures.otsu(values)
    parts = values[values < found], values[values >= found]
    assert sum(part.var() * part.size for part in parts) < 1.01 * min(within)


@pytest.mark.parametrize(
    "blank",
    {
        "white": Image.new("L", (100, 100), 255),
        "black": Image.new("L", (28, 28), 0),
        "one pixel": Image.new("L", (1, 1), 255),
        "transparent": Image.new("RGBA", (50, 50), (0, 0, 0, 0)),
        "16 bits": Image.new("I;16", (50, 50), 40_000),
        "grain": photo(Image.new("L", (300, 300), 200), 10, 0.0),
        "light": photo(Image.new("L", (300, 300), 200), 3, 0.6),
        "small grain": photo(Image.new("L", (28, 28), 200), 5, 0.3),
    }.items(),
    ids=lambda blank: blank[0],
)
def test_nothing_drawn_is_an_error(load, blank):
    with pytest.raises(ValueError, match=r"picture\.png: no digit found: it must be"):
        load(blank[1])


def test_files_that_are_no_pictures(tmp_path, monkeypatch):
    path = tmp_path / "picture.png"
    with pytest.raises(OSError, match=r"picture\.png: no such file"):
        pictures.read_picture(str(path))
    with pytest.raises(OSError, match=f"{tmp_path}: is a directory"):
        pictures.read_picture(str(tmp_path))
    unknown = "is empty or no picture that is known"
    for content in b"", b"7,0,0\n", os.urandom(100):
        path.write_bytes(content)
        with pytest.raises(OSError, match=rf"picture\.png: {unknown}"):
            pictures.read_picture(str(path))
    for suffix in "png", "jpg", "gif", "bmp", "tif", "webp":
        draw().save(path, {"jpg": "jpeg", "tif": "tiff"}.get(suffix, suffix))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(OSError, match=rf"picture\.png: (cannot be read|{unknown})"):
            pictures.read_picture(str(path))
    draw().save(path)
    for most in 30_000, 10_000:  # Pillow warns of the first, refuses the second
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
        monkeypatch.setattr(pictures, "MOST_PIXELS", most)
        with pytest.raises(ValueError, match=rf"picture\.png: has over {most} pixels"):
            pictures.read_picture(str(path))
