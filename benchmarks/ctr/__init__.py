"""The click model: how fast it trains and scores, and how well it foresees clicks, beside DeepCTR-Torch."""
