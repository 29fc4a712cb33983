"""The parts that every page is made of: one self-contained file each, no scripts, safe for untrusted text."""

from evals.html.embed import data_uri
from evals.html.environment import page_environment
from evals.html.overlay import Mark, overlay_css
from evals.html.style import Style, base_css, policy

__all__ = ["Mark", "Style", "base_css", "data_uri", "overlay_css", "page_environment", "policy"]
