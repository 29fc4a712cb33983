"""Prompts, ensembles and experiments as YAML.

A package of data, so that a folder of the same name does not merge with it.
"""
