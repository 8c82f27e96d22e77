"""Files of graphs: what networkx writes is read, what is written networkx reads, and damage is one sentence with its line."""

import gzip
import io
import itertools

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.io import mmwrite

from coterie.errors import InputError, ResourceError, UnsupportedError
from coterie.graphs import from_edges, is_directed, to_scipy, undirected
from coterie.tables import read_graph, read_nodes, write_graphml


def put(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def as_networkx(network):
    """Build what networkx would: names, directions, weights."""
    graph = nx.DiGraph() if network.directed else nx.Graph()
    graph.add_nodes_from(network.names)
    matrix = to_scipy(network.graph).tocoo()
    for a, b, w in zip(*matrix.coords, matrix.data, strict=True):
        loop = 2 if a == b and not network.directed else 1
        graph.add_edge(network.names[a], network.names[b], weight=w / loop)
    return graph


def same(network, graph):
    mine = as_networkx(network)
    renamed = nx.relabel_nodes(graph, {node: str(node) for node in graph.nodes})
    assert set(mine.nodes) == set(renamed.nodes)
    assert mine.is_directed() == renamed.is_directed()
    expected = type(mine)()
    expected.add_nodes_from(renamed.nodes)
    for a, b, w in renamed.edges(data="weight", default=1.0):
        before = expected.get_edge_data(a, b, {"weight": 0})["weight"]
        expected.add_edge(a, b, weight=before + w)
    assert nx.utils.edges_equal(mine.edges(data=True), expected.edges(data=True), directed=mine.is_directed())


def example(kind=nx.Graph, weighted=True):
    random = np.random.default_rng(5)
    graph = kind()
    names = ["ann", "bob", 'eve "x" & <y>', "zoë", "id 5", "6"]
    for i, name in enumerate(names):
        graph.add_node(name, age=20 + i, town=["Bern", "Basel"][i % 2])
    for _ in range(9):
        a, b = random.choice(len(names), 2)
        graph.add_edge(names[a], names[b], **({"weight": float(random.integers(1, 9)) / 2} if weighted else {}))
    return graph


KINDS = [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph]

# ---- files that networkx writes


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("end", ["graphml", "gml"])
def test_what_networkx_writes_is_read(tmp_path, kind, weighted, end):
    graph = example(kind, weighted)
    path = tmp_path / f"net.{end}"
    (nx.write_graphml if end == "graphml" else nx.write_gml)(graph, path)
    network = read_graph(path)
    same(network, graph)
    assert network.weighted == weighted
    assert network.nodes.column("age").values.tolist() == [20, 21, 22, 23, 24, 25]
    assert network.nodes.column("town").values.tolist() == ["Bern", "Basel"] * 3
    assert network.n_links == graph.number_of_edges()


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", " ", "|"])
def test_edge_lists_of_networkx_are_read(tmp_path, kind, delimiter):
    graph = nx.relabel_nodes(nx.gnm_random_graph(20, 40, seed=1, directed=kind is nx.DiGraph), lambda i: 7 * i + 100)
    graph.remove_nodes_from(list(nx.isolates(graph)))
    text = "\n".join(nx.generate_edgelist(graph, delimiter, data=False))
    network = read_graph(put(tmp_path, "edges.txt", text), directed=graph.is_directed())
    same(network, graph)
    assert list(network.names) == [str(i) for i in sorted(graph.nodes)]


@pytest.mark.parametrize("end", ["gml", "graphml", "graph", "csv", "txt"])
def test_a_packed_file_is_its_content(tmp_path, end):
    texts = {
        "gml": "graph [ node [ id 1 ] node [ id 2 ] edge [ source 1 target 2 ] ]",
        "graphml": GRAPHML.format('<node id="1"/><node id="2"/><edge source="1" target="2"/>'),
        "graph": "2 1\n2\n1\n",
        "csv": "source,target\n1,2\n",
        "txt": "1 2\n",
    }
    network = read_graph(put(tmp_path, f"net.{end}.gz", gzip.compress(texts[end].encode())))
    assert (network.names, network.n_edges) == (("1", "2"), 1)


GRAPHML = '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="undirected">{}</graph></graphml>'

# ---- lists of links


@pytest.mark.parametrize(
    ("text", "names", "links"),
    [
        ("source,target\nann,bob\nbob,eve\n", ("ann", "bob", "eve"), [(0, 1, 1), (1, 2, 1)]),
        ("ann,bob\nbob,eve\neve,ann\n", ("ann", "bob", "eve"), [(0, 1, 1), (1, 2, 1), (0, 2, 1)]),
        ("ann bob\nbob eve\n", ("ann", "bob", "eve"), [(0, 1, 1), (1, 2, 1)]),
        ("ann bob 2.5\nbob eve 3\n", ("ann", "bob", "eve"), [(0, 1, 2.5), (1, 2, 3)]),
        ("10 2\n2 300\n", ("2", "10", "300"), [(0, 1, 1), (0, 2, 1)]),
        ("# comment\n% another\n1\t2\n2\t3\n", ("1", "2", "3"), [(0, 1, 1), (1, 2, 1)]),
        ("1   2\n 2\t 3 \n", ("1", "2", "3"), [(0, 1, 1), (1, 2, 1)]),
        ("1;2;0,5\n2;3;1,5\n", ("1", "2", "3"), [(0, 1, 0.5), (1, 2, 1.5)]),
        ("weight,to,from\n3,b,a\n4,c,b\n", ("a", "b", "c"), [(0, 1, 3), (1, 2, 4)]),
        ("a,b,amount\nx,y,5\ny,z,6\n", ("x", "y", "z"), [(0, 1, 1), (1, 2, 1)]),
        ('source,target\n"Smith, J.",bob\nbob,"eve ""e"""\n', ("Smith, J.", "bob", 'eve "e"'), [(0, 1, 1), (1, 2, 1)]),
        ("source,target\r\n1,2\r\n2,3\r\n", ("1", "2", "3"), [(0, 1, 1), (1, 2, 1)]),
        ("\ufeffsource,target\n1,2\n", ("1", "2"), [(0, 1, 1)]),
        ("source,target\n007,7\n7,8\n", ("007", "7", "8"), [(0, 1, 1), (1, 2, 1)]),
        ("1.0,2.5\n2.5,3\n", ("1.0", "2.5", "3"), [(0, 1, 1), (1, 2, 1)]),
        ("2020-01-01,2020-02-01\n2020-02-01,x\n", ("2020-01-01", "2020-02-01", "x"), [(0, 1, 1), (1, 2, 1)]),
        ("-5,9007199254740993\n", ("-5", "9007199254740993"), [(0, 1, 1)]),
        ("source,target\nzoë,é\n\n\né,a\n", ("zoë", "é", "a"), [(0, 1, 1), (1, 2, 1)]),
        ("1,2\n", ("1", "2"), [(0, 1, 1)]),
        (",source,target\n0,a,b\n1,b,c\n", ("a", "b", "c"), [(0, 1, 1), (1, 2, 1)]),
        ("weight,a,b\n3,x,y\n4,y,z\n", ("x", "y", "z"), [(0, 1, 3), (1, 2, 4)]),
        ("sep=;\nsource;target\na;b\nb;c\n", ("a", "b", "c"), [(0, 1, 1), (1, 2, 1)]),
        ("node 1,node 2\nnode 2,node 3\n", ("node 1", "node 2", "node 3"), [(0, 1, 1), (1, 2, 1)]),
        ("ann bob\n", ("ann", "bob"), [(0, 1, 1)]),
    ],
)
def test_a_list_of_links_is_read(tmp_path, text, names, links):
    network = read_graph(put(tmp_path, "edges.csv", text))
    assert network.names == names
    ends = np.array([link[:2] for link in links])
    expected = from_edges(ends, len(names), weights=[link[2] for link in links])
    np.testing.assert_array_equal(to_scipy(network.graph).toarray(), to_scipy(expected).toarray())


def test_named_columns_are_taken(tmp_path):
    path = put(tmp_path, "calls.csv", "day,caller,callee,seconds\n1,a,b,30\n2,b,c,60\n")
    network = read_graph(path, source="caller", target="callee", weight="seconds", directed=True)
    assert network.names == ("a", "b", "c")
    assert to_scipy(network.graph).toarray().tolist() == [[0, 30, 0], [0, 0, 60], [0, 0, 0]]
    with pytest.raises(InputError, match="no column is called 'cost'"):
        read_graph(path, weight="cost")


def test_a_column_of_types_says_whether_links_have_a_direction(tmp_path):
    text = "Source,Target,Type,Id,Weight\na,b,{0},0,2\nb,c,{1},1,3\n"
    assert read_graph(put(tmp_path, "edges.csv", text.format("Directed", "Directed"))).directed
    assert not read_graph(put(tmp_path, "edges.csv", text.format("Undirected", "Undirected"))).directed
    assert not read_graph(put(tmp_path, "edges.csv", text.format("friend", "Directed"))).directed


def test_one_named_end_leaves_the_other_to_the_first_other_column(tmp_path):
    network = read_graph(put(tmp_path, "edges.csv", "x,source\nb,a\nc,b\n"), directed=True)
    assert network.names == ("a", "b", "c")
    assert to_scipy(network.graph).toarray().tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    with pytest.raises(InputError, match="needs two for the nodes"):
        read_graph(put(tmp_path, "edges.csv", "a,weight\nx,1\ny,2\n"))


def test_weights_can_be_left_out(tmp_path):
    assert not read_graph(put(tmp_path, "edges.csv", "source,target,weight\na,b,2\nb,c,3\n"), weight="").weighted
    assert not read_graph(put(tmp_path, "edges.csv", "a,b,2\nb,c,3\nc,a,4\n"), weight="").weighted


def test_what_was_merged_is_counted(tmp_path):
    text = "# made by hand\nsource,target,weight\na,b,1\nb,a,2\na,b,4\nc,c,3\nb,c,0\nc,d,1\n"
    network = read_graph(put(tmp_path, "edges.csv", text))
    assert to_scipy(network.graph).toarray().tolist() == [[0, 7, 0, 0], [7, 0, 0, 0], [0, 0, 6, 1], [0, 0, 1, 0]]
    counts = (network.n_links, network.n_merged, network.n_self_loops, network.n_dropped, network.n_comments)
    assert counts == (6, 2, 1, 1, 1)
    assert network.n_edges == 3
    assert any("2 links were listed before" in note for note in network.notes)
    one_way = read_graph(put(tmp_path, "edges.csv", text), directed=True)
    assert (one_way.n_merged, one_way.n_edges, one_way.directed) == (1, 4, True)


def test_a_list_that_has_every_link_in_both_directions_counts_each_once(tmp_path):
    network = read_graph(put(tmp_path, "edges.csv", "1,2\n2,1\n2,3\n3,2\n3,3\n"))
    assert (network.n_mirrored, network.n_edges, network.n_merged) == (2, 3, 0)
    assert to_scipy(network.graph).toarray().tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 2]]
    assert any("both directions" in note for note in network.notes)


