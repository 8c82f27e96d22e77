"""Density methods: clusters are where rows lie close together, whatever their shape; the rest is noise."""
