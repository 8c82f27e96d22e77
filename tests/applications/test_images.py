"""ImageSegmenter: regions that hang together, trees that are ultrametric, pictures of every kind, and photographs beside people."""

import warnings

import numpy as np
import pytest
from scipy.io import loadmat
from scipy.ndimage import label as pieces_of

from coterie import ImageSegmenter
from coterie.errors import InputError, ResourceError
from coterie.metrics import segmentation_scores
from coterie.primitives.engine import get_num_threads, set_num_threads
from coterie.tables.picture_whole import read_picture


def flag():
    """Three stripes, 36 x 60, with a little noise."""
    picture = np.zeros((36, 60, 3), np.uint8)
    picture[:, :20], picture[:, 20:40], picture[:, 40:] = (0, 40, 140), (240, 240, 240), (200, 20, 40)
    return np.clip(picture + np.random.default_rng(0).integers(-6, 7, picture.shape), 0, 255).astype(np.uint8)


STRIPES = np.repeat([0, 1, 2], 20)[None].repeat(36, axis=0)


def agreement(labels):
    return segmentation_scores(STRIPES, labels).covering


@pytest.fixture(scope="module", params=["merge", "divide"])
def fitted(request):
    picture = np.random.default_rng(5).random((60, 70, 3)).astype(np.float32)
    picture[10:40, 20:50] *= 0.4
    return ImageSegmenter(request.param).fit(picture)


@pytest.mark.parametrize("mode", ["merge", "divide"])
def test_three_stripes_are_three_regions(mode):
    model = ImageSegmenter(mode).fit(flag())
    assert model.n_regions_ == 3
    assert agreement(model.labels_) == 1.0


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.astype(np.uint16) * 257,
        lambda x: (x / 255).astype(np.float32),
        lambda x: np.moveaxis(x, 2, 0),
        lambda x: x[:, :, 0],
        lambda x: x[:, :, :1].astype(np.float64) * 7 - 300,
        lambda x: np.concatenate([x, 255 - x], axis=2),
        lambda x: np.concatenate([x, 255 - x, x], axis=2),
        lambda x: x[:, :, 0] > 120,
    ],
    ids=["two bytes", "fractions", "bands first", "grey", "any unit", "six bands", "nine bands", "truth values"],
)
def test_any_kind_of_values_gives_the_same_regions(change):
    found = ImageSegmenter().fit(change(flag()))
    expected = 1.0 if found.n_regions_ == 3 else 2 / 3  # what has one band of truth values has two regions
    assert agreement(found.labels_) >= expected - 1e-9
    assert found.n_regions_ == (2 if change(flag()).dtype == bool else 3)


def test_heights_never_fall(fitted):
    assert (np.diff(fitted.tree_[:, 2]) >= 0).all()
    assert len(fitted.tree_) == fitted.superpixels_.max()


@pytest.mark.parametrize("k", [1, 2, 7, 30])
def test_a_cut_has_so_many_regions_that_hang_together(fitted, k):
    labels = fitted.cut(k)
    assert np.array_equal(np.unique(labels), np.arange(k))
    assert all(pieces_of(labels == region)[1] == 1 for region in range(k))
    assert (np.diff(np.bincount(labels.ravel())) <= 0).all()


def test_cuts_are_nested(fitted):
    coarse, fine = fitted.cut(4), fitted.cut(11)
    assert len(np.unique(fine * 100 + coarse)) == 11


def test_the_border_between_two_regions_is_as_strong_as_the_cut_that_parts_them(fitted):
    height = fitted.tree_[-4, 2]
    labels = fitted.cut(height=height)
    across = labels[:, 1:] != labels[:, :-1]
    rounded = np.float32(height)  # as the picture of strengths is
    assert (fitted.ucm_[:, :-1][across] > rounded).all()
    inner = np.ones(labels.shape, bool)
    inner[:, :-1] &= ~across
    inner[:-1] &= labels[1:] == labels[:-1]
    assert (fitted.ucm_[inner] <= rounded).all()


def test_the_same_bits_on_any_number_of_threads():
    before = get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            set_num_threads(threads)
            found.append(ImageSegmenter().fit(flag()))
    finally:
        set_num_threads(before)
    assert np.array_equal(found[0].labels_, found[1].labels_)
    assert np.array_equal(found[0].tree_, found[1].tree_)


