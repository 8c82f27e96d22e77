"""``coterie image``: what is written and said, and one sentence where a file holds no picture that can be divided."""

import csv
import json
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest

import coterie
from coterie.applications.images.study import study_image
from coterie.errors import InputError, ModelFileError
from coterie.report.images import image_sheet
from coterie.tables.picture_whole import read_picture

FILES = {
    "regions.csv", "labels.npy", "labels.png", "overlay.png", "ucm.png", "model.coterie", "tree.json", "metrics.json", "run.json", "report.html",
}  # fmt: skip


def flag():
    """Three stripes with a little noise."""
    picture = np.zeros((48, 60, 3), np.uint8)
    picture[:, :20], picture[:, 20:40], picture[:, 40:] = (0, 40, 140), (240, 240, 240), (200, 20, 40)
    return np.clip(picture + np.random.default_rng(0).integers(-6, 7, picture.shape), 0, 255).astype(np.uint8)


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def written(call, tmp_path):
    np.save(tmp_path / "flag.npy", flag())
    truth = np.repeat([5, 9, 1], 20)[None].repeat(48, axis=0).astype(np.uint8)
    np.save(tmp_path / "truth.npy", truth)
    ended = call("image", "flag.npy", "--truth", "truth.npy")
    assert ended.code == 0, ended.err
    return ended, tmp_path / "flag.coterie"


def test_a_picture_becomes_a_folder(written):
    ended, folder = written
    assert ended.out == ""
    assert {path.name for path in folder.iterdir()} == FILES
    assert "3 regions in 60 x 48 pixels" in ended.err
    rows = rows_of(folder / "regions.csv")
    assert [row["name"] for row in rows] == ["dark blue, left", "white, middle", "red, right"]
    assert {(row["area"], row["top"], row["bottom"]) for row in rows} == {("960", "0", "47")}
    assert {row["perimeter"] for row in rows} == {"136"}
    assert [row["neighbours"] for row in rows] == ["1", "0 2", "1"]
    labels = np.load(folder / "labels.npy")
    assert np.bincount(labels.ravel()).tolist() == [960, 960, 960]


def test_metrics_say_how_sure_and_how_right(written):
    metrics = json.loads((written[1] / "metrics.json").read_text())["metrics"]
    assert metrics["covering"]["value"] == 1.0
    assert metrics["information"]["value"] == pytest.approx(0, abs=1e-9)
    assert metrics["stability"]["value"] > 0.99
    assert 0 < metrics["unexplained"]["value"] < 0.05
    assert all(one["definition"] for one in metrics.values())


def test_the_tree_gives_any_number_of_regions(written):
    tree = json.loads((written[1] / "tree.json").read_text())
    heights = [merge[2] for merge in tree["merges"]]
    assert heights == sorted(heights)
    assert len(tree["region_of_leaf"]) == tree["leaves"] == len(heights) + 1


def test_pictures_written_can_be_read_again(written):
    image = pytest.importorskip("PIL.Image")
    folder = written[1]

    def pixels(name):
        with image.open(folder / name) as opened:
            return np.asarray(opened)

    assert np.array_equal(pixels("labels.png"), np.load(folder / "labels.npy") + 1)
    assert pixels("overlay.png").shape == (48, 60, 3)
    ucm = pixels("ucm.png")
    assert (ucm[:, 19] == 0).all()
    assert ucm[:, :15].min() > 100


def test_the_model_finds_the_regions_in_another_picture(written, tmp_path):
    model = coterie.load(written[1] / "model.coterie")
    np.save(tmp_path / "turned.npy", np.ascontiguousarray(flag()[:, ::-1]))
    found = model.predict(tmp_path / "turned.npy")
    assert np.array_equal(found, np.load(written[1] / "labels.npy")[:, ::-1])
    with pytest.raises(InputError, match="in other pictures only"):
        model.estimator.cut(2)
    with pytest.raises(InputError, match="has 2 bands, and the regions were found in a picture of 3"):
        model.predict(flag()[:, :, :2])


def test_predict_writes_the_regions_of_another_picture(call, written, tmp_path):
    image = pytest.importorskip("PIL.Image")
    assert call("predict", "flag.coterie", "flag.npy", "-o", "again.png", "-q").code == 0
    with image.open(tmp_path / "again.png") as opened:
        assert np.array_equal(np.asarray(opened), np.load(written[1] / "labels.npy") + 1)
    assert call("predict", "flag.coterie", "flag.npy", "-o", "again.npy", "-q").code == 0
    assert np.array_equal(np.load(tmp_path / "again.npy"), np.load(written[1] / "labels.npy"))
    ended = call("predict", "flag.coterie", "flag.npy")
    assert (ended.code, "give -o NAME.npy" in ended.err) == (2, True)


