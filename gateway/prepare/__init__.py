"""Preparation: a picture's file in, a file that the operation takes out, or a precise reason why not."""

from gateway.boxes import map_back
from gateway.prepare.operations import Operation
from gateway.prepare.options import Alpha, Convert, OutputFormat, PrepareOptions
from gateway.prepare.preparer import Preparer

__all__ = ["Alpha", "Convert", "Operation", "OutputFormat", "PrepareOptions", "Preparer", "map_back"]
