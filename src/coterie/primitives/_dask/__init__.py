"""Primitives on rows that lie in blocks on many machines: each block by its own engine, small states merged on the client.

`rows` says what the blocks are and `passes` runs a function over them; every other file has the name of the primitive that it
implements. Nothing but states crosses the wire, except where a file says so. Files imported here need the extra ``distributed``.
"""
