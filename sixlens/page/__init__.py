"""Verdicts as pages: one self-contained file each, without scripts, for people who are no engineers."""

from sixlens.page.decision import PersonDecision
from sixlens.page.index_page import IndexEntry, index_page
from sixlens.page.picture import page_picture, small_picture
from sixlens.page.verdict_page import is_page, verdict_css, verdict_page

__all__ = [
    "IndexEntry",
    "PersonDecision",
    "index_page",
    "is_page",
    "page_picture",
    "small_picture",
    "verdict_css",
    "verdict_page",
]