def test_a_damaged_model_is_refused(written, tmp_path):
    model = coterie.load(written[1] / "model.coterie")
    looks = model.estimator._looks
    model.estimator._looks = looks._replace(words=looks.words[:, 1:])
    coterie.save(model, tmp_path / "damaged.coterie")
    with pytest.raises(ModelFileError, match="does not fit together"):
        coterie.load(tmp_path / "damaged.coterie")


def test_the_number_of_regions_can_be_given(call, tmp_path):
    np.save(tmp_path / "flag.npy", flag())
    ended = call("image", "flag.npy", "-k", "2", "--mode", "divide", "--json", "-q")
    record = json.loads(ended.out)
    assert len(record["groups"]) == 2
    assert record["options"]["regions"] == 2
    assert record["sections"][1]["frames"][record["sections"][1]["start"]]["label"] == "2"


def test_one_colour_is_said_and_doubtful(call, tmp_path):
    np.save(tmp_path / "plain.npy", np.full((30, 40, 3), 90, np.uint8))
    ended = call("image", "plain.npy", "--strict")
    assert ended.code == 5
    assert "one colour only, so that it is one region." in " ".join(ended.err.split())
    assert "The whole picture is one region." in ended.err


def write_bad(folder):
    """Write files that hold no picture that can be divided; return what must be said of each, and options."""
    picture = flag()
    np.save(folder / "flag.npy", picture)
    np.save(folder / "dot.npy", picture[:1, :1])
    np.save(folder / "holes.npy", np.where(picture > 100, np.nan, picture))
    np.save(folder / "words.npy", np.array([["a", "b"], ["c", "d"]]))
    np.save(folder / "stack.npy", np.zeros((2, 3, 4, 5)))
    np.save(folder / "cube.npy", np.zeros((70, 80, 90), np.uint8))
    np.save(folder / "small.npy", picture[:5, :5, 0])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("no picture")
    (folder / "half.npy").write_bytes((folder / "flag.npy").read_bytes()[:3000])
    return {
        "dot.npy": ([], "1 x 1 pixels"),
        "holes.npy": ([], "NaN or infinity in"),
        "words.npy": ([], "holds"),
        "stack.npy": ([], "shape (2, 3, 4, 5)"),
        "cube.npy": ([], "90 bands"),
        "empty.png": ([], "is empty"),
        "text.jpg": ([], "text.jpg"),
        "half.npy": ([], "half.npy"),
        "small.npy": (["-k", "26"], "25 pixels and so at most as many regions, got 26; lower --regions"),
        "flag.npy": (["--mask", "small.npy"], "48 x 60 pixels (height x width)"),
    }


def test_ten_bad_inputs_get_a_sentence_and_leave_nothing(call, tmp_path):
    pytest.importorskip("PIL")
    for name, (options, words) in write_bad(tmp_path).items():
        before = {path.name for path in tmp_path.iterdir()}
        ended = call("image", name, *options)
        assert ended.code == 3, (name, ended)
        said = [line for line in ended.err.splitlines() if line.startswith("error")]
        assert len(said) == 1, (name, ended.err)
        assert words in ended.err.replace("\n", " "), (name, ended.err)
        assert {path.name for path in tmp_path.iterdir()} == before


def test_the_memory_limit_counts_the_work_on_a_picture_and_not_its_bytes(call, tmp_path):
    np.save(tmp_path / "flag.npy", flag())
    ended = call("image", "flag.npy", "--memory-limit", "50KB")
    assert ended.code == 4
    assert "dividing flag.npy needs about 0.14 MB, above the limit of 0.05 MB" in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give the file of the PICTURE"),
        (["flag.npy", "-k", "none"], "a number of regions"),
        (["flag.npy", "--min-area", "5", "--min-share", "1%"], "not both"),
        (["flag.npy", "-o", "-"], "give a folder"),
        (["flag.npy", "--height", "nan"], "a number from 0 on"),
    ],
)
def test_usage_is_explained(call, tmp_path, arguments, words):
    np.save(tmp_path / "flag.npy", flag())
    ended = call("image", *arguments)
    assert ended.code == 2
    assert words in ended.err


def test_a_mask_that_jpeg_has_blurred_is_black_where_it_was(tmp_path):
    image = pytest.importorskip("PIL.Image")
    mask = np.zeros((48, 60), np.uint8)
    mask[:, 21:] = 255
    image.fromarray(mask).save(tmp_path / "mask.jpg", quality=60)
    assert (np.asarray(image.open(tmp_path / "mask.jpg"))[:, :21] > 0).any()
    assert np.array_equal(read_picture(flag(), mask=tmp_path / "mask.jpg").inside, mask > 0)


