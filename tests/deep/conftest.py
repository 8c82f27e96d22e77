"""Several test processes share the cores, and threads of PyTorch that wait for one another stand still."""

import torch

torch.set_num_threads(1)
