"""The data-parallel steps that algorithms are made of: one documented front each, one engine per array type behind it."""
