"""Tables: read whatever the reader has, find what each column is for, and turn it into numbers that can be compared."""

from .prepare import Coding, Prepared, prepare
from .read import read
from .roles import Role, find_roles
from .table import Column, Table

__all__ = ["Coding", "Column", "Prepared", "Role", "Table", "find_roles", "prepare", "read"]
