"""Splits of pairs of entities (drug x target, user x item, protein x protein)."""

from splitleak.interaction.result import InteractionSplit
from splitleak.interaction.splitting import split_interactions

__all__ = ["InteractionSplit", "split_interactions"]
