"""Tests of the matrices stage."""
