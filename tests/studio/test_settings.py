"""What a run is asked for: every field checked, and nothing beyond them."""

import pytest

from coterie.errors import InputError
from coterie.studio.settings import ROLES, USED_ROLES, Settings, settings_from
from coterie.tables import find_roles, read

COLUMNS = {"age", "city"}


def test_nothing_asked_is_everything_chosen():
    assert settings_from({}, COLUMNS) == Settings()
    assert Settings().options() == {"seed": 0, "purpose": "natural", "method": "auto"}


def test_what_is_asked_reaches_the_run_in_its_own_words():
    asked = {
        "purpose": "useful",
        "method": "KMeans",
        "clusters": 4,
        "min_share": 0.05,
        "seed": 7,
        "truth": "city",
        "roles": {"age": "id"},
    }
    assert settings_from(asked, COLUMNS).plain() == asked
    assert settings_from(asked, COLUMNS).options() == {
        "purpose": "useful", "method": "KMeans", "n_clusters": 4, "min_share": 0.05, "seed": 7, "truth": "city", "roles": {"age": "id"}
    }  # fmt: skip


@pytest.mark.parametrize(
    "asked",
    [
        None, [], "x", {"source": "/etc/passwd"}, {"params": {}}, {"purpose": "fun"}, {"method": "Magic"}, {"method": ["KMeans"]},
        {"clusters": 0}, {"clusters": 2.5}, {"clusters": "3"}, {"clusters": True}, {"clusters": 10**9}, {"min_share": -0.1}, {"min_share": 2},
        {"min_share": True}, {"min_share": float("nan")}, {"seed": None}, {"seed": -1}, {"seed": 2**32}, {"truth": "nobody"}, {"truth": ["age"]},
        {"roles": []}, {"roles": {"nobody": "number"}}, {"roles": {"age": "king"}}, {"roles": {"age": ["number"]}}, {"roles": {"age": "constant"}},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence(asked):
    with pytest.raises(InputError) as refused:
        settings_from(asked, COLUMNS)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("role", ROLES)
def test_a_role_counts_as_used_where_the_tables_say_so(role):
    (found,) = find_roles(read({"x": ["a b", "c d", "a b"]}), roles={"x": role})
    assert found.used == (role in USED_ROLES)
