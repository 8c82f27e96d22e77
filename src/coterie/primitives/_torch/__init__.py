"""The GPU engine: the same functions as the CPU engine's, on PyTorch tensors wherever they lie; tested on the CPU.

Results are those of the CPU engine. Where a step decides by comparing distances, they are formed feature by feature with
one rounding for each difference, square and sum, as the CPU engine forms them, so that the comparison falls the same way.
What is summed over rows is summed in float64 and in an order that the data alone decides: no atomic addition of floats.
"""
