"""``coterie network``: what is written and said, whatever the file of links, and one sentence where it cannot be used."""

import csv
import json

import networkx as nx
import numpy as np
import pytest

from applications.networks import assortative, planted_links, write_links
from applications.temporal import planted_in_time, write_dated

FILES = {
    "members.csv", "relations.csv", "profile.csv", "metrics.json", "graph.graphml", "model.coterie", "run.json", "report.html",
}  # fmt: skip


@pytest.fixture
def friends(tmp_path):
    """Three classes of people as links.csv, and people.csv with what is known of them."""
    classes, links = planted_links([30, 25, 20], assortative(3, 0.35, 0.01), seed=1)
    names = [f"person {i}" for i in range(75)]
    write_links(tmp_path / "links.csv", links, names)
    towns = np.array(["Bern", "Kiel", "Lyon"])[classes]
    rng = np.random.default_rng(0)
    lines = ["id,town,age", *(f"{name},{town},{rng.integers(20, 70)}" for name, town in zip(names, towns, strict=True))]
    (tmp_path / "people.csv").write_text("\n".join(lines) + "\n")
    return classes


def _rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _record(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def test_a_run_says_a_line_a_step_writes_its_files_and_keeps_stdout_empty(call, friends, tmp_path):
    ended = call("network", "links.csv")
    assert ended.code == 0, ended.err
    assert ended.out == ""
    names = [line.split()[0] for line in ended.err.splitlines() if line and not line.startswith(" ")]
    wanted = ["read", "classes", "check", "stability", "relations", "profile", "wrote", "next"]
    assert [name for name in names if name in wanted] == wanted
    assert "seed 0" in ended.err.splitlines()[0]
    assert {path.name for path in (tmp_path / "links.coterie").iterdir()} == FILES
    assert _record(tmp_path / "links.coterie")["schema"] == "coterie.network/1"


def test_every_node_is_a_member_of_the_class_it_was_drawn_for(call, friends, tmp_path):
    call("network", "links.csv", "-q")
    members = {row["node"]: int(row["class"]) for row in _rows(tmp_path / "links.coterie" / "members.csv")}
    assert len(members) == 75
    found = np.array([members[f"person {i}"] for i in range(75)])
    assert all(len(set(found[friends == c].tolist())) == 1 for c in range(3))


def test_relations_count_every_link_once(call, friends, tmp_path):
    call("network", "links.csv", "-q")
    rows = _rows(tmp_path / "links.coterie" / "relations.csv")
    assert sum(float(row["links"]) for row in rows) == _record(tmp_path / "links.coterie")["input"]["links"]
    assert {row["verdict"] for row in rows if row["from"] == row["to"]} == {"attracts"}


def test_what_is_known_of_the_nodes_describes_the_classes(call, friends, tmp_path):
    ended = call("network", "links.csv", "--nodes", "people.csv", "--method", "leiden")
    assert ended.code == 0, ended.err
    profile = _rows(tmp_path / "links.coterie" / "profile.csv")
    assert {row["value"] for row in profile if float(row["here"]) > 0.9} == {"Bern", "Kiel", "Lyon"}
    assert all(float(row["lift"]) > 2 for row in profile)
    assert _record(tmp_path / "links.coterie")["input"]["nodes_file"] == "people.csv"


def test_the_truth_is_compared_and_not_used(call, friends, tmp_path):
    ended = call("network", "links.csv", "--nodes", "people.csv", "--truth", "town", "--method", "leiden")
    assert "agreement with town: 1.00" in ended.err
    assert _record(tmp_path / "links.coterie")["truth"]["ami"] == 1.0


def test_graphml_holds_links_attributes_and_classes(call, friends, tmp_path):
    call("network", "links.csv", "--nodes", "people.csv", "--method", "leiden", "-q")
    graph = nx.read_graphml(tmp_path / "links.coterie" / "graph.graphml")
    record = _record(tmp_path / "links.coterie")
    assert (len(graph), graph.number_of_edges()) == (75, record["input"]["links"])
    assert {data["class"] for _, data in graph.nodes(data=True)} == {0, 1, 2}
    assert {"town", "strength", "participation"} <= set(graph.nodes["person 0"])


def test_json_on_stdout_is_the_record_that_was_written(call, friends, tmp_path):
    ended = call("network", "links.csv", "--json", "-q")
    assert json.loads(ended.out) == _record(tmp_path / "links.coterie")


def test_report_makes_the_page_and_the_text_anew_from_the_record_alone(call, friends, tmp_path):
    call("network", "links.csv", "-q")
    folder = tmp_path / "links.coterie"
    before = (folder / "report.html").read_bytes()
    (folder / "report.html").unlink()
    assert call("report", "links.coterie").code == 0
    assert (folder / "report.html").read_bytes() == before
    assert "3 classes in 75 nodes" in call("report", "links.coterie", "--text").out


def test_an_earlier_analysis_of_another_kind_is_replaced_and_other_files_stay(call, friends, tmp_path):
    call("network", "links.csv", "-q", "-o", "here")
    (tmp_path / "here" / "mine.txt").write_text("keep")
    assert call("run", "people.csv", "--method", "KMeans", "-k", "2", "-q", "-o", "here").code == 0
    names = {path.name for path in (tmp_path / "here").iterdir()}
    assert names == {"labels.csv", "model.coterie", "run.json", "report.html", "mine.txt"}
    assert call("network", "links.csv", "-q", "-o", "here").code == 0
    assert {path.name for path in (tmp_path / "here").iterdir()} == {*FILES, "mine.txt"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--method", "louvain"),
        ("--method", "balanced_cut", "-k", "3", "--imbalance", "30%"),
        ("--method", "BlockModel", "-k", "3"),
        ("--method", "spectral", "-k", "3"),
        ("-k", "3"),
        ("--resolution", "0.8"),
    ],
    ids=" ".join,
)
def test_every_method_runs_and_its_options_are_recorded(call, friends, tmp_path, arguments):
    ended = call("network", "links.csv", "-q", *arguments)
    assert ended.code == 0, ended.err
    record = _record(tmp_path / "links.coterie")
    assert record["n_classes"] == 3
    assert record["options"]


