"""Pictures become one stack of one size: from files of every kind and from arrays of every layout."""

import numpy as np
import pytest

from coterie.errors import InputError, MissingExtraError, ResourceError
from coterie.tables import PictureCoding, holds_pictures, read_pictures, thumbnails
from coterie.tables.picture_looks import png
from coterie.tables.picture_stacks import layout_of
from coterie.tables.picture_values import common_size, resized

Image = pytest.importorskip("PIL.Image", reason="picture files need Pillow")


def save(folder, name, pixels, **options):
    Image.fromarray(pixels).save(folder / name, **options)


@pytest.fixture
def half():
    """A grey picture, its left half black and its right half white."""
    pixels = np.zeros((12, 12), dtype=np.uint8)
    pixels[:, 6:] = 255
    return pixels


@pytest.mark.parametrize("ending", ["png", "bmp", "gif", "tif", "webp"])
def test_every_lossless_kind_is_read_alike(tmp_path, half, ending):
    save(tmp_path, f"a.{ending}", half, **({"lossless": True} if ending == "webp" else {}))
    save(tmp_path, "b.png", half)
    found = read_pictures(tmp_path)
    assert found.values.shape == (2, 12, 12)
    assert np.array_equal(found.values[0], half / np.float32(255))
    assert np.array_equal(found.values[0], found.values[1])


def test_a_jpeg_is_read_about_alike(tmp_path, half):
    save(tmp_path, "a.JPEG", half, quality=95)
    assert read_pictures(tmp_path).values[0] == pytest.approx(half / 255, abs=0.1)


def test_sixteen_bits_become_fractions_without_loss(tmp_path):
    pixels = (np.arange(64, dtype=np.uint16) * 1001).reshape(8, 8)
    save(tmp_path, "a.tif", pixels)
    assert read_pictures(tmp_path).values[0] == pytest.approx(pixels / 65535, abs=1e-6)


def test_what_is_transparent_lies_on_white(tmp_path):
    pixels = np.zeros((8, 8, 4), dtype=np.uint8)
    pixels[:, 4:, 3] = 255
    save(tmp_path, "a.png", pixels)
    found = read_pictures(tmp_path).values[0]
    assert (found[:, :4] == 1).all()
    assert (found[:, 4:] == 0).all()


def test_a_picture_that_lies_on_its_side_is_turned(tmp_path):
    pixels = np.zeros((8, 16), dtype=np.uint8)
    pixels[:, 8:] = 255
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.png", exif=exif)
    found = read_pictures(tmp_path)
    assert found.values.shape == (1, 16, 8)
    assert found.sizes.tolist() == [[16, 8]]
    assert found.values[0, 0].max() == 0
    assert found.values[0, -1].min() == 1


def test_one_picture_in_colour_keeps_all_in_colour(tmp_path, half):
    save(tmp_path, "a.png", half)
    save(tmp_path, "b.png", np.stack([half, half, 255 - half], axis=2))
    found = read_pictures(tmp_path)
    assert found.values.shape == (2, 3, 12, 12)
    assert np.array_equal(found.values[0, 0], found.values[0, 2])


def test_only_the_first_frame_is_taken_and_said(tmp_path, half):
    Image.fromarray(half).save(tmp_path / "a.gif", save_all=True, append_images=[Image.fromarray(255 - half)])
    found = read_pictures(tmp_path)
    assert np.array_equal(found.values[0], half / np.float32(255))
    assert any("several frames" in note for note in found.notes)


def test_unequal_sizes_get_their_median_and_say_so(tmp_path):
    for i, (height, width) in enumerate([(10, 20), (12, 20), (14, 22)]):
        save(tmp_path, f"{i}.png", np.full((height, width), 80 * i, dtype=np.uint8))
    found = read_pictures(tmp_path)
    assert found.kind.size == (12, 20)
    assert any("3 sizes, from 10 x 20 to 14 x 22" in note for note in found.notes)
    assert found.values.mean(axis=(1, 2)) == pytest.approx(np.arange(3) * 80 / 255, abs=1e-6)


