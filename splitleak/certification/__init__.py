"""An independent search across finished partitions."""

from splitleak.certification.certifying import certify, certify_search, partition_codes

__all__ = ["certify", "certify_search", "partition_codes"]