def test_a_large_picture_is_looked_at_smaller_and_drawn_at_its_size():
    picture = flag().repeat(5, axis=0).repeat(5, axis=1)
    model = ImageSegmenter(max_pixels=4000).fit(picture)
    assert model.labels_.shape == (180, 300)
    assert segmentation_scores(STRIPES.repeat(5, axis=0).repeat(5, axis=1), model.labels_).covering > 0.99


@pytest.mark.parametrize("mode", ["merge", "divide"])
@pytest.mark.parametrize("least", [300, 0.15])
def test_no_region_of_any_cut_is_smaller_than_asked(mode, least):
    picture = np.random.default_rng(1).integers(0, 256, (80, 90, 3), dtype=np.uint8)
    model = ImageSegmenter(mode, min_area=least).fit(picture)
    assert model.most_regions_ > 2
    for labels in (model.labels_, *(model.cut(k) for k in range(1, model.most_regions_ + 1)), model.cut(height=0.0)):
        assert np.bincount(labels.ravel()).min() >= (300 if least == 300 else 1080)
        assert all(pieces_of(labels == region)[1] == 1 for region in range(labels.max() + 1))
    with pytest.warns(UserWarning, match="are large enough, and not 60; lower min_area"):
        assert len(np.unique(model.cut(60))) == model.most_regions_


@pytest.mark.parametrize("mode", ["merge", "divide"])
def test_a_small_region_joins_another_whole_and_moves_no_border(mode):
    picture = np.zeros((60, 90, 3), np.uint8)
    picture[40:, :] = picture[:, 60:] = 200, 0, 0
    picture[10:30, 30:50] = 0, 200, 0
    assert np.bincount(ImageSegmenter(mode).fit(picture).labels_.ravel()).tolist() == [3000, 2000, 400]
    assert np.bincount(ImageSegmenter(mode, min_area=500).fit(picture).labels_.ravel()).tolist() == [3000, 2400]


def test_the_same_picture_in_another_depth_has_the_same_regions():
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    picture[:20] //= 2
    picture[0, 0] = 255
    model = ImageSegmenter(n_regions=4).fit(picture)
    found = model.predict(picture)
    assert np.array_equal(model.predict(picture.astype(np.uint16) * 257), found)
    assert np.array_equal(model.predict(picture / 255), found)
    with pytest.raises(InputError, match="values below 0, which are no colours"):
        model.predict(picture - 9.0)


def test_one_colour_is_one_region_and_said():
    with pytest.warns(UserWarning, match="one colour only"):
        model = ImageSegmenter(n_regions=5).fit(np.full((30, 40, 3), 7, np.uint8))
    assert model.n_regions_ == 1


def test_a_mask_that_parts_the_picture_gives_at_least_so_many_regions():
    mask = np.ones((36, 60), bool)
    mask[:, 30] = False
    with pytest.warns(UserWarning, match="2 regions and not 1"):
        model = ImageSegmenter(n_regions=1).fit(flag(), mask=mask)
    assert (model.labels_[:, 30] == -1).all()
    assert model.n_regions_ == 2


def test_given_features_part_what_colour_does_not():
    picture = np.random.default_rng(2).integers(100, 130, (40, 60, 3), dtype=np.uint8)
    features = np.zeros((10, 15, 2))
    features[:, 7:] = 1.0
    labels = ImageSegmenter(n_regions=2, features_weight=0.2).fit(picture, features=features).labels_
    truth = (np.arange(60) >= 28).astype(int)[None].repeat(40, axis=0)
    assert segmentation_scores(truth, labels).covering > 0.85
    assert segmentation_scores(truth, ImageSegmenter(n_regions=2).fit(picture).labels_).covering < 0.85


def test_a_transformer_is_given_a_patch_of_each_superpixel():
    class Means:
        def fit_transform(self, patches):
            self.shape = patches.shape
            return patches.mean(axis=(2, 3))

    means = Means()
    model = ImageSegmenter().fit(flag(), features=means)
    assert means.shape == (model.superpixels_.max() + 1, 3, 32, 32)