def test_folders_are_searched_in_order_and_what_is_hidden_is_passed_over(tmp_path, half):
    for name in ("b", "a", ".c"):
        (tmp_path / name).mkdir()
        save(tmp_path / name, "x.png", half)
    save(tmp_path, ".hidden.png", half)
    found = read_pictures(tmp_path)
    assert found.names == ("a/x.png", "b/x.png")
    assert found.known["folder"].tolist() == ["a", "b"]


def test_damaged_files_are_named_with_a_reason(tmp_path, half):
    save(tmp_path, "good.png", half)
    save(tmp_path, "cut.png", np.random.default_rng(0).integers(0, 255, (40, 40), dtype=np.uint8))
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:200])
    (tmp_path / "text.jpg").write_text("not a picture")
    found = read_pictures(tmp_path)
    assert found.names == ("good.png",)
    assert {name for name, _ in found.left_out} == {"cut.png", "text.jpg"}
    assert all(why for _, why in found.left_out)


def test_a_file_that_claims_to_be_larger_than_memory_is_left_out(tmp_path, half):
    save(tmp_path, "good.png", half)
    content = bytearray(png(half))
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    import zlib

    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    (tmp_path / "vast.png").write_bytes(content)
    found = read_pictures(tmp_path)
    assert found.names == ("good.png",)
    assert found.left_out == (("vast.png", "it claims to have more pixels than a picture can"),)


def test_memory_is_refused_before_it_is_taken(tmp_path, half):
    save(tmp_path, "a.png", half)
    with pytest.raises(ResourceError, match=r"needs .* MB, above the limit of 0 MB"):
        read_pictures(tmp_path, memory_limit=1000)
    np.save(tmp_path / "x.npy", np.zeros((100, 8, 8)))
    with pytest.raises(ResourceError, match=r"100 pictures from x\.npy"):
        read_pictures(tmp_path / "x.npy", memory_limit=1000)


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((9, 28, 28), "hw"),
        ((9, 32, 32, 3), "hwc"),
        ((9, 3, 32, 32), "chw"),
        ((9, 1, 28, 28), "chw"),
        ((9, 28, 28, 1), "hwc"),
        ((9, 32, 32, 4), "hwc"),
        ((9, 200, 6), None),
        ((9, 5), None),
        ((9, 2, 2), None),
        ((9, 5, 32, 32), None),
    ],
)
def test_layouts_are_told_by_their_shape(shape, layout, tmp_path):
    assert layout_of(shape) == layout
    np.save(tmp_path / "x.npy", np.zeros(shape))
    assert holds_pictures(tmp_path / "x.npy") == (layout is not None)


def test_every_layout_of_the_same_pictures_is_the_same_stack(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 9, 11, 3), dtype=np.uint8)
    np.save(tmp_path / "last.npy", pixels)
    np.save(tmp_path / "first.npy", np.moveaxis(pixels, 3, 1))
    np.save(tmp_path / "opaque.npy", np.concatenate([pixels, np.full((5, 9, 11, 1), 255, dtype=np.uint8)], axis=3))
    np.save(tmp_path / "fractions.npy", pixels / 255)
    stacks = [read_pictures(tmp_path / f"{name}.npy").values for name in ("last", "first", "opaque", "fractions")]
    assert stacks[0].shape == (5, 3, 9, 11)
    assert all(np.allclose(stack, stacks[0], atol=1e-6) for stack in stacks)


def test_grey_in_three_channels_becomes_one(tmp_path):
    grey = np.random.default_rng(0).random((5, 8, 8))
    np.save(tmp_path / "x.npy", np.repeat(grey[..., None], 3, axis=3))
    assert read_pictures(tmp_path / "x.npy").values.shape == (5, 8, 8)


def test_pickled_objects_are_never_loaded(tmp_path):
    np.savez(tmp_path / "x.npz", X=np.zeros((5, 8, 8)), y=np.array([{}, {}, {}, {}, {}], dtype=object))
    assert read_pictures(tmp_path / "x.npz").known == {}
    np.save(tmp_path / "y.npy", np.full((5, 8, 8), None, dtype=object))
    assert not holds_pictures(tmp_path / "y.npy")
    with pytest.raises(InputError, match="holds no pictures"):
        read_pictures(tmp_path / "y.npy")


