"""The doctor: what of a machine would keep a run from going well, or its figures from being trusted.

Facts are read (reading), judged (verdicts), and told as findings. Pure: findings, facts, beside, verdicts.
"""

from harness.doctor.beside import unlike
from harness.doctor.examine import examine
from harness.doctor.findings import MAX_JSON_BYTES, SCHEMA, Finding, State, as_json, worst

__all__ = ["MAX_JSON_BYTES", "SCHEMA", "Finding", "State", "as_json", "examine", "unlike", "worst"]
