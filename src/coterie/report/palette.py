"""The colours of groups: Okabe and Ito's seven first, then a list as far apart as colour-blind eyes allow.

The list after the seventh was grown greedily in the OKLab colour space: each next colour is the one furthest from all
before it under normal sight and under simulated protanopia, deuteranopia and tritanopia (Machado et al., 2009,
doi:10.1109/TVCG.2009.113), lightness kept where both a white and a dark page let it show.
"""

__all__ = ["NOISE", "PALETTE", "color"]

NOISE = "#999999"

PALETTE = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#A82820"),
    *("#904070", "#90D098", "#8878F8", "#10D8D8", "#3850C8", "#60B870", "#9080D0", "#C84040"),
    *("#906888", "#607858", "#58D060", "#E08038", "#984898", "#7068D8", "#78C0A8", "#7898F8"),
    *("#38A8C0", "#C07850", "#78C8F8", "#983850", "#E088D8", "#883098", "#7878A8", "#E06078"),
    *("#B83800", "#E8A8C0", "#A848B8", "#486080", "#7040B0", "#707038", "#D04898", "#F0B038"),
    *("#D0A090", "#F870C0", "#8878E0", "#C05000", "#D84860", "#009070", "#D8B880", "#F86090"),
    *("#68B050", "#B880E8", "#885868", "#6858D8", "#988030", "#5078C8", "#D09860", "#E0B058"),
    *("#E88808", "#30D0C0", "#A03840", "#6898A8", "#C0A0F8", "#E8A0A8", "#9040A0", "#6870F0"),
)


def color(index: int) -> str:
    """Return the colour of the group with this index; after the last the list starts again."""
    return NOISE if index < 0 else PALETTE[index % len(PALETTE)]