def test_shrinking_means_areas_and_growing_keeps_a_plain_picture():
    block = np.arange(16, dtype=float).reshape(1, 4, 4)
    assert resized(block, (2, 2))[0] == pytest.approx(block.reshape(2, 2, 2, 2).mean(axis=(1, 3)))
    assert resized(block, (3, 4)).mean() == pytest.approx(block.mean())
    assert resized(np.full((2, 3, 5, 7), 0.25), (9, 9)) == pytest.approx(0.25)


def test_a_file_and_an_array_of_the_same_pixels_shrink_alike(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (45, 70), dtype=np.uint8)
    save(tmp_path, "a.png", pixels)
    np.save(tmp_path / "a.npy", pixels[None])
    file, array = read_pictures(tmp_path), read_pictures(tmp_path / "a.npy")
    assert file.kind.size == array.kind.size == common_size(np.array([45]), np.array([70]))
    assert np.allclose(file.values, array.values, atol=1e-6)
    assert file.values.mean() == pytest.approx(pixels.mean() / 255, abs=1e-6)


def test_a_large_file_shrinks_to_the_means_of_its_areas(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (640, 640), dtype=np.uint8)
    save(tmp_path, "a.png", pixels)
    means = pixels.reshape(32, 20, 32, 20).mean(axis=(1, 3)) / 255
    assert read_pictures(tmp_path).values[0] == pytest.approx(means, abs=1 / 255)  # bytes at 5 times the size


def test_new_pictures_become_what_the_model_learned_from(tmp_path):
    sixteenths = np.random.default_rng(0).integers(0, 17, (5, 8, 8)).astype(float)
    sixteenths.flat[0] = 16
    np.save(tmp_path / "x.npy", sixteenths)
    coding = PictureCoding(read_pictures(tmp_path / "x.npy").kind)
    dim = sixteenths / 20
    np.save(tmp_path / "dim.npy", dim)
    assert coding.read(tmp_path / "dim.npy").values == pytest.approx(dim / 16)
    plain = PictureCoding(coding.kind.__class__((8, 8), False))
    with pytest.raises(InputError, match="bring these to 0 to 1 first"):
        plain.read(tmp_path / "x.npy")


def test_a_coding_comes_back_from_its_state_and_a_damaged_one_does_not(tmp_path):
    rng = np.random.default_rng(0)
    kind = read_pictures(_stack(tmp_path, rng.random((5, 8, 8)))).kind
    coding = PictureCoding(kind, rng.random(64, dtype=np.float32), rng.random((3, 64), dtype=np.float32))
    described, arrays = coding.state()
    again = PictureCoding.from_state(described, arrays)
    assert again.kind == kind
    assert np.array_equal(again.directions, coding.directions)
    for damaged in (
        {**described, "pictures": [8, 9]},
        {**described, "pictures": [0, 8]},
        {**described, "unit": [1, 1]},
        {},
    ):
        with pytest.raises(InputError, match="damaged"):
            PictureCoding.from_state(damaged, arrays)


def _stack(folder, values):
    np.save(folder / "stack.npy", values)
    return folder / "stack.npy"


def test_thumbnails_keep_proportions_and_come_from_the_array_where_files_have_gone(tmp_path, half):
    save(tmp_path, "a.png", np.random.default_rng(0).integers(0, 255, (200, 100, 3), dtype=np.uint8))
    save(tmp_path, "b.png", half)
    found = read_pictures(tmp_path)
    (tmp_path / "b.png").unlink()
    shown = thumbnails(found, tmp_path, [0, 1])
    assert [_size(shown["0"]), _size(shown["1"])] == [(48, 96), found.kind.size[::-1]]


def _size(uri):
    import base64
    import io

    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).size


def test_without_pillow_the_sentence_says_what_to_install_and_stacks_are_read(tmp_path, half, monkeypatch):
    save(tmp_path, "a.png", half)
    np.save(tmp_path / "a.npy", half[None])
    monkeypatch.setattr("coterie.tables.picture_files.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="pip install pillow"):
        read_pictures(tmp_path)
    assert read_pictures(tmp_path / "a.npy").n_rows == 1
