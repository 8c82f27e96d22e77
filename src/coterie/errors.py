"""The errors that coterie raises, each also one of Python's own so that either can be caught."""

__all__ = [
    "ClusterError",
    "ClusterWarning",
    "CoterieError",
    "InputError",
    "MissingExtraError",
    "ModelFileError",
    "OutputError",
    "ResourceError",
    "UnsupportedError",
]


class CoterieError(Exception):
    """Base of every error that coterie raises on purpose."""


class InputError(CoterieError, ValueError):
    """The data or a parameter cannot be used; the message says what was expected, what came, what to do."""


class ModelFileError(InputError):
    """A model file is damaged, of an unknown version, or names a class that is not on the list."""


class ResourceError(CoterieError, MemoryError):
    """A plan would not fit in the memory or time allowed; nothing was allocated."""


class UnsupportedError(CoterieError, NotImplementedError):
    """The combination asked for is not available; the message names one that is."""


class MissingExtraError(CoterieError, ImportError):
    """An optional dependency is not installed; the message gives the install line."""


class OutputError(CoterieError, OSError):
    """A result could not be written; what stood at the path before is untouched."""


class ClusterError(CoterieError, ConnectionError):
    """The scheduler or the workers that computed are gone; nothing was fitted."""


class ClusterWarning(UserWarning):
    """A cluster of machines can be reached by others, who may run code on it; or clusters of rows are approximate, on a sample."""
