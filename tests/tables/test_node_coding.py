"""New nodes as rows of links to the nodes of a fit, and what a file keeps of the names."""

import numpy as np
import pytest

from coterie.errors import InputError
from coterie.tables import NodeCoding

NAMES = ("ann", "", "bob\0", "Zoë 🎈", "\udcff")


def links(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_names_come_back_from_their_state_whatever_they_hold():
    described, arrays = NodeCoding(NAMES, True, {"source": "from"}).state()
    again = NodeCoding.from_state(described, arrays)
    assert again.names == NAMES
    assert again.directed
    assert again.columns == {"source": "from"}


@pytest.mark.parametrize("damage", ["ends", "text", "nodes"])
def test_a_damaged_state_is_refused(damage):
    described, arrays = NodeCoding(NAMES).state()
    described["nodes"] += damage == "nodes"
    if damage != "nodes":
        arrays[damage] = arrays[damage][:-1]
    with pytest.raises(ValueError, match="not whole"):
        NodeCoding.from_state(described, arrays)


def test_rows_hold_the_weights_of_links_to_the_fit_in_its_order(tmp_path):
    path = links(tmp_path / "new.csv", "source,target,weight\nc,y,2\nx,a,3\nx,y,9\na,b,7\n")
    found = NodeCoding(("a", "b", "c")).read(path)
    assert found.names == ("y", "x")
    assert found.n_known == 3
    assert found.links.toarray().tolist() == [[0, 0, 2], [3, 0, 0]]


def test_a_directed_model_takes_links_where_new_nodes_start(tmp_path):
    path = links(tmp_path / "new.csv", "source,target\na,x\nx,b\n")
    assert NodeCoding(("a", "b"), directed=True).read(path).links.toarray().tolist() == [[0, 1]]
    assert NodeCoding(("a", "b")).read(path).links.toarray().tolist() == [[1, 1]]


def test_what_is_no_list_of_links_is_refused():
    with pytest.raises(InputError, match="takes a file of links, got ndarray"):
        NodeCoding(("a",)).read(np.eye(2))


def test_columns_that_were_said_are_taken_again(tmp_path):
    path = links(tmp_path / "new.csv", "day,payer,payee\n1,x,a\n2,x,b\n")
    found = NodeCoding(("a", "b"), columns={"source": "payer", "target": "payee"}).read(path)
    assert (found.names, found.links.toarray().tolist()) == (("x",), [[1, 1]])
