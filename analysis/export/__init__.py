"""Figures as files: HTML, SVG and PNG."""
