"""The colours of groups: Okabe and Ito's seven first, then a list as far apart as colour-blind eyes allow.

The list after the seventh was grown greedily in the OKLab colour space: each next colour is the one furthest from all
before it under normal sight and under simulated protanopia, deuteranopia and tritanopia (Machado et al., 2009,
doi:10.1109/TVCG.2009.113), lightness kept where both a white and a dark page let it show.
"""

__all__ = ["NOISE", "PALETTE", "color"]

NOISE = "#999999"

PALETTE = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#901808"),
    *("#005860", "#90D098", "#8878F8", "#682098", "#B83828", "#10D8D8", "#487058", "#A83890"),
    *("#3850C8", "#60B870", "#9080D0", "#803040", "#58D060", "#E08038", "#7068D8", "#B07850"),
    *("#78C0A8", "#7898F8", "#A06890", "#982870", "#38A8C0", "#107030", "#78C8F8", "#006890"),
    *("#E088D8", "#A85870", "#8878B0", "#6048A8", "#C83850", "#E06078", "#703080", "#E8A8C0"),
    *("#A848B8", "#A03008", "#70A850", "#485878", "#F0B038", "#5030B0", "#D0A090", "#900858"),
    *("#688818", "#F870C0", "#8878E0", "#A87890", "#507848", "#D8B880", "#B880E8", "#7858A0"),
    *("#6898A8", "#6858D8", "#00C090", "#5078C8", "#783828", "#50C058", "#E88808", "#30D0C0"),
)


def color(index: int) -> str:
    """Return the colour of the group with this index; after the last the list starts again."""
    return NOISE if index < 0 else PALETTE[index % len(PALETTE)]
