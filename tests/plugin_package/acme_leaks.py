"""A similarity backend and a probe, as another package writes them."""

from itertools import pairwise

import numpy as np

import splitleak


@splitleak.similarity_backend("same-domain", kinds={"text"}, threshold=1.0)
def same_domain(records, *, threshold):
    """Join addresses of one domain: what stands after the last @."""
    buffer, offsets = records.text()
    domains = [bytes(buffer[a:b]).rpartition(b"@")[2] for a, b in pairwise(offsets)]
    _, first, value = np.unique(domains, return_index=True, return_inverse=True)
    copies = first[value].astype(np.int64)  # the first row of each domain stands for all of its rows
    none = np.empty(0, dtype=np.int64)
    return splitleak.SimilarityGraph.build(
        none, none, [], n_rows=len(domains), threshold=threshold, measure="same-domain", copies=copies
    )


@splitleak.probe("ACME001", "Columns that are named after the test set", needs=["split"])
def named_after_the_test(context):
    """Fire on columns such as is_test or test_fold."""
    named = [name for name in context.columns if "test" in name.lower().split("_")]
    if not named:
        return None
    remedy = f"df = df.drop(columns={named!r})"
    return splitleak.Finding("caution", f"{len(named)} columns say so.", columns=named, remedy=remedy)
