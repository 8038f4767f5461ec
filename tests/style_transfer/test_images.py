"""Every kind of picture file, good and bad."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from style_transfer import images

SIDE = 40


def save(tmp_path, picture, name="picture.png", **options):
    path = tmp_path / name
    picture.save(path, **options)
    return str(path)


def solid(mode, color):
    return Image.new(mode, (SIDE, SIDE), color)


@pytest.mark.parametrize(
    ("picture", "name", "expected"),
    [
        (solid("RGB", (10, 20, 30)), "rgb.png", (10, 20, 30)),
        (solid("L", 77), "grey.png", (77, 77, 77)),
        (solid("1", 1), "bit.png", (255, 255, 255)),
        (solid("RGB", (200, 40, 0)).quantize(4), "palette.png", (200, 40, 0)),
        (solid("RGBA", (0, 0, 255, 0)), "clear.png", (255, 255, 255)),
        (solid("RGBA", (0, 0, 255, 128)), "half.png", (127, 127, 255)),
        (solid("LA", (0, 0)), "grey_alpha.png", (255, 255, 255)),
        (solid("I;16", 0x8080), "deep.png", (128, 128, 128)),
        (solid("F", 0.5), "unit_float.tiff", (128, 128, 128)),
        (solid("F", 100.0), "float.tiff", (100, 100, 100)),
        (solid("CMYK", (255, 0, 0, 0)), "cmyk.tiff", (0, 255, 255)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_mode_becomes_rgb(tmp_path, picture, name, expected):
    image = images.load_image(save(tmp_path, picture, name))
    assert image.shape == (SIDE, SIDE, 3)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image[5, 5], expected, atol=1)


def test_transparent_palette_lies_on_white(tmp_path):
    path = save(tmp_path, solid("P", 0), "clear.gif", transparency=0)
    np.testing.assert_array_equal(images.load_image(path), 255)


def test_exif_rotation_is_undone(tmp_path):
    picture = Image.new("RGB", (60, 40), "black")
    picture.paste("white", (0, 0, 60, 20))  # white above, and then stored on its side
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see
    image = images.load_image(save(tmp_path, picture, "turned.jpg", exif=exif))
    assert image.shape == (60, 40, 3)
    assert image[30, 35].min() > 250 and image[30, 5].max() < 5


def test_icc_profile_is_followed(tmp_path):
    lab = ImageCms.createProfile("LAB")
    profile = ImageCms.ImageCmsProfile(lab).tobytes()
    grey = solid("LAB", (255, 128, 128))
    image = images.load_image(save(tmp_path, grey, "lab.tiff", icc_profile=profile))
    np.testing.assert_allclose(image[5, 5], 255, atol=3)


def test_a_damaged_icc_profile_does_not_matter(tmp_path):
    path = save(tmp_path, solid("RGB", (10, 20, 30)), icc_profile=b"nothing of use")
    np.testing.assert_array_equal(images.load_image(path)[0, 0], (10, 20, 30))


def test_animation_gives_its_first_frame(tmp_path):
    path = save(
        tmp_path,
        solid("RGB", (255, 0, 0)),
        "moving.gif",
        save_all=True,
        append_images=[solid("RGB", (0, 0, 255))],
    )
    np.testing.assert_allclose(images.load_image(path)[0, 0], (255, 0, 0), atol=1)


def test_size_is_the_longest_side(tmp_path):
    path = save(tmp_path, Image.new("RGB", (200, 100)))
    assert images.load_image(path, size=80).shape == (40, 80, 3)
    assert images.load_image(path, size=400).shape == (200, 400, 3)


def png_header(width, height):
    """The beginning of a PNG that claims a size and holds no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", len(header))
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", 0)
        + b"IDAT"
        + struct.pack(">I", zlib.crc32(b"IDAT"))
    )


def test_aspect_crops_around_the_middle(tmp_path):
    picture = Image.new("RGB", (120, 60), "black")
    picture.paste("white", (30, 0, 90, 60))
    path = save(tmp_path, picture)
    for size, expected in ((0, 60), (48, 48)):
        image = images.load_image(path, size, aspect=1.0)
        assert image.shape == (expected, expected, 3)
        np.testing.assert_array_equal(image, 255)
        mask = images.load_mask(path, 48, 48, aspect=1.0)
        np.testing.assert_array_equal(mask, 1)
    wide = images.load_image(path, 96, aspect=3.0)
    assert wide.shape == (32, 96, 3) and wide.min() == 0


