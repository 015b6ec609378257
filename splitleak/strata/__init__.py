"""What is balanced over the partitions: classes, sets of labels, numbers; and the weights of rows."""

from splitleak.strata.stratum import Strata, Stratum

__all__ = ["Strata", "Stratum"]
