"""Superpixels on the CPU: pixels to the nearest of nine centers, pieces that hang together, borders between labels.

Labels are int32, -1 where the picture is left out. Pixels touch by their sides, four of them.
"""

from .jit import kernel, part

__all__ = ["assign_pixels", "borders", "count_borders", "pieces", "redraw", "sum_pixels", "tally"]


@part
def _gap2(image, y, x, centers, k, place, row, column):
    """Squared distance in colour plus that in place, the latter ``place`` times."""
    bands = image.shape[2]
    down, across = row - centers[k, bands], column - centers[k, bands + 1]
    gap = (down * down + across * across) * place
    for f in range(bands):
        side = image[y, x, f] - centers[k, f]
        gap += side * side
    return gap


@kernel
def assign_pixels(
    block,  # int  in: a strip of rows
    per_block,  # int  in
    image,  # (h, w, c) float32  in
    inside,  # (h, w) bool  in
    centers,  # (down * across, c + 2)  in: colour, row, column
    down,  # int  in: cells of the grid that the centers started from
    across,  # int  in
    place,  # float  in: what a squared pixel of distance counts
    labels,  # (h, w) int32  out
):
    height, width = image.shape[:2]
    for y in range(block * per_block, min(height, (block + 1) * per_block)):
        i = y * down // height
        for x in range(width):
            if not inside[y, x]:
                labels[y, x] = -1
                continue
            j = x * across // width
            best, nearest = -1.0, -1
            for a in range(max(0, i - 1), min(down, i + 2)):
                for b in range(max(0, j - 1), min(across, j + 2)):
                    gap = _gap2(image, y, x, centers, a * across + b, place, y, x)
                    if nearest < 0 or gap < best:
                        best, nearest = gap, a * across + b
            labels[y, x] = nearest


@kernel
def sum_pixels(
    block,  # int  in: a strip of rows
    per_block,  # int  in
    image,  # (h, w, c) float32  in
    labels,  # (h, w) int32  in
    sums,  # (blocks, k, c + 3)  out: of colour, row, column, and pixels, starting at 0
):
    height, width, bands = image.shape
    mine = sums[block]
    for y in range(block * per_block, min(height, (block + 1) * per_block)):
        for x in range(width):
            k = labels[y, x]
            if k >= 0:
                for f in range(bands):
                    mine[k, f] += image[y, x, f]
                mine[k, bands] += y
                mine[k, bands + 1] += x
                mine[k, bands + 2] += 1


@kernel
def redraw(
    block,  # int  in: a strip of coarse rows
    per_block,  # int  in
    image,  # (h, w, c) float32  in: some rows of the picture at full size
    start,  # int  in: which row of the picture is the first of them
    inside,  # (h, w) bool  in: of these rows
    factor,  # int  in: pixels in a coarse one, along each side
    coarse,  # (ch, cw) int32  in
    centers,  # (k, c + 2)  in: in coarse pixels
    place,  # float  in
    labels,  # (h, w) int32  out
):
    """Give pixels near a border to the nearest of the superpixels that meet there, and all others to their own."""
    height, width = labels.shape
    candidates = [0] * 9
    for y in range(block * per_block, min(height, (block + 1) * per_block)):
        i = (start + y) // factor
        for x in range(width):
            if not inside[y, x]:
                labels[y, x] = -1
                continue
            j, count = x // factor, 0
            for a in range(max(0, i - 1), min(coarse.shape[0], i + 2)):
                for b in range(max(0, j - 1), min(coarse.shape[1], j + 2)):
                    k = coarse[a, b]
                    new = k >= 0
                    for seen in range(count):
                        new = new and candidates[seen] != k
                    if new:
                        candidates[count] = k
                        count += 1
            best, nearest = -1.0, -1 if count == 0 else candidates[0]
            if count > 1:
                row, column = (start + y + 0.5) / factor - 0.5, (x + 0.5) / factor - 0.5
                nearest = -1
                for c in range(count):
                    k = candidates[c]
                    gap = _gap2(image, y, x, centers, k, place, row, column)
                    if nearest < 0 or gap < best or (gap == best and k < nearest):
                        best, nearest = gap, k
            labels[y, x] = nearest


@kernel
def pieces(
    labels,  # (h, w) int32  in
    queue,  # (h * w,) int32  scratch
    piece,  # (h, w) int32  out: -1 before; which piece, numbered by first pixel
    label,  # (h * w,) int32  out: of each piece
    size,  # (h * w,) int32  out: pixels of each piece
):
    """Find pieces of equal labels that hang together; return how many there are."""
    height, width = labels.shape
    count = 0
    for start in range(height * width):
        if labels[start // width, start % width] < 0 or piece[start // width, start % width] >= 0:
            continue
        mine = labels[start // width, start % width]
        queue[0], piece[start // width, start % width] = start, count
        read, written = 0, 1
        while read < written:
            y, x = queue[read] // width, queue[read] % width
            read += 1
            for side in range(4):
                b = y + (side == 0) - (side == 1)
                a = x + (side == 2) - (side == 3)
                if 0 <= b < height and 0 <= a < width and labels[b, a] == mine and piece[b, a] < 0:
                    piece[b, a] = count
                    queue[written] = b * width + a
                    written += 1
        label[count], size[count] = mine, written
        count += 1
    return count


@kernel
def count_borders(labels):
    """Return how many pairs of touching pixels have different labels, both of them inside."""
    height, width = labels.shape
    count = 0
    for y in range(height):
        for x in range(width):
            mine = labels[y, x]
            if mine < 0:
                continue
            if x + 1 < width and labels[y, x + 1] >= 0 and labels[y, x + 1] != mine:
                count += 1
            if y + 1 < height and labels[y + 1, x] >= 0 and labels[y + 1, x] != mine:
                count += 1
    return count


@kernel
def borders(
    labels,  # (h, w) int32  in
    first,  # (m,) int64  out: a pixel, y * w + x
    second,  # (m,) int64  out: the one to its right, or below it, of another label
):
    height, width = labels.shape
    count = 0
    for y in range(height):
        for x in range(width):
            mine = labels[y, x]
            if mine < 0:
                continue
            if x + 1 < width and labels[y, x + 1] >= 0 and labels[y, x + 1] != mine:
                first[count], second[count] = y * width + x, y * width + x + 1
                count += 1
            if y + 1 < height and labels[y + 1, x] >= 0 and labels[y + 1, x] != mine:
                first[count], second[count] = y * width + x, (y + 1) * width + x
                count += 1


@kernel
def tally(
    labels,  # (h, w) int32  in
    values,  # (h, w, c) any number  in
    sums,  # (k, c + 3)  out: of values, row, column, and pixels, starting at 0
    box,  # (k, 4) int64  out: lowest and highest row, lowest and highest column; starts at what these undercut and exceed
):
    height, width = labels.shape
    bands = values.shape[2]
    for y in range(height):
        for x in range(width):
            k = labels[y, x]
            if k < 0:
                continue
            for f in range(bands):
                sums[k, f] += values[y, x, f]
            sums[k, bands] += y
            sums[k, bands + 1] += x
            sums[k, bands + 2] += 1
            box[k, 0], box[k, 1] = min(box[k, 0], y), max(box[k, 1], y)
            box[k, 2], box[k, 3] = min(box[k, 2], x), max(box[k, 3], x)
