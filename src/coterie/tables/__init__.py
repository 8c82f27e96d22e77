"""Tables: read whatever the reader has, find what each column is for, and turn it into numbers that can be compared."""

from .graph_files import Network, read_graph
from .graph_nodes import read_nodes
from .graphml import write_graphml
from .node_coding import NodeCoding
from .picture_coding import PictureCoding
from .picture_looks import thumbnails
from .picture_whole import WholePicture
from .pictures import Pictures, holds_pictures, read_pictures
from .prepare import Coding, Prepared, prepare
from .read import read
from .roles import Role, find_roles
from .row_files import RowFiles, row_files
from .table import Column, Table
from .text_models import TextModel, text_model

__all__ = [
    "Coding",
    "Column",
    "Network",
    "NodeCoding",
    "PictureCoding",
    "Pictures",
    "Prepared",
    "Role",
    "RowFiles",
    "Table",
    "TextModel",
    "WholePicture",
    "find_roles",
    "holds_pictures",
    "prepare",
    "read",
    "read_graph",
    "read_nodes",
    "read_pictures",
    "row_files",
    "text_model",
    "thumbnails",
    "write_graphml",
]
