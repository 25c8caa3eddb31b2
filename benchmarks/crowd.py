"""A registry with very many datasets, as an installation has them after years: made by SQL, in seconds.

Belongs here: rows that look like the product's own. Does not belong here: what is measured on them.
"""

from uuid import UUID

import psycopg2

#: For each dataset a connector and a completed operation; ten datasets a customer; one in ten ready, the rest archived.
_STATEMENTS = (
    # The rows are not changes of anybody's: no audit entries, and no look-ups for keys that hold by construction. What
    # other triggers keep is made here.
    "SET session_replication_role = replica",
    """
    INSERT INTO customers (client_id, locale, company_name, created_at)
    SELECT md5('customer' || n)::uuid, 'en_US', 'Company ' || n, now() - interval '1 year'
    FROM generate_series(0, %(datasets)s / 10) n
    """,
    """
    INSERT INTO datasets (
        dataset_id, name, dataset_type, stage, client_id, journey_id, status, created_at, updated_at, ready_at,
        archived_at, template_id, template_version, template_name, seed, requested_count, record_count, size_bytes,
        quality_score, metadata, operation_id, has_remains)
    SELECT
        md5('dataset' || n)::uuid, 'Company ' || n / 10 || '-Sandbox-Confluence',
        CASE mod(n, 2) WHEN 0 THEN 'confluence_pages' ELSE 'github_repos' END,
        (ARRAY['sandbox', 'pilot', 'production'])[mod(n, 3) + 1], md5('customer' || n / 10)::uuid,
        md5('journey' || n / 5)::uuid, CASE WHEN mod(n, 10) = 0 THEN 'ready' ELSE 'archived' END,
        now() - n * interval '5 minutes', now(), now(), CASE WHEN mod(n, 10) = 0 THEN NULL ELSE now() END,
        md5('template')::uuid, 1, 'FinTech Developer Productivity - Confluence', n, 500, 500, 15728640,
        90 + mod(n, 100) / 10.0,
        '{"industry": "fintech", "use_case": "developer_productivity", "tags": ["sandbox", "mock"],
          "requested_by": "john.doe@acme.example", "reason": null, "custom_fields": {"client_name": "ACME"}}',
        md5('operation' || n)::uuid, false
    FROM generate_series(0, %(datasets)s - 1) n
    """,
    """
    INSERT INTO dataset_counts (stage, status, dataset_type, datasets)
    SELECT stage, status, dataset_type, count(*) FROM datasets GROUP BY stage, status, dataset_type
    """,
    """
    INSERT INTO connectors (connector_id, dataset_id, kind, status, created_at, document_count, index_bytes)
    SELECT md5('connector' || n)::uuid, md5('dataset' || n)::uuid, 'embedded',
        CASE WHEN mod(n, 10) = 0 THEN 'healthy' ELSE 'disconnected' END, now(), 500, 20971520
    FROM generate_series(0, %(datasets)s - 1) n
    """,
    """
    INSERT INTO operations (
        operation_id, operation_type, status, client_id, stage, request, attempt, current_step, total_steps, created_at,
        started_at, beat_at, completed_at, estimated_completion, run_id, launch_attempts)
    SELECT md5('operation' || n)::uuid, 'dataset_provisioning', 'completed', md5('customer' || n / 10)::uuid,
        (ARRAY['sandbox', 'pilot', 'production'])[mod(n, 3) + 1], '{}', 1, 6, 6, now() - n * interval '5 minutes',
        now() - n * interval '5 minutes', now(), now() - n * interval '5 minutes' + interval '4 seconds', now(),
        md5('run' || n)::uuid::text, 1
    FROM generate_series(0, %(datasets)s - 1) n
    """,
    """
    INSERT INTO operation_counts (status, operation_type, operations)
    SELECT status, operation_type, count(*) FROM operations GROUP BY status, operation_type
    """,
    """
    INSERT INTO operation_datasets (
        operation_id, dataset_id, dataset_type, position, active, steps_done, outcome, quality_score)
    SELECT md5('operation' || n)::uuid, md5('dataset' || n)::uuid, 'confluence_pages', 0, false, 6, 'ready', 99.4
    FROM generate_series(0, %(datasets)s - 1) n
    """,
)


def fill(dsn: str, datasets: int) -> None:
    """Fills an empty registry that has the current schema."""
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            for statement in _STATEMENTS:
                cursor.execute(statement, {"datasets": datasets})
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    finally:
        connection.close()


def some_ids(dsn: str, kind: str, count: int) -> list[UUID]:
    """Ids of ``dataset``, ``operation`` or ``customer``, spread evenly over all."""
    table, column = {
        "dataset": ("datasets", "dataset_id"),
        "operation": ("operations", "operation_id"),
        "customer": ("customers", "client_id"),
    }[kind]
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT {column} FROM {table} ORDER BY {column} LIMIT %s", (count,))  # noqa: S608  names above
            return [UUID(found) for (found,) in cursor.fetchall()]
    finally:
        connection.close()
