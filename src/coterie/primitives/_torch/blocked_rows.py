"""Rows in blocks: kept on one GPU or several while there is room, and read from the host, a block ahead, where there is none.

What computes on rows goes through them slice by slice (`slices`), so it needs each block once and never all of them. A block
that is not kept travels by page-locked memory on a stream of its own while the one before it is worked on.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from ._tiles import slice_rows

__all__ = ["BlockedRows", "in_blocks", "too_large"]

_TIMES = 3  # the rows, the rows as they are computed on, and the work
_SHARE = 0.5  # of a device's free memory that blocks may keep; the rest is for the work on them


def too_large(n_bytes: int, device: str) -> bool:
    """Say whether one GPU lacks the room for so many bytes of rows and the work on them."""
    if not torch.cuda.is_available() or not (device == "auto" or device.startswith("cuda")):
        return False
    try:
        free, _ = torch.cuda.mem_get_info(None if device == "auto" else device)
    except (RuntimeError, AssertionError, ValueError):
        return False  # moving the rows there says what is wrong
    return _TIMES * n_bytes > free


def in_blocks(X: np.ndarray, device: str) -> "BlockedRows":
    """Return rows in blocks on every GPU, or on the one that ``device`` numbers."""
    numbered = [torch.device(device)] if ":" in device else None
    return BlockedRows(
        torch.from_numpy(X), numbered or [torch.device("cuda", i) for i in range(torch.cuda.device_count())]
    )


class BlockedRows:
    """Rows of a host array as the functions on tensors see them: ``X[slice]`` is on a device, ``X[numbers]`` on the first.

    Parameters
    ----------
    host : (n, d) float tensor
        On the CPU; not copied.
    devices : sequence of torch.device
        Blocks go to them in turn.
    room : sequence of int, optional
        Bytes that each device may keep; by default half of what is free.
    """

    engine = "torch"

    def __init__(self, host: torch.Tensor, devices: Iterable[torch.device], room: Iterable[int] | None = None):
        self.host, self.devices = host, list(devices)
        self.room = [_free(device) for device in self.devices] if room is None else list(room)
        self.block_rows = slice_rows(host)
        self._moved: tuple[np.ndarray, float] | None = None
        self._kept: dict[int, torch.Tensor] = {}
        self._ahead: dict[int, tuple[torch.Tensor, Any]] = {}
        self._lanes = [_Lane(device) for device in self.devices]

    @property
    def shape(self) -> torch.Size:
        """Return (n, d)."""
        return self.host.shape

    @property
    def dtype(self) -> torch.dtype:
        """Return the type of the values."""
        return self.host.dtype

    @property
    def device(self) -> torch.device:
        """Return where what is found of all rows is put together."""
        return self.devices[0]

    def __len__(self) -> int:
        return len(self.host)

    def __getitem__(self, rows: Any) -> torch.Tensor:
        """Return a block (a slice that `slices` gives), or rows by number."""
        if not isinstance(rows, slice):
            numbers = torch.as_tensor(rows, dtype=torch.int64, device="cpu")
            return self._conditioned(self.host[numbers].to(self.device))
        block, inside = divmod(rows.start, self.block_rows)
        assert inside == 0, "rows are read block by block"
        if block in self._kept:
            return self._kept[block]
        found, ready = self._ahead.pop(block) if block in self._ahead else self._send(block)
        following, place = block + 1, block % len(self.devices)
        if following * self.block_rows < len(self) and following not in self._kept:
            self._ahead = {following: self._send(following)}
        part = self._conditioned(self._lanes[place].arrived(found, ready))
        if part.nbytes <= self.room[place]:
            self.room[place] -= part.nbytes
            self._kept[block] = part
        return part

    def conditioned(self, shift: np.ndarray, scale: float) -> "BlockedRows":
        """Return the rows shifted and scaled, each block when it is read; they take over the room, and these keep nothing more."""
        new = BlockedRows(self.host, self.devices, [r + k for r, k in zip(self.room, self._kept_bytes(), strict=True)])
        self._kept, self._ahead, self.room = {}, {}, [0] * len(self.devices)
        new._moved = (shift / scale, scale)
        return new

    def _conditioned(self, rows: torch.Tensor) -> torch.Tensor:
        if self._moved is None:
            return rows
        shift, scale = self._moved
        return (rows.double() / scale - torch.as_tensor(shift, device=rows.device)).to(rows.dtype)

    def _send(self, block: int) -> tuple[torch.Tensor, Any]:
        part = self.host[block * self.block_rows : (block + 1) * self.block_rows]
        return self._lanes[block % len(self.devices)].send(part)

    def _kept_bytes(self) -> list[int]:
        kept = [0] * len(self.devices)
        for block, part in self._kept.items():
            kept[block % len(self.devices)] += part.nbytes
        return kept


class _Lane:
    """The way from the host to one device: two page-locked buffers in turn, and a stream of its own."""

    def __init__(self, device: torch.device):
        self.device = device
        self.stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self.buffers: list[torch.Tensor | None] = [None, None]
        self.read: list[Any] = [None, None]
        self.turn = 0

    def send(self, part: torch.Tensor) -> tuple[torch.Tensor, Any]:
        """Begin to copy rows; return where they will be, and the event that says when."""
        if self.stream is None:
            return part.to(self.device), None
        self.turn = 1 - self.turn
        if self.read[self.turn] is not None:
            self.read[self.turn].synchronize()  # the copy before the last has left the buffer
        buffer = self.buffers[self.turn]
        if buffer is None or len(buffer) < len(part):
            buffer = self.buffers[self.turn] = torch.empty_like(part, pin_memory=True)
        staged = buffer[: len(part)]
        staged.copy_(part)
        with torch.cuda.stream(self.stream):
            found = staged.to(self.device, non_blocking=True)
            event = torch.cuda.Event()
            event.record(self.stream)
        self.read[self.turn] = event
        return found, event

    def arrived(self, found: torch.Tensor, ready: Any) -> torch.Tensor:
        """Let the work that follows wait for the copy."""
        if ready is not None:
            current = torch.cuda.current_stream(self.device)
            current.wait_event(ready)
            found.record_stream(current)
        return found


def _free(device: torch.device) -> int:
    if device.type != "cuda":
        return 0
    return int(_SHARE * torch.cuda.mem_get_info(device)[0])
