"""Reads a policy definition by Azure's own library, and holds what it understood against what stands there."""

import json
import sys

from azure.mgmt.resource.policy.models import PolicyDefinition

given = json.load(sys.stdin)
read = PolicyDefinition(given)
properties = read.properties
assert properties.policy_type == "Custom" and properties.mode == "All", properties
assert len(properties.display_name) <= 128 and len(properties.description) <= 512
rule = properties.policy_rule
assert set(rule) == {"if", "then"} and rule["then"]["effect"] in ("deny", "denyAction"), rule
assert read.as_dict() == given, (read.as_dict(), given)
known = {"displayName", "description", "policyType", "mode", "metadata", "parameters", "policyRule"}
assert set(given["properties"]) == known, given
