"""The parameters and attributes that all deep clusterers share, described once and put into each class's docstring."""

import textwrap

__all__ = ["documented"]

_N_CLUSTERS = """\
n_clusters : int or "auto", default=8
    How many groups. "auto" counts them in the embedding, once the encoder is trained: communities of the graph of the 10 nearest
    neighbours (of 10,000 rows at most), joined unless fewer links run between two of them than through the thinnest middle of
    either and than through a single normal cloud. ``n_clusters_`` says how many there were.
"""
_PARAMETERS = """\
encoder : {"auto", "mlp", "conv", "vae"} or torch.nn.Module, default="auto"
    The network. "auto" is "conv" for images with sides of at least 8, else "mlp". A module is copied, never changed; its
    ``encode(x)`` gives the embedding (else what it returns, flattened), its ``loss(x)`` trains it without labels (else it is
    taken as trained), its ``decode(z)`` leads back.
hidden : sequence of int, default=None
    Widths of the layers before the embedding, in reverse after it: (500, 500, 2000) by default, for "conv" the channels,
    (16, 32, 64) by default.
embedding_dim : int, default=10
    Length of the embedding.
layers : sequence of str, "all" or None, default=None
    The encoder's layers whose outputs are clustered, named as `LayerFeatures` does ("encoder.2", "encoder.*", ...), side by
    side as white blocks of equal variance; None is the embedding alone.
whiten : bool, default=True
    Whether to turn the embedding, as it is before clusters are trained, to its principal axes and give each variance 1: what
    is clustered then has the same scale for every network. Several layers always are.
pretrain_epochs : "auto" or int, default="auto"
    Times that training without labels goes through the rows; "auto" is 30, or more where 30 are fewer than 1,000 steps.
"""
_LAST_PARAMETERS = """\
batch_size : "auto" or int, default="auto"
    Rows of one step; "auto" is a sixteenth of the rows, between 16 and 256.
learning_rate : float, default=1e-3
    Of Adam.
n_init : int, default=1
    How many trainings; the one with the greatest ``score_`` is kept.
min_cluster_size : int, float or None, default=None
    Least number of rows of a cluster, or share of them between 0 and 1. After the training, clusters below it are given up, the
    smallest first, and their rows go to the next most probable cluster.
checkpoint : str, path-like or None, default=None
    File that holds the newest state. A ``fit`` that finds it goes on from there, to the same result as without a stop; it is
    removed at the end. Needs a whole number as ``random_state``.
verbose : bool or int, default=0
    1 shows a bar for each phase on the error stream, 2 also a line for each epoch.
random_state : int, RandomState or None, default=None
    Seed of the network's start, the order of the rows, and the clusters' start.
device : str, default="cpu"
    "cuda", "cuda:0", "mps" or "auto" move NumPy input to a GPU once; tensors are computed on where they lie. A GPU that is
    not there is an error, never a silent change to the CPU.
"""
_ATTRIBUTES = """\
labels_ : (n,) int64 array
    Most probable cluster of each row; a tensor where ``X`` was one.
embedding_ : (n, p) float32 array
    What was clustered.
soft_labels_ : (n, k) float32 array
    Probability of each cluster for each row.
n_clusters_ : int
    Number of clusters, those that ``min_cluster_size`` gave up not among them.
occupancy_ : (k,) int64 array
    Number of rows of each cluster.
history_ : list of dict
    One record an epoch: phase, epoch, each term of the loss, and with clusters the share of rows that changed theirs
    (``changed``), the smallest cluster, and how many dying clusters were set up anew (``revived``).
stop_reason_ : str
    "converged" or "epochs".
converged_ : bool
    Whether the training ended by itself.
n_iter_ : int
    Number of epochs, all phases together.
score_ : float
    Modularity of the labels on the graph of the 10 nearest neighbours in the inputs: how well the clusters follow the data,
    whatever the embedding.
start_score_, start_labels_ : float, (n,) int64 array
    The same and the labels before training with clusters; None where there was none. ``score_ > start_score_`` says that
    it helped.
encoder_ : torch.nn.Module
    The trained network.
row_shape_ : tuple of int
    Shape of one row of the fit.
n_features_in_ : int
    Numbers in one row.
"""


def documented(kind: type) -> type:
    """Replace the lines ``<common ...>`` of the docstring of ``kind`` by the texts above.

    Parameters
    ----------
    kind : type

    Returns
    -------
    type
        ``kind`` itself.
    """
    text = kind.__doc__ or ""
    for marker, shared in (
        ("<number of clusters>", _N_CLUSTERS),
        ("<common parameters>", _PARAMETERS),
        ("<common last parameters>", _LAST_PARAMETERS),
        ("<common attributes>", _ATTRIBUTES),
    ):
        text = text.replace(f"    {marker}\n", textwrap.indent(shared, "    "))
    kind.__doc__ = text
    return kind
