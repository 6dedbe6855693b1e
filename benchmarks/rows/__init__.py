"""The rows of a campaign: their columns, the journal that writes them, what reads them, the environment they name."""