def test_bad_files_are_named(tmp_path):
    whole = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(whole, "PNG")
    files = {
        "empty.png": (b"", OSError, "is empty or no picture"),
        "text.jpg": (b"once upon a time", OSError, "is empty or no picture"),
        "short.png": (whole.getvalue()[:5000], OSError, "cannot be read"),
        "bomb.png": (png_header(60_000, 60_000), ValueError, "over 178000000 pixels"),
        "large.png": (png_header(13_360, 13_360), ValueError, "over 178000000 pixels"),
    }
    for name, (data, kind, message) in files.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(kind, match=f"{name}: .*{message}"):
            images.load_image(str(tmp_path / name))


def test_missing_file_and_directory_are_told_apart(tmp_path):
    with pytest.raises(OSError, match=r"none\.png: no such file"):
        images.load_image(str(tmp_path / "none.png"))
    with pytest.raises(OSError, match="is a directory"):
        images.load_image(str(tmp_path))


def test_too_small_says_how_small(tmp_path):
    path = save(tmp_path, Image.new("RGB", (200, 50)))
    assert images.load_image(path).shape == (50, 200, 3)
    with pytest.raises(ValueError, match="100x25 pixels at this size.*needs 32"):
        images.load_image(path, size=100)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "A.PNG"])
def test_saves_what_it_loads(tmp_path, name):
    image = np.full((SIDE, SIDE, 3), (-5.0, 99.6, 300.0), np.float32)
    path = str(tmp_path / name)
    images.check_writable(path)
    images.save_image(path, image)
    np.testing.assert_allclose(images.load_image(path)[0, 0], (0, 100, 255), atol=3)


def test_animation_holds_every_frame(tmp_path):
    path = str(tmp_path / "run.gif")
    frames = [np.full((50, 900, 3), value, np.float32) for value in (0, 90, 250)]
    images.save_animation(path, frames)
    with Image.open(path) as file:
        assert (file.n_frames, file.width) == (3, 480)


def test_unwritable_outputs_are_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"no picture format '\.txt'"):
        images.check_writable(str(tmp_path / "a.txt"))
    with pytest.raises(OSError, match="is a directory"):
        (tmp_path / "folder.png").mkdir()
        images.check_writable(str(tmp_path / "folder.png"))
    with pytest.raises(OSError, match="file"):
        images.check_writable(str(tmp_path / "file" / "a.png"))


@pytest.mark.parametrize("name", ["a.xbm", "a.blp", "a.emf", "a.h5", "a.ico", "a.txt"])
def test_formats_that_cannot_hold_the_picture_are_refused_before_the_work(
    tmp_path, name
):
    with pytest.raises(ValueError, match="no picture format .* end it in .png"):
        images.check_writable(str(tmp_path / name))


def test_opacity_is_read_and_kept(tmp_path):
    picture = solid("RGBA", (0, 0, 255, 255))
    picture.putalpha(Image.linear_gradient("L").resize((SIDE, SIDE)))
    path = save(tmp_path, picture, "soft.png")
    opacity = images.load_opacity(path)
    assert opacity.shape == (SIDE, SIDE) and opacity[0, 0] < 10 < 245 < opacity[-1, 0]
    assert images.load_opacity(save(tmp_path, solid("RGB", 0), "whole.png")) is None
    for name in ("a.png", "a.webp", "a.jpg"):
        images.save_image(
            str(tmp_path / name), np.zeros((SIDE, SIDE, 3)), opacity=opacity
        )
    with Image.open(tmp_path / "a.png") as file:
        np.testing.assert_array_equal(np.asarray(file)[..., 3], opacity)
    assert images.load_opacity(str(tmp_path / "a.webp")) is not None
    assert images.load_opacity(str(tmp_path / "a.jpg")) is None


def test_heic_is_said_by_name(tmp_path):
    path = tmp_path / "phone.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(OSError, match="phone.heic: HEIC is not read: save it as JPEG"):
        images.load_image(str(path))


def test_a_mask_may_be_small(tmp_path):
    mask = Image.new("L", (4, 2), 0)
    mask.paste(255, (0, 0, 2, 2))
    found = images.load_mask(save(tmp_path, mask, "mask.png"), 32, 64)
    assert found.shape == (32, 64)
    assert found[:, :16].min() > 0.9 and found[:, -16:].max() < 0.1
    with pytest.raises(ValueError, match=r"black\.png: no part of it is white"):
        images.load_mask(save(tmp_path, solid("L", 0), "black.png"), 32, 32)
