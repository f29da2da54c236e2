"""Entities: exact spans against those that people marked."""