def test_parquet_is_read_as_the_same_list_in_text(tmp_path):
    frame = pd.DataFrame({"source": [5, 7, 9], "target": [7, 9, 11], "weight": [1.0, 2.5, 3.0], "day": ["a", "b", "c"]})
    frame.to_parquet(tmp_path / "edges.parquet")
    frame.to_csv(tmp_path / "edges.csv", index=False)
    one, other = read_graph(tmp_path / "edges.parquet"), read_graph(tmp_path / "edges.csv")
    assert one.names == other.names == ("5", "7", "9", "11")
    for part, same_part in zip(one.graph, other.graph, strict=True):
        np.testing.assert_array_equal(part, same_part)
    frame.assign(source=["x", "y", "z"], target=["y", None, "x"]).to_parquet(tmp_path / "gap.parquet")
    with pytest.raises(InputError, match=r"row 2 of gap\.parquet does not name the second node"):
        read_graph(tmp_path / "gap.parquet")


def test_many_links_keep_their_order_and_numbers(tmp_path):
    random = np.random.default_rng(0)
    ends = random.integers(0, 400, (30_000, 2))
    weights = random.integers(1, 100, 30_000) / 4
    for prefix in ("", "node "):
        lines = [f"{prefix}{a},{prefix}{b},{w}" for (a, b), w in zip(ends, weights, strict=True)]
        network = read_graph(put(tmp_path, "edges.csv", "\n".join(lines)))
        place = {name: i for i, name in enumerate(network.names)}
        if prefix:
            assert network.names == tuple(dict.fromkeys(f"{prefix}{end}" for end in ends.ravel()))
        again = [[place[f"{prefix}{a}"], place[f"{prefix}{b}"]] for a, b in ends]
        expected = from_edges(again, len(place), weights=weights)
        np.testing.assert_array_equal(network.graph.indices, expected.indices)
        np.testing.assert_allclose(network.graph.weights, expected.weights)


