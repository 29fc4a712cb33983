"""Measurements of a picture and its file: provenance, regions, repetition."""