def test_regions_are_found_in_a_picture_that_moved():
    model = ImageSegmenter().fit(flag())
    moved = np.roll(flag(), 12, axis=1)
    assert np.array_equal(model.predict(moved), np.roll(model.labels_, 12, axis=1))
    mask = np.ones((36, 60), bool)
    mask[:5] = False
    assert (model.predict(moved, mask=mask)[:5] == -1).all()


BAD = {
    "one pixel": (np.zeros((1, 1), np.uint8), {}, {}, "1 x 1 pixels"),
    "words": (np.array([["a", "b"]]), {}, {}, "holds numbers"),
    "four axes": (np.zeros((2, 3, 4, 5)), {}, {}, r"has shape \(2, 3, 4, 5\)"),
    "many bands": (np.zeros((80, 80, 80)), {}, {}, "80 bands"),
    "not numbers": (np.full((9, 9), np.nan), {}, {}, "NaN or infinity in 81 of 81 pixels"),
    "more regions than pixels": (np.zeros((5, 6), np.uint8), {"n_regions": 31}, {}, "30 pixels and so at most"),
    "more regions than superpixels": (flag(), {"n_regions": 900}, {}, "superpixels and so has at most"),
    "larger than the picture": (flag(), {"min_area": 1e6}, {}, "at most its 2,160 pixels"),
    "mask of another size": (flag(), {}, {"mask": np.ones((3, 3))}, r"36 x 60 pixels \(height x width\)"),
    "nothing left": (flag(), {}, {"mask": np.zeros((36, 60))}, "all are masked"),
    "features of words": (flag(), {}, {"features": np.array([["a"]])}, "features must be numbers"),
}


@pytest.mark.parametrize(("picture", "parameters", "given", "message"), BAD.values(), ids=BAD)
def test_what_cannot_be_used_is_said_in_one_sentence(picture, parameters, given, message):
    with pytest.raises(InputError, match=message):
        ImageSegmenter(**parameters).fit(picture, **given)


def test_files_are_read_as_they_are_meant(tmp_path):
    image = pytest.importorskip("PIL.Image")
    picture = flag()
    lying = image.fromarray(picture.transpose(1, 0, 2)[:, ::-1])  # turned by a quarter; EXIF 8 turns it back
    exif = image.Exif()
    exif[0x0112] = 8
    lying.save(tmp_path / "lying.png", exif=exif)
    clear = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    clear[:, :10, 3] = 0
    image.fromarray(clear).save(tmp_path / "clear.png")
    image.fromarray(picture[:, :, 0].astype(np.uint16) * 100).save(tmp_path / "deep.png")
    assert np.array_equal(read_picture(tmp_path / "lying.png").values, picture)
    found = read_picture(tmp_path / "clear.png")
    assert not found.inside[:, :10].any()
    assert found.inside[:, 10:].all()
    assert np.array_equal(read_picture(tmp_path / "deep.png").values[:, :, 0], picture[:, :, 0].astype(np.uint16) * 100)


