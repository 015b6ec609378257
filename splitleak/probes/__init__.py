"""Does this split, or this table, leak? One file per probe, one stable code per probe."""
