"""Titles that readers clicked and did not click: which of the others would they click?"""
