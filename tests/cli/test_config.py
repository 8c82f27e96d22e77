"""flag > COTERIE_NAME > coterie.toml > default."""

import pytest

from coterie.cli._options import default_folder


def _config(call, *arguments):
    ended = call("run", "--print-config", *arguments)
    assert ended.code == 0, ended.err
    return {line.split()[0]: line.split()[1:] for line in ended.out.splitlines()}


def test_without_anything_every_value_is_a_default(call):
    found = _config(call)
    assert found["seed"] == ["0", "default"]
    assert {words[-1] for words in found.values()} == {"default"}


def test_the_file_beats_the_default_the_environment_the_file_and_a_flag_everything(
    call, in_an_empty_folder, monkeypatch
):
    (in_an_empty_folder / "coterie.toml").write_text(
        'seed = 1\nmethod = "kmeans"\n[run]\nclusters = 3\nmin-share = "2%"\n'
    )
    monkeypatch.setenv("COTERIE_SEED", "2")
    monkeypatch.setenv("COTERIE_CLUSTERS", "4")
    found = _config(call, "-k", "5")
    assert found["method"] == ["KMeans", "coterie.toml"]
    assert found["min-share"] == ["0.02", "coterie.toml"]
    assert found["seed"] == ["2", "environment", "(COTERIE_SEED)"]
    assert found["clusters"] == ["5", "flag"]


def test_a_table_for_one_command_beats_the_top_of_the_file(call, in_an_empty_folder):
    (in_an_empty_folder / "coterie.toml").write_text("seed = 1\n[run]\nseed = 3\n[predict]\nquiet = true\n")
    assert _config(call)["seed"] == ["3", "coterie.toml"]


def test_roles_can_be_a_table_in_the_file_and_a_list_in_the_environment(call, in_an_empty_folder, monkeypatch):
    (in_an_empty_folder / "coterie.toml").write_text('[run.roles]\nzip = "category"\n"unit price" = "ignored"\n')
    assert _config(call)["roles"] == ["zip=category,", "unit", "price=ignored", "coterie.toml"]
    monkeypatch.setenv("COTERIE_ROLES", "a b=id;c=text")
    assert _config(call)["roles"] == ["a", "b=id,", "c=text", "environment", "(COTERIE_ROLES)"]


def test_a_command_in_two_parts_has_a_table_for_both_and_one_for_each(call, in_an_empty_folder):
    (in_an_empty_folder / "coterie.toml").write_text(
        '[anomaly]\nfpr = "2%"\ncontamination = 0\n[anomaly.fit]\nseed = 3\n[anomaly.score]\nfpr = "5%"\n'
    )
    fit, score = (call("anomaly", part, "--print-config").out for part in ("fit", "score"))
    assert [line.split()[1:] for line in fit.splitlines() if line.split()[0] in ("fpr", "contamination", "seed")] == [
        ["0.0", "coterie.toml"], ["0.02", "coterie.toml"], ["3", "coterie.toml"],
    ]  # fmt: skip
    assert ["fpr", "0.05", "coterie.toml"] in [line.split() for line in score.splitlines()]
    (in_an_empty_folder / "coterie.toml").write_text("[anomaly]\nfrp = 0.02\n")
    ended = call("anomaly", "fit", "--print-config")
    assert ended.code == 2
    assert "did you mean fpr?" in ended.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("sed = 1", "sets 'sed', which is no option; did you mean seed?"),
        ("[run]\nmethot = 'x'", "did you mean method?"),
        ("seed = ", "could not read coterie.toml"),
        ("seed = 'x'", "'--seed'"),
    ],
)
def test_a_mistake_in_the_file_is_usage(call, in_an_empty_folder, content, said):
    (in_an_empty_folder / "coterie.toml").write_text(content)
    ended = call("run", "--print-config")
    assert ended.code == 2
    assert said in ended.err


def test_options_of_run_in_the_file_do_not_disturb_other_commands(call, in_an_empty_folder):
    (in_an_empty_folder / "coterie.toml").write_text("seed = 1\nclusters = 3\n")
    ended = call("report", "absent")
    assert ended.code == 3
    assert "absent" in ended.err


@pytest.mark.parametrize(
    ("source", "folder"),
    [
        ("data/customers.csv", "customers.coterie"),
        ("/x/quakes-23k.csv.gz", "quakes-23k.coterie"),
        ("my.data.v2.csv", "my.data.v2.coterie"),
        ("noending", "noending.coterie"),
        ("-", "stdin.coterie"),
        ("postgresql://u:p@h/shop?x=1", "shop.coterie"),
        ("postgresql://u:p@h", "h.coterie"),
    ],
)
def test_results_go_to_a_folder_named_after_the_input_in_the_current_folder(source, folder):
    assert default_folder(source) == folder


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        ("[image]\nheight = [1, 2]", ["image"], "must give height text or a number, got [1, 2]; change it"),
        ("[image]\nheight = true", ["image"], "must give height text or a number, got true"),
        ("[image]\nheight.low = 1", ["image"], "must give height text or a number, got a table"),
        ("[image]\nheight = 2020-01-01", ["image"], "'2020-01-01' is not a valid"),
        ("seed = inf", ["image"], "'inf' is not a valid integer"),
        ("seed = 1.5", ["image"], "'1.5' is not a valid integer"),
        ("quiet = 3", ["image"], "'3' is not a valid boolean"),
        ("quiet = [true]", ["image"], "must give quiet true or false, got [True]"),
        (
            "anomaly = 3",
            ["run"],
            "must give 'anomaly', the name of a command, a table of options, got 3; write [anomaly]",
        ),
        ("[[image]]\nheight = 1", ["image"], "must give 'image', the name of a command, a table of options, got [{"),
        ("[anomaly]\nfit = 3", ["anomaly", "fit"], "got 3; write [anomaly.fit] and its options below"),
        ("[anomaly]\nfit = 3", ["anomaly", "score"], "got 3; write [anomaly.fit] and its options below"),
        ("[run]\nroles = [['a=id']]", ["run"], "must give roles text or a number, got ['a=id']"),
        ("[run.roles]\nzip = [1]", ["run"], "must give roles text or a number, got [1]"),
    ],
)
def test_a_value_of_the_wrong_kind_is_usage(call, in_an_empty_folder, content, arguments, said):
    (in_an_empty_folder / "coterie.toml").write_text(content)
    ended = call(*arguments, "--print-config")
    assert ended.code == 2
    assert said in " ".join(ended.err.split())


def test_an_option_of_several_values_takes_a_list_or_one(call, in_an_empty_folder):
    file = in_an_empty_folder / "coterie.toml"
    file.write_text('[run]\nroles = ["a=id", "b=text"]\n')
    assert _config(call)["roles"] == ["a=id,", "b=text", "coterie.toml"]
    file.write_text('[run]\nroles = "a=id"\n')
    assert _config(call)["roles"] == ["a=id", "coterie.toml"]
    file.write_text('[compare]\nmethods = ["genie", "kmeanz"]\n')
    assert "did you mean kmeans?" in call("compare", "a.csv").err.lower()