def test_links_with_times_show_who_moved(call, tmp_path):
    classes = np.repeat(np.arange(3), 30)
    after = classes.copy()
    after[:5] = 1
    path = write_dated(tmp_path / "mails.csv", planted_in_time([classes, classes, after]))
    ended = call("network", path, "-o", tmp_path / "out", "--windows", "1mo", "--no-report")
    assert "time       3 windows, a month each: 5 changes of class" in ended.err
    movers = _rows(tmp_path / "out" / "movers.csv")
    assert sorted(row["node"] for row in movers) == [f"p{i}" for i in range(5)]
    assert {row["window"] for row in movers} == {"2026-03"}
    migration = _rows(tmp_path / "out" / "migration.csv")
    assert sum(int(row["nodes"]) for row in migration if row["window"] == "2026-01") == 90
    call("network", path, "-o", tmp_path / "out", "--time", "", "--no-report")
    assert not (tmp_path / "out" / "movers.csv").exists()
    assert "time" not in _record(tmp_path / "out")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--windows", "fast"), 2, "expected a number such as 6, or a length such as 1mo"),
        (("--windows", "1h"), 3, "give a length that makes 2 to 60"),
        (("--windows", "1"), 3, "windows must be from 2 to 60"),
        (("--time", "from"), 3, "cannot be the time of links and their end"),
        (("--time", "then"), 3, "no column is called 'then'"),
        (("--time", "", "--windows", "3"), 3, "windows need the times of links"),
    ],
)
def test_times_that_cannot_be_used_are_one_sentence_and_leave_nothing(call, tmp_path, arguments, code, words):
    path = write_dated(tmp_path / "mails.csv", [(0, 1, 0), (1, 2, 3), (2, 0, 5)])
    ended = call("network", path, "-o", tmp_path / "out", *arguments)
    assert ended.code == code, ended.err
    assert words in ended.err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("null", ["degrees", "sizes"])
