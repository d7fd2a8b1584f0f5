"""Numbers drawn as SVG, for the pages of the service and for the report: values in, markup out.

Every figure bounds its own size, whatever it is given. Nothing is styled here but by class: `style.css` is
the one look of all pages, so they can be served under a policy that allows no inline style. Texts of data
pass through `svg.text_of`, and through nothing else.
"""

from detector.drawing.figure import Scale, figure
from detector.drawing.strip import level_of, strip, strip_legend
from detector.drawing.timeline import timeline

__all__ = ["Scale", "figure", "level_of", "strip", "strip_legend", "timeline"]
