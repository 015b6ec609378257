"""Which rows are similar? One search for each similarity asked for, or several at once."""

from splitleak.search.combined import CombinedSearch
from splitleak.search.crossed import CrossedSearch
from splitleak.search.deduplication import Deduplication, Keep, deduplicate
from splitleak.search.graphs import similarity_graph
from splitleak.search.prepare import AnySearch, prepare_search
from splitleak.search.single import Missing, Search, row_values
from splitleak.similarity.base import scale_asked
from splitleak.similarity.views import Combine, Share

__all__ = [
    "AnySearch",
    "Combine",
    "CombinedSearch",
    "CrossedSearch",
    "Deduplication",
    "Keep",
    "Missing",
    "Search",
    "Share",
    "deduplicate",
    "prepare_search",
    "row_values",
    "scale_asked",
    "similarity_graph",
]
