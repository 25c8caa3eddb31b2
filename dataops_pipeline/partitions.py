"""What a partition is here: an environment, one client's stage, under the key ``stage:client_id``.

Keys are added when an operation is launched. A person can add a key in the UI that no dataset has, so every step looks
its dataset up first and says so in one sentence where there is none.
"""

from dagster import DynamicPartitionsDefinition

from dataops_core.runs import PARTITIONS_NAME

environments = DynamicPartitionsDefinition(name=PARTITIONS_NAME)
