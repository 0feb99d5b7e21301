"""Tests of the similarity stage."""