def test_what_chance_keeps_can_be_said_and_is_recorded(call, friends, tmp_path, null):
    ended = call("network", "links.csv", "-q", "--method", "leiden", "--null", null)
    assert ended.code == 0, ended.err
    record = _record(tmp_path / "links.coterie")
    assert record["relations"]["null"] == record["options"]["null"] == null
    links, expected = (np.array(record["relations"][name]) for name in ("links", "expected"))
    pairs = np.outer(*[[part["nodes"] for part in record["classes"]]] * 2).astype(float)
    pairs[np.diag_indices(3)] = (pairs.diagonal() - np.sqrt(pairs.diagonal())) / 2
    by_size = pairs * links[np.triu_indices(3)].sum() / pairs[np.triu_indices(3)].sum()
    assert np.allclose(expected, by_size, rtol=1e-3) == (null == "sizes")


def test_a_pipe_carries_the_links(process, tmp_path):
    ended = process("network", "-", "-q", stdin="a b\nb c\na c\nd e\ne f\nd f\nc d\n")
    assert ended.code == 0, ended.err
    assert len(_rows(tmp_path / "stdin.coterie" / "members.csv")) == 6


def test_columns_and_direction_can_be_said(call, tmp_path):
    text = "day,who,whom,times\n" + "".join(f"{i},p{i % 5},q{i % 3},{i % 4 + 1}\n" for i in range(30))
    (tmp_path / "calls.csv").write_text(text)
    ended = call("network", "calls.csv", "--source", "who", "--target", "whom", "--weight", "times", "--directed", "-q")
    assert ended.code == 0, ended.err
    source = _record(tmp_path / "calls.coterie")["input"]
    assert (source["directed"], source["weighted"], source["nodes"]) == (True, True, 8)
    rows = _rows(tmp_path / "calls.coterie" / "relations.csv")
    assert sum(float(row["links"]) for row in rows) == sum(i % 4 + 1 for i in range(30))


def test_strict_exits_with_5_where_there_are_no_classes_and_still_writes(call, tmp_path):
    _, links = planted_links([100], [[0.08]], seed=2)
    write_links(tmp_path / "noise.csv", links)
    ended = call("network", "noise.csv", "--strict", "--method", "leiden", "-q")
    assert ended.code == 5
    assert "no clear classes" in ended.err.lower()
    assert (tmp_path / "noise.coterie" / "report.html").exists()


def test_classes_that_link_across_are_found_where_none_gather(call, tmp_path):
    classes, links = planted_links([40, 40], [[0.01, 0.3], [0.3, 0.01]], seed=3)
    write_links(tmp_path / "market.csv", links)
    ended = call("network", "market.csv")
    assert ended.code == 0, ended.err
    record = _record(tmp_path / "market.coterie")
    assert record["chosen"]["method"] == "BlockModel"
    members = {int(row["node"]): int(row["class"]) for row in _rows(tmp_path / "market.coterie" / "members.csv")}
    found = np.array([members[i] for i in range(80)])
    assert [len(set(found[classes == c].tolist())) for c in (0, 1)] == [1, 1]
    verdicts = np.array(record["relations"]["verdict"])
    assert verdicts.tolist() == [["repels", "attracts"], ["attracts", "repels"]]


def test_a_formula_in_a_name_is_kept_as_it_is_and_the_page_quotes_it(call, tmp_path):
    (tmp_path / "x.csv").write_text('source,target\n"=1+1","a,b"\n"a,b","<b>"\n"<b>","=1+1"\n')
    assert call("network", "x.csv", "-q").code == 0
    assert {row["node"] for row in _rows(tmp_path / "x.coterie" / "members.csv")} == {"=1+1", "a,b", "<b>"}
    assert "<b>" not in (tmp_path / "x.coterie" / "report.html").read_text().partition("<noscript>")[2]


