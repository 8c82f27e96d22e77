"""Partitions: every row to the nearest of k representatives."""
