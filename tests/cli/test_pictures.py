"""``coterie run`` on pictures: folders and stacks, what is written and said, and one sentence where they cannot be used."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.datasets import load_digits

Image = pytest.importorskip("PIL.Image", reason="picture files need Pillow")
pytest.importorskip("torch", reason="networks need PyTorch")

FILES = {"members.csv", "model.coterie", "run.json", "report.html"}
N = 240


@pytest.fixture(scope="module")
def digits():
    """240 handwritten digits as bytes, and what they are."""
    found = load_digits()
    return np.rint(found.images[:N] * 255 / 16).astype(np.uint8), found.target[:N]


def write_folder(folder, images, classes):
    for i, (image, one) in enumerate(zip(images, classes, strict=True)):
        (folder / f"of {one}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"of {one}" / f"digit {i:03d}.png")


@pytest.fixture(scope="module")
def analysed(tmp_path_factory, digits):
    """A folder of digits with a damaged file and a text in it, and the results of one run on it."""
    from coterie.cli import invoke

    place = tmp_path_factory.mktemp("pictures")
    write_folder(place / "digits", *digits)
    (place / "digits" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    (place / "digits" / "notes.txt").write_text("not a picture")
    code = invoke(["run", str(place / "digits"), "-o", str(place / "out"), "--truth", "folder", "-q", "-k", "10"])
    assert code == 0
    return place


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def record_of(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def test_a_folder_gives_members_model_record_and_page(analysed, digits):
    assert {path.name for path in (analysed / "out").iterdir()} == FILES
    members = rows_of(analysed / "out" / "members.csv")
    assert [*members[0]] == ["picture", "cluster", "strength", "distance", "outlier_score", "outlier"]
    assert {row["picture"] for row in members} == {f"of {one}/digit {i:03d}.png" for i, one in enumerate(digits[1])}
    assert all(0 <= float(row["strength"]) <= 1 and float(row["distance"]) >= 0 for row in members)
    assert all((float(row["outlier_score"]) >= 0.5) == (row["outlier"] == "1") for row in members)


def test_the_groups_are_those_of_the_digits_better_than_chance(analysed):
    truth = record_of(analysed / "out")["judge"]["truth"]
    assert truth["column"] == "folder"
    assert truth["ami"] > 0.5


def test_a_damaged_file_is_named_counted_and_left_out(analysed):
    record = record_of(analysed / "out")
    assert [one["name"] for one in record["pictures"]["left_out"]] == ["broken.png"]
    assert record["input"]["rows"] == N
    assert any("1 file could not be read" in one["text"] and "broken.png" in one["text"] for one in record["warnings"])


class _Images(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.found.append(dict(attrs))


def test_the_page_shows_exemplars_of_every_group_with_words_for_each(analysed):
    record = record_of(analysed / "out")
    page = (analysed / "out" / "report.html").read_text(encoding="utf-8")
    reader = _Images()
    reader.feed(page)
    still = [one for one in reader.found if one.get("class") == "still"]
    assert len(still) == sum(min(6, len(one["exemplars"])) for one in record["clusters"])
    assert all(re.fullmatch(r"of \d/digit \d{3}\.png, typical of group \d+", one["alt"]) for one in still)
    assert all(one["src"].startswith("data:image/png;base64,") for one in reader.found)
    assert re.findall(r"https?://", page) == []


def test_exemplars_are_the_nearest_of_their_group_and_in_no_other_list(analysed):
    record = record_of(analysed / "out")
    members = rows_of(analysed / "out" / "members.csv")
    labels = np.array([int(row["cluster"]) for row in members])
    distances = np.array([float(row["distance"]) for row in members])
    for cluster in record["clusters"]:
        own = np.flatnonzero(labels == cluster["id"])
        near = sorted(distances[own])[: len(cluster["exemplars"])]
        assert distances[cluster["exemplars"]] == pytest.approx(near)
        listed = [*cluster["exemplars"], *cluster["unusual"], *cluster["border"]]
        assert len(set(listed)) == len(listed)
        assert set(listed) <= set(own.tolist())
        assert {str(row) for row in listed} <= set(record["thumbnails"])


def test_predicting_the_folder_repeats_its_groups_by_name(analysed, call):
    ended = call("predict", analysed / "out", analysed / "digits")
    assert ended.code == 0, ended.err
    assert "broken.png was left out" in ended.err
    found = {row["picture"]: row["label"] for row in csv.DictReader(io.StringIO(ended.out))}
    assert found == {row["picture"]: row["cluster"] for row in rows_of(analysed / "out" / "members.csv")}


def test_a_model_of_a_folder_takes_a_stack_of_the_same_pictures_at_another_size(analysed, call, tmp_path, digits):
    order = sorted(range(N), key=lambda i: (f"of {digits[1][i]}", i))
    np.savez(tmp_path / "large.npz", X=np.kron(digits[0][order], np.ones((1, 3, 3), dtype=np.uint8)))
    ended = call("predict", analysed / "out", "large.npz", "--json", "-q")
    assert ended.code == 0, ended.err
    content = json.loads(ended.out)
    assert content["pictures"][:2] == ["0", "1"]
    assert content["labels"] == [int(row["cluster"]) for row in rows_of(analysed / "out" / "members.csv")]


def test_report_makes_the_same_page_and_text_from_the_record_alone(analysed, call):
    page = analysed / "out" / "report.html"
    before = page.read_bytes()
    assert call("report", analysed / "out").code == 0
    assert page.read_bytes() == before
    assert f"10 groups in {N} pictures" in call("report", analysed / "out", "--text").out


def test_the_network_of_a_model_is_applied_to_other_pictures_and_none_trained(analysed, call, tmp_path, digits):
    np.save(tmp_path / "others.npy", load_digits().images[400:480] / 16)
    ended = call("run", "others.npy", "--encoder", analysed / "out" / "model.coterie", "-k", "5", "-q")
    assert ended.code == 0, ended.err
    record = record_of(tmp_path / "others.coterie")
    assert "from model.coterie, applied as it is" in record["encoder"]["words"]
    assert "/" not in record["options"]["encoder"]
    members = rows_of(tmp_path / "others.coterie" / "members.csv")
    again = call("predict", "others.coterie", "others.npy", "-q").out
    assert [row["label"] for row in csv.DictReader(io.StringIO(again))] == [row["cluster"] for row in members]


@pytest.fixture
def stack(tmp_path, digits):
    """A stack as scikit-learn has it: fractions of 16 in float64, and what they are beside them."""
    np.savez(tmp_path / "digits.npz", images=digits[0] / 255 * 16, y=digits[1], ids=np.arange(3))


def test_a_stack_says_what_it_took_and_offers_its_labels_for_judging_only(call, stack, tmp_path):
    ended = call("run", "digits.npz", "--method", "KMeans", "-k", "10", "--truth", "y", "-v")
    assert ended.code == 0, ended.err
    assert "agree with y" in ended.err
    notes = " ".join(record_of(tmp_path / "digits.coterie")["input"]["notes"])
    assert f"the array images ({N} x 8 x 8)" in notes
    assert "values from 0 to 16 became 0 to 1" in notes
    assert "y, ids in the file are not used" in notes
    assert rows_of(tmp_path / "digits.coterie" / "members.csv")[0]["picture"] == "0"


def test_the_number_of_groups_is_counted_and_it_says_how(call, stack, tmp_path):
    ended = call("run", "digits.npz", "-q")
    assert ended.code == 0, ended.err
    record = record_of(tmp_path / "digits.coterie")
    k = len(record["clusters"])
    assert 7 <= k <= 13
    assert f"joined to the ten that are most alike: {k} groups" in record["chosen"]["why"]
    assert record["chosen"]["method"] == "N2D"


def test_the_same_seed_gives_the_same_files(call, stack, tmp_path):
    for name in ("one", "two"):
        assert call("run", "digits.npz", "-k", "4", "--method", "AEKMeans", "-q", "-o", name).code == 0
    assert (tmp_path / "one" / "members.csv").read_bytes() == (tmp_path / "two" / "members.csv").read_bytes()
    varying = ("created", "steps", "files", "next")
    first, second = (
        {k: v for k, v in record_of(tmp_path / name).items() if k not in varying} for name in ("one", "two")
    )
    first["plan"].pop("memory_limit"), second["plan"].pop("memory_limit")  # what is free just now
    assert first == second


def test_noise_is_not_said_to_have_groups(call, tmp_path):
    np.save(tmp_path / "noise.npy", np.random.default_rng(0).random((200, 8, 8)))
    ended = call("run", "noise.npy", "--strict", "-q")
    assert ended.code == 5
    assert len(record_of(tmp_path / "noise.coterie")["clusters"]) == 1


def test_without_torch_pixels_are_compared_and_the_page_says_so(call, stack, tmp_path, monkeypatch):
    from coterie.applications import _picture_encoder

    monkeypatch.setattr(_picture_encoder, "find_spec", lambda name: None)
    ended = call("run", "digits.npz", "-k", "10")
    assert ended.code == 0, ended.err
    assert "PyTorch is not installed" in ended.err
    record = record_of(tmp_path / "digits.coterie")
    assert record["encoder"]["kind"] == "directions"
    labels = [
        row["label"] for row in csv.DictReader(io.StringIO(call("predict", "digits.coterie", "digits.npz", "-q").out))
    ]
    assert labels == [row["cluster"] for row in rows_of(tmp_path / "digits.coterie" / "members.csv")]
    refused = call("run", "digits.npz", "--method", "IDEC", "-o", "other")
    assert refused.code == 2
    assert 'pip install "coterie[deep]"' in refused.err


def test_labels_go_to_stdout_where_asked(call, stack):
    ended = call("run", "digits.npz", "--method", "KMeans", "-k", "3", "-o", "-", "-q")
    assert ended.code == 0, ended.err
    assert ended.out.startswith("picture,cluster,strength,distance,outlier_score,outlier\n0,")
    assert len(ended.out.splitlines()) == N + 1


def test_a_dry_run_stops_after_the_plan(call, stack, tmp_path):
    ended = call("run", "digits.npz", "--dry-run")
    assert ended.code == 0
    assert "a network learns the pictures without labels" in ended.err
    assert not (tmp_path / "digits.coterie").exists()


@pytest.mark.parametrize(
    ("flag", "said"), [("--memory-limit=100KB", "above the limit"), ("--time-limit=0.01s", "above the limit")]
)
def test_what_does_not_fit_is_refused_with_the_figure(call, stack, tmp_path, flag, said):
    ended = call("run", "digits.npz", flag)
    assert ended.code == 4
    assert said in ended.err.splitlines()[-1]
    assert not (tmp_path / "digits.coterie").exists()


def _damaged(folder):
    folder.mkdir()
    (folder / "a.png").write_bytes(b"")
    (folder / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")


def _one(folder):
    folder.mkdir()
    Image.fromarray(np.zeros((9, 9), dtype=np.uint8)).save(folder / "a.png")


def _empty(folder):
    (folder / "inside").mkdir(parents=True)
    (folder / "inside" / "a.txt").write_text("no picture")


def _array(**arrays):
    return lambda path: np.savez(path.with_suffix(".npz"), **arrays)


BAD = {
    "damaged files only": (_damaged, "x", (), 3, "none of the 2 picture files"),
    "one picture": (_one, "x", (), 3, "one picture"),
    "no pictures": (_empty, "x", (), 2, "is a folder without pictures"),
    "an option of tables": (_one, "x", ("--roles", "a=number"), 2, "--roles is for tables"),
    "an array of a folder": (_one, "x", ("--array", "X"), 3, "is a folder"),
    "two stacks": (_array(a=np.zeros((9, 8, 8)), b=np.zeros((9, 8, 8))), "x.npz", (), 3, "--array"),
    "an array that is not there": (_array(a=np.zeros((9, 8, 8))), "x.npz", ("--array", "b"), 3, "no array 'b'"),
    "NaN": (_array(a=np.full((9, 8, 8), np.nan)), "x.npz", (), 3, "NaN or infinity in 9 of 9 pictures"),
    "more groups than pictures": (_array(a=np.zeros((9, 8, 8))), "x.npz", ("-k", "10"), 3, "at most the 9 pictures"),
    "a truth that is not there": (_array(a=np.zeros((9, 8, 8))), "x.npz", ("--truth", "y"), 3, "nothing is known"),
    "no rows": (_array(a=np.zeros((0, 8, 8))), "x.npz", (), 3, "no rows"),
    "an encoder that is none": (_array(a=np.zeros((9, 8, 8))), "x.npz", ("--encoder", "x.npz"), 3, "x.npz"),
    "a network that cannot be given": (
        _array(a=np.zeros((9, 8, 8))), "x.npz", ("--encoder", "x.npz", "--method", "VaDE"), 3, "does not take the network",
    ),
    "a method of pictures for a table": (_array(a=np.zeros((90, 3))), "x.npz", ("--method", "n2d"), 2, "this is a table"),
    "an option of pictures for a table": (_array(a=np.zeros((90, 3))), "x.npz", ("--size", "64"), 2, "--size is for pictures"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_unusable_pictures_are_one_sentence_and_leave_nothing(case, call, tmp_path):
    make, name, arguments, code, said = BAD[case]
    make(tmp_path / "x")
    before = sorted(tmp_path.rglob("*"))
    ended = call("run", name, *arguments)
    assert ended.code == code, ended.err
    errors = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert ended.err.splitlines()[-1:] == errors
    assert said in errors[0]
    assert "unexpected" not in errors[0]
    assert sorted(tmp_path.rglob("*")) == before


def test_pictures_that_are_all_the_same_stay_together(call, tmp_path):
    np.save(tmp_path / "same.npy", np.full((30, 8, 8), 7, dtype=np.uint8))
    ended = call("run", "same.npy", "-q")
    assert ended.code == 0, ended.err
    assert "All pictures are the same" in record_of(tmp_path / "same.coterie")["structure"]["sentence"]
    assert {row["cluster"] for row in rows_of(tmp_path / "same.coterie" / "members.csv")} == {"0"}


@pytest.mark.parametrize("method", ["auto", "KMeans"])
@pytest.mark.parametrize("n", [2, 5])
def test_a_handful_of_pictures_is_grouped_where_asked_and_not_trusted(call, tmp_path, n, method):
    np.save(tmp_path / "few.npy", np.random.default_rng(0).random((n, 8, 8)))
    ended = call("run", "few.npy", "-q", "-k", "2", "--method", method)
    assert ended.code == 0, ended.err
    record = record_of(tmp_path / "few.coterie")
    assert "too few pictures" in record["judge"]["sentence"]
    members = rows_of(tmp_path / "few.coterie" / "members.csv")
    again = call("predict", "few.coterie", "few.npy", "-q").out
    assert [row["label"] for row in csv.DictReader(io.StringIO(again))] == [row["cluster"] for row in members]


def test_a_stretch_of_measurements_is_still_a_table(call, tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "runs.npy", np.vstack([rng.normal(size=(40, 30, 2)), rng.normal(5, 1, (40, 30, 2))]))
    ended = call("run", "runs.npy", "--method", "KMeans", "-k", "2", "-q")
    assert ended.code == 0, ended.err
    assert (tmp_path / "runs.coterie" / "labels.csv").exists()


def test_an_earlier_analysis_of_a_table_is_replaced(call, stack, tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "table.npy", rng.normal(size=(50, 2)))
    assert call("run", "table.npy", "--method", "KMeans", "-k", "2", "-q", "-o", "here").code == 0
    assert call("run", "digits.npz", "--method", "KMeans", "-k", "2", "-q", "-o", "here").code == 0
    assert {path.name for path in (tmp_path / "here").iterdir()} == FILES
