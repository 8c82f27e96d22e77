"""What is normal, learnt from a history, and which new rows are not: p-values, a false-alarm rate that holds, and reasons."""

from ._explaining import Explanation
from ._history import History
from ._scaling import Scaling
from .judging import Judged, judge_rows
from .learning import Learnt, learn_history
from .normalcy import NormalcyModel

__all__ = ["Explanation", "History", "Judged", "Learnt", "NormalcyModel", "Scaling", "judge_rows", "learn_history"]