def test_colour_of_16_bits_in_a_png_is_refused_rather_than_halved(call, tmp_path):
    head = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)
    rows = (b"\0" + bytes(4 * 6)) * 4
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    ]
    (tmp_path / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    ended = call("image", "deep.png")
    assert ended.code == 3
    assert "deep.png holds colours of 16 bits" in ended.err


def test_known_regions_count_inside_the_mask_alone(tmp_path):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 20, (40, 40), dtype=np.uint8)
    picture[:, 20:] += 200
    truth = np.repeat(np.arange(4), 10)[:, None] * np.ones((1, 40), int)
    mask = np.zeros((40, 40), bool)
    mask[:20] = True
    np.save(tmp_path / "truth.npy", truth.astype(np.uint8))
    np.save(tmp_path / "upper.npy", truth[:20].astype(np.uint8))
    masked = study_image(picture, mask=mask, truth=tmp_path / "truth.npy", n_regions=2).truth
    cropped = study_image(picture[:20], truth=tmp_path / "upper.npy", n_regions=2).truth
    assert masked == pytest.approx(cropped, abs=0.02)


@pytest.mark.parametrize("share", ["100%", "0.9"])
def test_a_least_share_above_a_half_is_a_mistake(call, tmp_path, share):
    ended = call("image", "flag.png", "--min-share", share)
    assert ended.code == 2
    assert "expected a share from 0 to 0.5" in ended.err


def test_a_command_that_clusters_leaves_pandas_alone(tmp_path):
    pytest.importorskip("pandas")
    np.save(tmp_path / "flag.npy", flag())
    code = "import sys; from coterie.cli import invoke; invoke(['image', 'flag.npy', '-q']); print('pandas' in sys.modules, 'sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split()[-2:] == ["False", "True"]


def test_what_numpy_warns_of_is_not_told_on_the_page(monkeypatch):
    def fit(self, *given, **more):
        np.zeros(1) / np.zeros(1)
        return whole(self, *given, **more)

    whole = coterie.ImageSegmenter.fit
    monkeypatch.setattr(coterie.ImageSegmenter, "fit", fit)
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert study_image(flag()).warnings == []


def test_a_mask_that_leaves_no_middle_of_a_square_can_be_studied():
    mask = np.zeros((48, 60), bool)
    mask[::2] = True
    study = study_image(flag(), mask=mask, max_pixels=1000)
    assert study.model.factor_ == 2
    assert 0 < study.unexplained < 1


@pytest.mark.parametrize("parted", [False, True])
def test_the_slider_tells_up_to_which_height_its_regions_stay_apart(parted):
    mask = np.ones((48, 60), bool)
    mask[:, 30] = not parted
    study = study_image(flag(), mask=mask)
    (levels,) = (one for one in image_sheet(study, {}).record["sections"] if one["kind"] == "levels")
    told = {int(frame["label"]): dict(frame["facts"])["they stay apart below height"] for frame in levels["frames"]}
    assert {2, 3, 4} <= set(told)
    for n, height in told.items():
        if parted and n == 2:
            assert height == "any"
            continue
        # As printed, to two digits: above it there are fewer, below it there are so many or more.
        assert study.model.leaves(height=float(height) + 0.006).max() + 1 < n
        assert study.model.leaves(height=float(height) - 0.006).max() + 1 >= n


def test_predict_keeps_to_the_memory_limit(call, written, tmp_path):
    ended = call("predict", "flag.coterie", "flag.npy", "-o", "again.npy", "--memory-limit", "50KB")
    assert ended.code == 4
    assert "dividing flag.npy needs about 0.14 MB, above the limit of 0.05 MB" in " ".join(ended.err.split())
    assert not (tmp_path / "again.npy").exists()


def test_predict_refuses_options_that_would_do_nothing_for_a_picture(call, written, tmp_path):
    ended = call("predict", "flag.coterie", "flag.npy", "-o", "again.npy", "--json", "--array", "x")
    assert ended.code == 2
    assert "so --array and --json would do nothing; leave them out, or give a model of rows" in " ".join(
        ended.err.split()
    )
    assert not (tmp_path / "again.npy").exists()


@pytest.mark.parametrize("option", [("--min-area", "1500"), ("--min-share", "50%")])
def test_a_warning_names_the_option_that_was_given(call, tmp_path, option):
    np.save(tmp_path / "flag.npy", flag())
    ended = call("image", "flag.npy", "-k", "3", *option, "-q", "--json")
    (warning,) = json.loads(ended.out)["warnings"]
    assert warning["text"] == "Only 1 region of flag.npy is large enough, and not 3."
    assert warning["remedy"] == f"Lower {option[0]}."
    assert f"Lower {option[0]}." in " ".join(ended.err.split())