LINKS = "source,target\na,b\nb,c\nc,a\n"
BAD = {
    "an empty file": ("", (), 3, "empty"),
    "a header only": ("source,target\n", (), 3, ""),
    "one column": ("name\na\nb\n", (), 3, ""),
    "a negative weight": ("source,target,weight\na,b,1\nb,c,-2\n", (), 3, "-2"),
    "a weight that is no number": ("source,target,weight\na,b,1\nb,c,heavy\n", ("--weight", "weight"), 3, "heavy"),
    "a column that is not there": (LINKS, ("--source", "sorce"), 3, "source"),
    "more classes than nodes": (LINKS, ("--method", "spectral", "-k", "9"), 3, "at most the number of nodes"),
    "a method without its k": (LINKS, ("--method", "spectral"), 3, "-k"),
    "attributed without attributes": (LINKS, ("--method", "attributed"), 3, "--nodes"),
    "a truth that is not there": (LINKS, ("--truth", "team"), 3, "team"),
    "an option of another method": (LINKS, ("--method", "leiden", "--imbalance", "5%"), 3, "balanced_cut"),
    "an unknown method": (LINKS, ("--method", "leidn"), 2, "did you mean leiden?"),
    "no such file of nodes": (LINKS, ("--nodes", "absent.csv"), 2, "there is no file absent.csv"),
    "a folder of results that is not ours": (LINKS, ("-o", "taken"), 1, "left alone"),
    "stdout for a folder": (LINKS, ("-o", "-"), 2, "--json"),
}


@pytest.mark.parametrize("case", BAD)
def test_unusable_input_is_one_sentence_and_leaves_nothing(case, call, tmp_path):
    text, arguments, code, said = BAD[case]
    (tmp_path / "x.csv").write_text(text)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("years of work")
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    ended = call("network", "x.csv", *arguments)
    assert ended.code == code, ended.err
    errors = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert ended.err.splitlines()[-1:] == errors
    assert said in errors[0]
    assert "unexpected" not in errors[0]
    assert ended.out == ""
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before


NODES = {
    "an id twice": ("id,age\na,1\nb,2\na,3\n", 3, "a"),
    "no id in common": ("id,age\nx,1\ny,2\n", 3, ""),
    "no rows": ("id,age\n", 3, ""),
}


@pytest.mark.parametrize("case", NODES)
def test_an_unusable_file_of_nodes_is_one_sentence(case, call, tmp_path):
    text, code, said = NODES[case]
    (tmp_path / "x.csv").write_text(LINKS)
    (tmp_path / "nodes.csv").write_text(text)
    ended = call("network", "x.csv", "--nodes", "nodes.csv")
    assert ended.code == code, ended.err
    assert said in ended.err.splitlines()[-1]
    assert not (tmp_path / "x.coterie").exists()


def test_nodes_missing_on_either_side_are_counted_and_kept(call, tmp_path):
    (tmp_path / "x.csv").write_text(LINKS)
    (tmp_path / "nodes.csv").write_text("id,age\na,1\nb,2\nhermit,3\n")
    ended = call("network", "x.csv", "--nodes", "nodes.csv", "--method", "leiden")
    assert ended.code == 0, ended.err
    rows = {row["node"]: row for row in _rows(tmp_path / "x.coterie" / "members.csv")}
    assert rows["hermit"]["class"] == "-1"
    assert rows["hermit"]["strength"] == ""
    notes = " ".join(_record(tmp_path / "x.coterie")["notes"])
    assert "hermit" in notes
    assert "'c'" in notes


def test_a_limit_of_memory_that_is_passed_is_exit_4_with_figures(call, friends, tmp_path):
    ended = call("network", "links.csv", "--memory-limit", "20KB")
    assert ended.code == 4
    assert "limit of" in ended.err.splitlines()[-1]
    assert not (tmp_path / "links.coterie").exists()