def test_standard_input_is_a_list_of_links(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a,b\nb,c\nc,a\n")))
    assert read_graph("-").names == ("a", "b", "c")


# ---- METIS and Matrix Market


def metis(graph, weights=False, sizes=0, own=0):
    """Write as the manual says: a line a node, neighbours from 1."""
    code = f"{int(sizes)}{int(own > 0)}{int(weights)}"
    lines = [f"{len(graph)} {graph.number_of_edges()} {code} {own or ''}".rstrip(), "% a comment"]
    number = {node: i + 1 for i, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        words = [7] * sizes + [number[node] + j for j in range(own)]
        for other in graph[node]:
            words += [number[other], *([graph[node][other]["weight"]] if weights else [])]
        lines.append(" ".join(map(str, words)))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("weights", "sizes", "own"), list(itertools.product([False, True], [0, 1], [0, 1, 3])))
def test_every_format_of_metis_is_read(tmp_path, weights, sizes, own):
    graph = nx.gnm_random_graph(15, 30, seed=2)
    graph.remove_edges_from(list(graph.edges(4)))  # a blank line where the node has nothing at all
    for a, b in graph.edges:
        graph[a][b]["weight"] = a + b + 1 if weights else 1
    network = read_graph(put(tmp_path, "net.graph", metis(graph, weights, sizes, own)))
    same(network, nx.relabel_nodes(graph, lambda i: i + 1))
    assert network.names[0] == "1"
    assert network.n_comments == 1
    names = ("size",) * sizes + (("weight",) if own == 1 else tuple(f"weight_{j + 1}" for j in range(own)))
    assert (network.nodes.names if network.nodes else ()) == names
    if own:
        assert network.nodes.columns[sizes].values.tolist() == list(range(1, 16))


@pytest.mark.parametrize("symmetry", ["symmetric", "general"])
@pytest.mark.parametrize("field", ["real", "integer", "pattern"])
def test_matrix_market_is_the_matrix_it_holds(tmp_path, symmetry, field):
    matrix = sp.random_array((12, 12), density=0.3, rng=np.random.default_rng(3), format="coo")
    matrix.data = np.ceil(9 * matrix.data) if field != "pattern" else np.ones(matrix.nnz)
    matrix = (matrix + matrix.T).tocoo() if symmetry == "symmetric" else matrix
    if field == "pattern":
        matrix.data[:] = 1
    mmwrite(tmp_path / "net.mtx", matrix, symmetry=symmetry, field=field)
    network = read_graph(tmp_path / "net.mtx")
    np.testing.assert_array_equal(to_scipy(network.graph).toarray(), matrix.toarray())
    assert network.directed == (symmetry == "general")
    assert network.weighted == (field != "pattern")
    assert network.names[:2] == ("1", "2")


@pytest.mark.parametrize("symmetry", ["symmetric", "general"])
def test_matrix_market_in_full_is_the_matrix_it_holds(tmp_path, symmetry):
    matrix = np.round(9 * np.random.default_rng(3).random((5, 5)))
    matrix = matrix + matrix.T if symmetry == "symmetric" else matrix
    mmwrite(tmp_path / "net.mtx", matrix, symmetry=symmetry)
    np.testing.assert_array_equal(to_scipy(read_graph(tmp_path / "net.mtx").graph).toarray(), matrix)


def test_the_walshaw_graphs_hold_what_their_headers_say(shared_data):
    for path in sorted((shared_data / "graphs" / "walshaw").glob("*.graph.gz")):
        header = gzip.decompress(path.read_bytes()).split(b"\n")[0].split()
        network = read_graph(path)
        assert (network.n_nodes, network.n_edges) == (int(header[0]), int(header[1]))
        assert not is_directed(network.graph)


def test_the_shared_networks_are_those_that_networkx_reads(shared_data):
    for name in ("karate_club", "dolphins", "polbooks"):
        path = shared_data / "graphs" / f"{name}.gml"
        same(read_graph(path), nx.read_gml(path))


# ---- directions


def test_directed_is_what_the_file_says_unless_it_is_said_otherwise(tmp_path):
    path = put(tmp_path, "net.gml", "graph [ directed 1 node [ id 1 ] node [ id 2 ] edge [ source 2 target 1 ] ]")
    assert read_graph(path).directed
    both = read_graph(path, directed=False)
    assert not both.directed
    assert to_scipy(both.graph).toarray().tolist() == [[0, 1], [1, 0]]
    assert any("added up" in note for note in both.notes)
    text = GRAPHML.format('<node id="1"/><node id="2"/><edge source="1" target="2"/>')
    network = read_graph(put(tmp_path, "net.graphml", text), directed=True)
    assert network.directed
    assert network.n_edges == 2


def test_undirected_edges_in_a_directed_graphml_lead_both_ways(tmp_path):
    edges = '<node id="a"/><node id="b"/><edge source="a" target="b" directed="true"/><edge source="b" target="a"/>'
    network = read_graph(put(tmp_path, "net.graphml", GRAPHML.format(edges)))
    assert to_scipy(network.graph).toarray().tolist() == [[0, 2], [1, 0]]
    assert any("both directions" in note for note in network.notes)


# ---- damage

NODE2 = '<node id="1"/><node id="2"/>'
BAD = {
    "an empty file": ("net.csv", "", "is empty"),
    "an empty METIS file": ("net.graph", " \n", "is empty"),
    "only comments": ("net.csv", "# nothing\n", "holds no data"),
    "a header only": ("net.csv", "source,target\n", "no links"),
    "one column": ("net.csv", "node\nann\nbob\n", "one column"),
    "one column of numbers": ("net.txt", "1\n2\n3\n", "one column"),
    "a line too short": ("net.csv", "source,target\n1,2\n3\n4,5\n", "line 3 of net.csv has 1 field where 2"),
    "a line too long": ("net.csv", "1 2\n2 3 4\n1 3\n", "line 2 of net.csv has 3 fields where 2"),
    "a missing end": ("net.csv", "# c\nsource,target\n1,2\n3,\n", "line 4 of net.csv does not name the second node"),
    "a word as a weight": ("net.csv", "source,target,weight\na,b,1\n\nb,c,high\n", "line 4 of net.csv.*'high'"),
    "a word as a weight without header": ("net.txt", "1 2 0.5\n2 3 abc\n1 3 1\n", "line 2 of net.txt.*'abc'"),
    "a negative weight": ("net.csv", "source,target,weight\na,b,1\nb,c,-2\n", "line 3 of net.csv.*'-2'"),
    "NaN as a weight": ("net.csv", "source,target,weight\na,b,1\nb,c,nan\n", "line 3 of net.csv.*'nan'"),
    "infinity as a weight": ("net.csv", "source,target,weight\na,b,inf\nb,c,1\n", "line 2 of net.csv.*'inf'"),
    "no weight": ("net.csv", "source,target,weight\na,b,1\nb,c,\n", "line 3 of net.csv gives a link no weight"),
    "only words as weights": ("net.csv", "source,target,weight\na,b,x\nb,c,y\n", "line 2 of net.csv.*'x'"),
    "a truncated gzip file": ("net.csv.gz", gzip.compress(b"1,2\n" * 5000)[:-20], "damaged gzip"),
    "a truncated gzip GML": ("net.gml.gz", gzip.compress(b"graph [ ]" * 5000)[:-20], "damaged gzip"),
    "a picture": ("net.csv", b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG"),
    "a picture called GML": ("net.gml", b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG"),
    "text called Parquet": ("net.parquet", "1,2\n", "no Parquet file"),
    "half a Parquet file": ("net.parquet", b"PAR1" + bytes(40), "no readable Parquet"),
    "METIS without header": ("net.graph", "hello\n", "line 1 of net.graph is 'hello'.*nodes edges"),
    "METIS with too few nodes": ("net.graph", "4 2\n2\n1\n", "promises 4 nodes, but 2 lines"),
    "METIS with too many nodes": ("net.graph", "2 1\n2\n1\n1\n", "promises 2 nodes, but 3 lines"),
    "METIS with a wrong number of edges": ("net.graph", "3 7\n2\n1 3\n2\n", "promises 7 edges.*list 2"),
    "METIS with a node that is not there": ("net.graph", "2 1\n2\n9\n", "line 3 of net.graph names node 9"),
    "METIS with a word": ("net.graph", "% c\n2 1\n2\nx\n", "line 4 of net.graph holds 'x'"),
    "METIS with a link one way": ("net.graph", "3 2\n2 3\n1\n2\n", "line [234] of net.graph links node"),
    "METIS with an odd number": ("net.graph", "2 1 1\n2 5\n1\n", "line 3 of net.graph has 1 numbers"),
    "METIS with two weights for a link": ("net.graph", "2 1 1\n2 5\n1 6\n", "gives another weight"),
    "METIS with a negative weight": ("net.graph", "2 1 1\n2 -5\n1 -5\n", "line 2 of net.graph.*negative"),
    "METIS without nodes": ("net.graph", "0 0\n", "no nodes"),
    "GML that ends early": ("net.gml", "graph [\n node [ id 1 ]\n", "'graph' that opens in line 1 is never closed"),
    "GML with a key too many": ("net.gml", "graph [\n node [ id ]\n]", "line 2 of net.gml"),
    "GML with an open quote": ("net.gml", 'graph [\n node [ id 1 label "x ]\n]', "line 2 of net.gml.*quote"),
    "GML with an unknown node": (
        "net.gml",
        "graph [\n node [ id 1 ]\n edge [ source 1 target 2 ]\n]",
        "line 3 of net.gml links the node id 2",
    ),
    "GML with a node twice": (
        "net.gml",
        "graph [\n node [ id 1 ]\n node [ id 1 ]\n]",
        "line 3 of net.gml.*second time",
    ),
    "GML with a word as a weight": (
        "net.gml",
        'graph [\n node [ id 1 ]\n edge [ source 1 target 1\n weight "x" ]\n]',
        "line 3 of net.gml has the weight 'x'",
    ),
    "GML with a negative weight": (
        "net.gml",
        "graph [\n node [ id 1 ]\n edge [ source 1 target 1 weight -1 ]\n]",
        "line 3 of net.gml.*negative",
    ),
    "GML without a graph": ("net.gml", "Version 1\n", "holds no graph"),
    "GML without nodes": ("net.gml", "graph [ ]", "no nodes"),
    "text called GML": ("net.gml", "source,target\n1,2\n", "line 1 of net.gml"),
    "XML that ends early": ("net.graphml", "<graphml><graph>", "line 1 of net.graphml.*no element|line 1.*GraphML"),
    "XML of another kind": ("net.graphml", "<svg></svg>", "root is <svg>"),
    "text called GraphML": ("net.graphml", "1,2\n", "line 1 of net.graphml"),
    "entities": (
        "net.graphml",
        '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>\n<graphml>&b;</graphml>',
        "line 2 of net.graphml declares a document type",
    ),
    "an outside file": (
        "net.graphml",
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><graphml/>',
        "declares a document type",
    ),
    "an unknown encoding": ("net.graphml", '<?xml version="1.0" encoding="klingon"?><graphml/>', "encoding"),
    "an encoding of several bytes": ("net.graphml", '<?xml version="1.0" encoding="gb18030"?><graphml/>', "encoding"),
    "GraphML with an unknown node": (
        "net.graphml",
        GRAPHML.format('\n<node id="1"/>\n<edge source="1" target="x"/>'),
        "line 3 of net.graphml links the node 'x'",
    ),
    "GraphML with a node twice": ("net.graphml", GRAPHML.format('<node id="1"/><node id="1"/>'), "second time"),
    "GraphML with a node without id": ("net.graphml", GRAPHML.format("<node/>"), "<node> without 'id'"),
    "GraphML with a word as a weight": (
        "net.graphml",
        GRAPHML.format(NODE2 + '\n<edge source="1" target="2"><data key="weight">x</data></edge>'),
        "line 2 of net.graphml has the weight 'x'",
    ),
    "GraphML with NaN as a weight": (
        "net.graphml",
        GRAPHML.format(NODE2 + '<edge source="1" target="2"><data key="weight">NaN</data></edge>'),
        "line 1 of net.graphml",
    ),
    "GraphML without nodes": ("net.graphml", GRAPHML.format(""), "no nodes"),
    "GraphML with a hyperedge": ("net.graphml", GRAPHML.format("<hyperedge/>"), "hyperedge"),
    "GraphML with a graph in a node": (
        "net.graphml",
        GRAPHML.format('<node id="1"><graph edgedefault="directed"/></node>'),
        "graph inside a node",
    ),
    "Matrix Market without its first line": ("net.mtx", "2 2 1\n1 2 1\n", "does not begin with .%%MatrixMarket"),
    "Matrix Market that ends early": (
        "net.mtx",
        "%%MatrixMarket matrix coordinate real general\n2 2 3\n1 2 1\n",
        "promises 3 entries, but 1 lines",
    ),
    "Matrix Market that is not square": (
        "net.mtx",
        "%%MatrixMarket matrix coordinate real general\n2 3 1\n1 2 1\n",
        "must be square",
    ),
    "Matrix Market with a negative weight": (
        "net.mtx",
        "%%MatrixMarket matrix coordinate real general\n2 2 1\n1 2 -1\n",
        "line 3 of net.mtx.*negative",
    ),
    "Matrix Market of complex numbers": (
        "net.mtx",
        "%%MatrixMarket matrix coordinate complex general\n2 2 1\n1 2 1 1\n",
        "complex",
    ),
    "Matrix Market that ends SciPy's reader": (
        "net.mtx",
        "%%MatrixMarket matrix coordinate real symmetric\n12 12 1\n8 5 1.15E",
        "line 3 of net.mtx holds '1.15E'",
    ),
    "Matrix Market that promises billions of nodes": (
        "net.mtx",
        "%%MatrixMarket matrix coordinate pattern general\n2000000000 2000000000 1\n1 3\n",
        "2,000,000,000 nodes",
    ),
    "Matrix Market with a node that is not there": (
        "net.mtx",
        "%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 3\n",
        "line 3 of net.mtx names node 3",
    ),
    "Matrix Market with a value too many": (
        "net.mtx",
        "%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 2 3\n",
        "line 3 of net.mtx has 3 numbers",
    ),
    "Matrix Market without its size": ("net.mtx", "%%MatrixMarket matrix coordinate real general\n% x\n", "ends after"),
    "Matrix Market with half a size": (
        "net.mtx",
        "%%MatrixMarket matrix coordinate real general\n2 2\n",
        "line 2 of net.mtx is '2 2'",
    ),
    "Matrix Market of another object": (
        "net.mtx",
        "%%MatrixMarket vector coordinate real general\n",
        "line 1 of net.mtx",
    ),
    "an empty Matrix Market file": ("net.mtx", " ", "empty"),
    "no rows at all in Matrix Market": (
        "net.mtx",
        "%%MatrixMarket matrix coordinate real general\n0 0 0\n",
        "no nodes",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_refused_in_one_sentence_with_its_place(tmp_path, kind):
    name, content, words = BAD[kind]
    with pytest.raises((InputError, ResourceError, UnsupportedError), match=words) as raised:
        read_graph(put(tmp_path, name, content))
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named_with_its_neighbour(tmp_path):
    put(tmp_path, "edges.csv", "1,2\n")
    with pytest.raises(InputError, match=r"did you mean .*edges\.csv"):
        read_graph(tmp_path / "edgse.csv")


def test_a_file_beyond_the_memory_limit_is_refused_before_it_is_read(tmp_path):
    for name in ("net.csv.gz", "net.gml.gz", "net.mtx.gz"):
        path = put(tmp_path, name, gzip.compress(b"1,2\n" * 100_000))
        with pytest.raises(ResourceError, match="memory limit"):
            read_graph(path, memory_limit=10_000)


def test_columns_are_for_lists(tmp_path):
    with pytest.raises(InputError, match="lists of links"):
        read_graph(put(tmp_path, "net.graph", "2 1\n2\n1\n"), source="a")
    with pytest.raises(InputError, match="no header line"):
        read_graph(put(tmp_path, "net.csv", "1,2\n2,3\n"), source="a")


# ---- writing


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_networkx_reads_what_is_written(tmp_path, directed, weighted):
    random = np.random.default_rng(9)
    names = [f"node {i} <&\"'>" for i in range(10)] + ["new\nline", "tab\t"]
    edges = (
        np.unique(random.integers(0, 12, (25, 2)), axis=0) if directed else np.array([[0, 1], [3, 3], [2, 11], [10, 0]])
    )
    graph = from_edges(edges, 12, weights=random.random(len(edges)) if weighted else None, directed=directed)
    table = {"class": list(range(12)), "share": [0.5] * 11 + [None], "note": ["a<b"] * 6 + [None] * 6}
    write_graphml(tmp_path / "net.graphml", graph, names, table)
    found = nx.read_graphml(tmp_path / "net.graphml")
    assert list(found.nodes) == names
    assert found.is_directed() == directed
    assert found.nodes[names[3]] == {"class": 3, "share": 0.5, "note": "a<b"}
    assert found.nodes[names[11]] == {"class": 11}
    again = read_graph(tmp_path / "net.graphml")
    same(again, found)
    np.testing.assert_array_equal(to_scipy(again.graph).toarray(), to_scipy(graph).toarray())
    assert again.nodes.column("class").values.tolist() == list(range(12))


def test_what_xml_cannot_hold_is_replaced(tmp_path):
    write_graphml(tmp_path / "net.graphml", from_edges([[0, 1]]), ["a\x00b", "c\ud800"], {"x\x01": ["\x02", "ok"]})
    assert list(nx.read_graphml(tmp_path / "net.graphml").nodes) == ["a\ufffdb", "c\ufffd"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((["a"],), "2 different names"),
        ((["a", "a"],), "2 different names"),
        ((None, {"x": [1]}), "'x' must hold 2"),
        ((None, [1, 2]), "Table or a dict"),
    ],
)
def test_what_does_not_fit_the_nodes_is_not_written(tmp_path, arguments, words):
    with pytest.raises(InputError, match=words):
        write_graphml(tmp_path / "net.graphml", from_edges([[0, 1]]), *arguments)
    assert not list(tmp_path.iterdir())


def test_a_directed_graph_is_not_written_as_undirected(tmp_path):
    graph = from_edges([[0, 1]], directed=True)
    with pytest.raises(InputError, match="directed"):
        write_graphml(tmp_path / "net.graphml", graph, directed=False)
    write_graphml(tmp_path / "net.graphml", undirected(graph), directed=True)
    assert nx.read_graphml(tmp_path / "net.graphml").number_of_edges() == 2


# ---- attributes of nodes


@pytest.fixture
def network(tmp_path):
    return read_graph(put(tmp_path, "edges.csv", "source,target\nann,bob\nbob,eve\n"))


def test_nodes_are_joined_by_their_names(network, tmp_path):
    path = put(tmp_path, "nodes.csv", "town,name,age\nBern,eve,31\nBasel,ann,45\nBern,bob,28\n")
    found = read_nodes(path, network)
    assert found.nodes.names == ("town", "age")
    assert found.nodes.column("town").values.tolist() == ["Basel", "Bern", "Bern"]
    assert found.nodes.column("age").values.tolist() == [45, 28, 31]


def test_nodes_of_one_side_only_are_kept_and_counted(network):
    found = read_nodes({"id": ["bob", "zoe", "yan"], "age": [1, 2, 3]}, network)
    assert found.names == ("ann", "bob", "eve", "zoe", "yan")
    assert found.graph.n_nodes == found.n_nodes == len(found.nodes) == 5
    assert np.diff(found.graph.indptr).tolist() == [1, 2, 1, 0, 0]
    np.testing.assert_array_equal(found.nodes.column("age").values, [np.nan, 1, np.nan, 2, 3])
    assert any("2 nodes stand in table only" in note for note in found.notes)
    assert any("2 nodes are not in table" in note for note in found.notes)


def test_numbers_name_nodes_too(tmp_path):
    network = read_graph(put(tmp_path, "edges.csv", "10,20\n20,30\n"))
    found = read_nodes({"age": [20, 40, 30], "node_id": [30, 20, 10]}, network)
    assert found.nodes.column("age").values.tolist() == [30, 40, 20]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"id": ["ann", "bob", "ann"], "x": [1, 2, 3]}, "'ann' stands in rows 1 and 3"),
        ({"id": ["ann", None, "bob"], "x": [1, 2, 3]}, "row 2 of table has no value in 'id'"),
        ({"id": ["A", "B", "C"], "x": [1, 2, 3]}, "no column of table names a node of the network, such as 'ann'"),
    ],
)
def test_nodes_that_cannot_be_joined_are_refused(network, table, words):
    with pytest.raises(InputError, match=words):
        read_nodes(table, network)


def test_the_column_of_names_can_be_said(network):
    table = {"id": [1, 2, 3], "nick": ["eve", "bob", "ann"]}
    assert read_nodes(table, network).nodes.names == ("id",)
    assert read_nodes(table, network, id_column="nick").nodes.column("id").values.tolist() == [3, 2, 1]
    with pytest.raises(InputError, match="no value of 'id'"):
        read_nodes(table, network, id_column="id")
    with pytest.raises(InputError, match="no column is called 'key'"):
        read_nodes(table, network, id_column="key")


def test_attributes_of_the_file_and_of_the_table_stand_side_by_side(tmp_path):
    text = "graph [ node [ id 1 town 5 age 9 ] node [ id 2 ] edge [ source 1 target 2 ] ]"
    network = read_nodes({"id": [2, 1], "age": [8, 7]}, read_graph(put(tmp_path, "net.gml", text)))
    assert network.nodes.names == ("town", "age")
    assert network.nodes.column("age").values.tolist() == [7, 8]
