"""The regions of a picture: by merging superpixels or by balanced cuts, as a tree that is cut at any number of regions."""

from .segmenter import ImageSegmenter
from .study import ImageStudy, study_image

__all__ = ["ImageSegmenter", "ImageStudy", "study_image"]