def test_a_single_link_is_one_class(call, tmp_path):
    (tmp_path / "x.csv").write_text("source,target\na,b\n")
    ended = call("network", "x.csv")
    assert ended.code == 0, ended.err
    assert _record(tmp_path / "x.coterie")["n_classes"] == 1


def test_a_node_linked_to_itself_only_has_no_class(call, tmp_path):
    (tmp_path / "x.csv").write_text("source,target\na,a\n")
    ended = call("network", "x.csv")
    assert ended.code == 0, ended.err
    assert _record(tmp_path / "x.coterie")["n_classes"] == 0
    assert (tmp_path / "x.coterie" / "report.html").exists()


def test_settings_come_from_the_file_of_settings_too(call, friends, tmp_path):
    (tmp_path / "coterie.toml").write_text('[network]\nmethod = "louvain"\n')
    assert "louvain" in call("network", "--print-config").out
    call("network", "links.csv", "-q")
    assert _record(tmp_path / "links.coterie")["chosen"]["method"] == "Louvain"


def test_completion_knows_the_methods(process):
    done = process(_COTERIE_COMPLETE="bash_complete", COMP_WORDS="coterie network --method b", COMP_CWORD="3")
    assert {"plain,balanced_cut", "plain,block_model"} == set(done.out.split())


def test_new_nodes_join_the_class_they_link_to(call, friends, tmp_path):
    call("network", "links.csv", "-q")
    members = {row["node"]: row["class"] for row in _rows(tmp_path / "links.coterie" / "members.csv")}
    lines = [f"new {c},{name}" for c in range(3) for name in (f"person {i}" for i in np.flatnonzero(friends == c)[:4])]
    (tmp_path / "new.csv").write_text(
        "source,target\n" + "\n".join([*lines, "new 0,new 1", "alone,new 2", "person 0,person 1"]) + "\n"
    )
    ended = call("predict", "links.coterie", "new.csv")
    assert ended.code == 0, ended.err
    assert "4 new nodes from new.csv; 12 nodes beside them are in the network already" in ended.err
    found = dict(line.split(",") for line in ended.out.splitlines())
    assert found.pop("node") == "label"
    assert found.pop("alone") == "0"  # the largest, for want of any link to the network
    assert found == {f"new {c}": members[f"person {np.flatnonzero(friends == c)[0]}"] for c in range(3)}
    told = json.loads(call("predict", "links.coterie", "new.csv", "--json", "-q").out)
    assert dict(zip(told["nodes"], map(str, told["labels"]), strict=True)) == found | {"alone": "0"}


@pytest.mark.parametrize("method", ["louvain", "balanced_cut", "block_model", "spectral", "attributed"])
def test_every_method_keeps_a_model_that_labels_new_nodes(call, friends, tmp_path, method):
    k = () if method == "louvain" else ("-k", "3")
    nodes = ("--nodes", "people.csv") if method == "attributed" else ()
    assert call("network", "links.csv", *nodes, "--method", method, *k, "-q").code == 0
    members = {row["node"]: row["class"] for row in _rows(tmp_path / "links.coterie" / "members.csv")}
    (tmp_path / "new.csv").write_text("a,b\n" + "".join(f"new,person {i}\n" for i in np.flatnonzero(friends == 2)[:8]))
    ended = call("predict", "links.coterie", "new.csv", "-q")
    assert ended.out == f"node,label\nnew,{members[f'person {np.flatnonzero(friends == 2)[0]}']}\n", ended.err


@pytest.mark.parametrize(
    ("links", "said"),
    [
        ("a,b\nnobody,someone\n", "no node of new.csv is in the network of the model, such as 'person "),
        ("a,b\nperson 1,person 2\n", "all 2 nodes of new.csv are in the network of the model already"),
    ],
)
def test_links_that_say_nothing_of_new_nodes_are_refused(call, friends, tmp_path, links, said):
    call("network", "links.csv", "-q")
    (tmp_path / "new.csv").write_text(links)
    ended = call("predict", "links.coterie", "new.csv")
    assert ended.code == 3
    assert said in ended.err
    assert ended.out == ""
