"""The sums of each center's rows, kept from step to step: what a row that moves takes and brings, one slot for each block."""

from .jit import kernel

__all__ = ["merge", "move_row"]


@kernel
def move_row(block, X, i, weight, old, new, sums, weights, counts, touched):
    """Take row i from the sums of its old center and add it to those of the new one."""
    w = weight[i] if len(weight) > 1 else weight[0]
    for label, sign in ((old, -1.0), (new, 1.0)):
        if label < 0:
            continue
        if not touched[block, label]:
            touched[block, label] = True
            sums[block, label], weights[block, label], counts[block, label] = 0.0, 0.0, 0
        signed = sign * w
        weights[block, label] += signed
        counts[block, label] += int(sign) if w > 0 else 0
        for f in range(X.shape[1]):
            sums[block, label, f] += signed * X[i, f]


@kernel
def merge(
    part,
    n_parts,  # int  in: each merges its share of the places
    sums,  # (n_blocks, places, d)  in
    weights,  # (n_blocks, places)  in
    counts,  # (n_blocks, places)  in
    touched,  # (n_blocks, places)  in; false after
    total,  # (places, d)  in, out
    total_weights,  # (places,)  in, out
    total_counts,  # (places,)  in, out
):
    places, d = total.shape
    for block in range(len(sums)):
        for c in range(places * part // n_parts, places * (part + 1) // n_parts):
            if touched[block, c]:
                touched[block, c] = False
                total_weights[c] += weights[block, c]
                total_counts[c] += counts[block, c]
                for f in range(d):
                    total[c, f] += sums[block, c, f]
    for c in range(places * part // n_parts, places * (part + 1) // n_parts):
        if total_counts[c] == 0:
            # What rounding has left of rows that came and went.
            total[c], total_weights[c] = 0.0, 0.0
