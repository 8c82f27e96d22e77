"""Trees of clusters: merged from single rows upwards, or split from all rows downwards."""
