"""What is normal, learnt from a history, and which new rows are not: p-values, a false-alarm rate that holds, and reasons."""

from ._explaining import Explanation
from ._history import History
from ._scaling import Scaling
from .normalcy import NormalcyModel

__all__ = ["Explanation", "History", "NormalcyModel", "Scaling"]
