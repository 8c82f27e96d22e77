"""Tables with known answers, studied once."""

import numpy as np
import pytest

from coterie.study import study


@pytest.fixture(scope="session")
def shoppers():
    """Three kinds of customers told apart by spend, age and plan; one far outlier in row 0."""
    rng = np.random.default_rng(0)
    kind = np.repeat([0, 1, 2], [150, 100, 50])
    frame = {
        "customer_id": [f"C{i:05d}" for i in range(300)],
        "age": rng.normal(np.array([25, 50, 70])[kind], 3).round(),
        "spend ($)": rng.normal(np.array([20, 90, 50])[kind], 5).round(2),
        "plan": [
            str(rng.choice(names, p=[0.9, 0.1]))
            for names in np.array(["basic", "gold", "basic"])[kind][:, None].repeat(2, 1)
        ],
        "newsletter": rng.choice(["yes", "no"], 300).tolist(),
        "segment": np.array(["young", "big", "old"])[kind].tolist(),
    }
    frame["spend ($)"][0] = 400.0
    return frame


@pytest.fixture(scope="session")
def found(shoppers):
    """Return the study of the shoppers, with its steps and progress."""
    steps, progress = [], []
    result = study(
        shoppers,
        truth="segment",
        memory_limit="2GB",
        on_step=steps.append,
        on_progress=lambda *told: progress.append(told),
    )
    return result, steps, progress