def test_bad_files_are_refused(tmp_path):
    image = pytest.importorskip("PIL.Image")
    whole = tmp_path / "whole.png"
    image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)).save(whole)
    cases = {"empty.png": b"", "text.png": b"not a picture at all", "cut.png": whole.read_bytes()[:30_000]}
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            read_picture(tmp_path / name)
    pages = [image.fromarray(flag()) for _ in range(3)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(InputError, match="holds 3 pages"):
        read_picture(tmp_path / "pages.tif")
    bomb = bytearray(whole.read_bytes())
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    import zlib

    bomb[29:33] = zlib.crc32(bytes(bomb[12:29])).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(bytes(bomb))
    with pytest.raises(
        InputError, match=r"bomb.png claims to have more pixels than a picture can, and at most 150,000,000"
    ):
        read_picture(tmp_path / "bomb.png")
    with pytest.raises(ResourceError, match="above the limit"):
        read_picture(whole, memory_limit=1000)


@pytest.mark.parametrize("mode", ["merge", "divide"])
def test_photographs_are_divided_about_as_people_do(shared_data, mode):
    pytest.importorskip("PIL")
    folder = shared_data / "images" / "bsds500"
    scores = []
    for name in ("12074", "35058", "310007"):
        kept = loadmat(folder / f"{name}.mat")["groundTruth"]
        people = [kept[0, i]["Segmentation"][0, 0].astype(int) for i in range(kept.shape[1])]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = ImageSegmenter(mode).fit(folder / f"{name}.jpg")
        scores.append(segmentation_scores(people, model.labels_))
    covering, rand, information = np.mean(scores, axis=0)
    assert covering > 0.60  # scikit-image's felzenszwalb at scale 300: 0.55 on these three
    assert rand > 0.75
    assert information < 1.9


def scattered():
    """A picture of patches, 100 x 120, and a mask: its lower part, and above that single pixels here and there."""
    rng = np.random.default_rng(3)
    picture = rng.integers(0, 256, (10, 12, 3)).repeat(10, axis=0).repeat(10, axis=1).astype(np.uint8)
    mask = rng.random((100, 120)) < 0.3
    mask[60:] = True
    return picture, mask


@pytest.mark.parametrize("mode", ["merge", "divide"])
def test_single_pixels_of_a_mask_are_described_by_colours_of_their_own(mode):
    picture, mask = scattered()
    picture[~mask] = 255  # what is masked must not count
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ImageSegmenter(mode, n_superpixels=200, max_pixels=3000).fit(picture, mask=mask)
    assert model.factor_ == 2
    assert not np.isnan(model.tree_).any()
    assert np.isfinite(model._looks.colour).all()
    assert np.isfinite(model._looks.words).all()
    found = model.predict(picture, mask=mask)
    held = model.labels_ >= 0
    # Single pixels of one patch are regions that look the same, so that either may be found: compared by their colours.
    colour = model._looks.colour * 50
    assert (np.linalg.norm(colour[found[held]] - colour[model.labels_[held]], axis=1) < 1).mean() > 0.95
    one = np.flatnonzero(np.bincount(model.labels_[held]) == 1)
    seen = [picture[model.labels_ == region][0] for region in one]
    lightness = model._space.of(np.array(seen)[None])[0, :, 0]
    assert abs(model._looks.colour[one, 0] * 50 - lightness).mean() < 5


def test_pixels_that_lie_alone_belong_to_a_region_and_many_regions_are_compared_in_parts(monkeypatch):
    picture = np.zeros((120, 120, 3), np.uint8)
    picture[:, 60:] = 200
    mask = np.zeros((120, 120), bool)
    mask[::12, ::12] = True
    mask[100:] = True
    model = ImageSegmenter(n_superpixels=200, max_pixels=1600).fit(picture, mask=mask)
    assert model.factor_ == 3
    assert ((model.labels_ >= 0) == mask).all()
    expected = model.predict(picture, mask=mask)
    monkeypatch.setattr("coterie.primitives.region_merges._PAIRS_AT_A_TIME", 7)
    assert np.array_equal(model.predict(picture, mask=mask), expected)


def test_features_of_single_pixels_of_a_mask_are_numbers():
    picture, mask = scattered()
    model = ImageSegmenter(n_superpixels=200, max_pixels=3000).fit(picture, mask=mask, features=picture.astype(float))
    assert np.isfinite(model._regions.layers).all()
    assert model._regions.layers.shape[0] == model.n_superpixels_


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32], ids=["bytes", "two bytes", "fractions"])
def test_a_frame_without_colour_has_the_regions_that_its_three_bands_have(tmp_path, kind):
    model = ImageSegmenter().fit(flag())
    grey = flag()[:, :, :1].astype(kind)
    grey = grey * kind(257) if kind is np.uint16 else grey / kind(255) if kind is np.float32 else grey
    expected = model.predict(grey.repeat(3, axis=2))
    assert np.array_equal(model.predict(grey), expected)
    if kind is np.uint8:
        image = pytest.importorskip("PIL.Image")
        image.fromarray(grey.repeat(3, axis=2)).save(tmp_path / "grey.png")
        assert np.array_equal(model.predict(tmp_path / "grey.png"), expected)


def test_a_picture_of_one_band_does_not_serve_for_six():
    model = ImageSegmenter().fit(np.concatenate([flag(), 255 - flag()], axis=2))
    with pytest.raises(InputError, match="the picture has 1 band, and the regions were found in a picture of 6"):
        model.predict(flag()[:, :, 0])
