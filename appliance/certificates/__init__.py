"""Certificates: the appliance's own authority, and the examination of those that administrators bring. Pure: nothing is stored here."""

from appliance.certificates.authority import LEAF_LIFE, issue, make_authority
from appliance.certificates.given import examine
from appliance.certificates.pair import Pair

__all__ = ["LEAF_LIFE", "Pair", "examine", "issue", "make_authority"]
