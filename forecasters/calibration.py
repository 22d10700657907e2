"""What a model's out-of-sample errors say: offsets for decisions (peak) and spread for the page (fan)."""

from __future__ import annotations

from forecasters.fan_calibration import FanCalibration
from forecasters.packing import UnreadableState
from forecasters.peak_calibration import PeakCalibration

__all__ = ["Calibration", "FanCalibration", "PeakCalibration", "UnreadableState"]

_LENGTH_BYTES = 4


class Calibration:
    """Both calibrations of one model on one signal; empty until it was measured."""

    def __init__(self, peak: PeakCalibration | None = None, fan: FanCalibration | None = None) -> None:
        self.peak = PeakCalibration() if peak is None else peak
        self.fan = FanCalibration() if fan is None else fan

    def encode(self) -> bytes:
        """Return the bytes of it, at most 24 KiB."""
        peak = self.peak.encode()
        return len(peak).to_bytes(_LENGTH_BYTES, "little") + peak + self.fan.encode()

    @classmethod
    def decode(cls, body: bytes) -> Calibration:
        """Return what was encoded.

        Raises:
            UnreadableState: the bytes are damaged or of an unknown version.
        """
        length = int.from_bytes(body[:_LENGTH_BYTES], "little")
        peak, fan = body[_LENGTH_BYTES : _LENGTH_BYTES + length], body[_LENGTH_BYTES + length :]
        return cls(PeakCalibration.decode(peak), FanCalibration.decode(fan))
