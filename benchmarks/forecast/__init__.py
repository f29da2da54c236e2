"""Forecasts of traffic, beside naive ones and AutoETS."""
