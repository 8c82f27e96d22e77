"""Trees over rows: linkage from edges, condensing, selection. Sequential, on the host, without recursion."""
