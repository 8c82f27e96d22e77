"""What the command line says about itself and about what was typed wrongly."""

import json

import pytest

import coterie
from coterie.cli._app import COMMANDS
from coterie.cli._errors import as_options


def test_help_lists_every_command_and_says_where_results_go(call):
    ended = call("--help")
    assert ended.code == 0
    assert ended.err == ""
    assert all(f"\n  {name} " in ended.out for name in COMMANDS)
    assert "customers.coterie/" in ended.out


def test_no_command_shows_the_help(call):
    assert call().out == call("--help").out


@pytest.mark.parametrize("arguments", [("version",), ("--version",)])
def test_version_is_the_package_version_on_stdout(call, arguments):
    assert coterie.__version__ in call(*arguments).out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_a_first_sentence(call, name):
    ended = call(name, "--help")
    assert ended.code == 0
    assert ended.out.startswith(f"Usage: coterie {name}")
    assert len(ended.out.splitlines()) > 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rum",), "no command is called 'rum'; did you mean run?"),
        (("xyzzy",), "there are run, demo"),
        (("run",), "give the FILE to cluster"),
        (("run", "absent.csv"), "there is no file absent.csv"),
        (("run", "custmers.csv"), "did you mean customers.csv?"),
        (("run", "no/such/folder/x.csv"), "nor a folder no/such/folder"),
        (("run", "."), ". is a folder"),
        (("run", "a\0b"), r"there is no file a\x00b"),
        (("run", "customers.csv", "--metod", "KMeans"), "--method"),
        (("run", "customers.csv", "--method", "kmeens"), "did you mean KMeans?"),
        (("run", "customers.csv", "-k", "0"), "'--clusters'"),
        (("run", "customers.csv", "--memory-limit", "much"), "500MB or 2GB, got 'much'"),
        (("run", "customers.csv", "--time-limit", "-1"), "30s, 5m or 1h"),
        (("run", "customers.csv", "--min-share", "7"), "a share from 0 to 1"),
        (("run", "customers.csv", "--roles", "zip"), "COLUMN=ROLE"),
        (("run", "customers.csv", "--roles", "zip=categorie"), "did you mean category?"),
        (("run", "customers.csv", "--seed", "-1"), "'--seed'"),
        (("run", "customers.csv", "--json", "-o", "-"), "the labels or the record"),
        (("predict", "m.coterie"), "missing argument 'FILE'"),
        (("completion", "tcsh"), "'bash', 'zsh', 'fish'"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_2(call, in_an_empty_folder, arguments, said):
    (in_an_empty_folder / "customers.csv").write_text("a,b\n1,2\n")
    ended = call(*arguments)
    assert ended.code == 2
    assert said in ended.err
    assert ended.err.startswith("error: ")
    assert len(ended.err.splitlines()) == 1
    assert ended.out == ""
    assert [entry.name for entry in in_an_empty_folder.iterdir()] == ["customers.csv"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_that_names_the_program(call, shell):
    ended = call("completion", shell)
    assert ended.code == 0
    assert "_COTERIE_COMPLETE" in ended.out


def test_completion_completes_commands_and_methods(process):
    words = {"COMP_WORDS": "coterie r", "COMP_CWORD": "1"}
    done = process(_COTERIE_COMPLETE="bash_complete", **words)
    assert {"plain,run", "plain,report"} <= set(done.out.split())


def test_a_control_character_in_a_name_does_not_reach_the_terminal(call):
    ended = call("run", "evil\x1b[31m.csv")
    assert "\x1b" not in ended.err
    assert "\\x1b[31m" in ended.err


def test_doctor_finds_this_installation_sound_and_says_so_as_json(call):
    ended = call("doctor", "--json")
    report = json.loads(ended.out)
    assert report["schema"] == "coterie.doctor/1"
    checks = {line["name"]: line["value"] for line in report["findings"] if line["topic"].startswith("self-check")}
    assert set(checks) == {"KMeans", "DBSCAN", "HDBSCAN"}
    assert all(value.startswith("as expected") for value in checks.values()), checks
    assert (ended.code, report["sound"]) == (0, True)


def test_doctor_reports_a_wrong_answer_and_exits_with_1(call, monkeypatch):
    from coterie.cli import doctor

    monkeypatch.setattr(doctor, "_same", lambda found, truth: False)
    ended = call("doctor")
    assert ended.code == 1
    assert ended.out.count("WRONG ANSWER") == 3
    assert ended.out.endswith("see the lines marked with !\n")


def test_what_the_library_refuses_is_said_with_the_options_of_the_command(call, in_an_empty_folder):
    (in_an_empty_folder / "few.csv").write_text("a,b\n" + "".join(f"{i},{i * i % 7}\n" for i in range(20)))
    ended = call("run", "few.csv", "--method", "hdbscan", "-k", "3")
    assert ended.code == 3
    assert ended.err.strip().endswith("leave --clusters out or use --method KMeans")


def test_a_column_without_a_use_is_given_one_by_an_option(call, in_an_empty_folder):
    (in_an_empty_folder / "same.csv").write_text("a,b\n" + "1,x\n" * 20)
    ended = call("run", "same.csv")
    assert ended.code == 3
    assert ended.err.strip().endswith("or say how to use one, for example --roles a=category")


@pytest.mark.parametrize(
    ("said", "spoken"),
    [
        ("raise memory_limit to 3 GB", "raise --memory-limit to 3 GB"),
        ("memory_limit='2GB' is too little", "--memory-limit 2GB is too little"),
        ("method must be 'auto' or a name", "method must be 'auto' or a name"),
        ("there is no column 'n_clusters'", "there is no column 'n_clusters'"),
        ("the file my-min_share.csv", "the file my-min_share.csv"),
        ("for example roles={'a': 'category'}", "for example --roles a=category"),
        ("""roles={"it's": 'text'}""", """--roles 'it'"'"'s=text'"""),
        (r"roles={'a b\\': 'category'}", r"--roles 'a b\=category'"),
        ("a file of roles={x}", "a file of roles={x}"),
    ],
)
def test_only_parameters_are_translated(said, spoken):
    assert as_options(said) == spoken
