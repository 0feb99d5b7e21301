"""Linkage: customers who are likely one person though no key of theirs is the same.

It is an optional extra (`cx_assets[linkage]`) of the warehouse's merges, and counts only where it is better than keys.
"""
