"""What each threshold would cost: a curve to choose by."""

from splitleak.thresholds.curve import ThresholdCurve
from splitleak.thresholds.sweeping import threshold_curve

__all__ = ["ThresholdCurve", "threshold_curve"]
