-- What the target says, knowing of the source what 01-check.sh passes in :source.
, origin AS (
	SELECT (o->>'version')::int AS version, o->>'encoding' AS encoding, o->>'collate' AS collated,
		o->>'started' AS started, o->>'database' AS database, o->'extensions' AS extensions
	  FROM CAST(:'source' AS json) AS o
), finding (severity, subject, finding) AS (
	SELECT 'note', 'target', format('PostgreSQL %s, database %I of %s', current_setting('server_version'),
		current_database(), pg_size_pretty(pg_database_size(current_database())))
	UNION ALL
	SELECT 'warning', 'target', 'is older than the source: what the source has anew, it may refuse'
	  FROM origin WHERE current_setting('server_version_num')::int / 10000 < version / 10000
	UNION ALL
	SELECT 'blocker', 'peers', 'source and target are the same database'
	  FROM origin WHERE started = pg_postmaster_start_time()::text AND database = current_database()
	UNION ALL
	SELECT 'warning', 'encoding', format('%s on the source, %s here', encoding, current_setting('server_encoding'))
	  FROM origin WHERE encoding <> current_setting('server_encoding')
	UNION ALL
	SELECT 'warning', 'collation', format('%s on the source, %s here: indexes on text sort another way',
		collated, datcollate)
	  FROM origin, pg_database WHERE datname = current_database() AND datcollate <> collated
	UNION ALL
	SELECT 'blocker', 'extension ' || name, 'is not available on the target: install its package'
	  FROM origin, json_array_elements_text(extensions) AS e (name)
	 WHERE :'scope' = 'database' AND NOT EXISTS (SELECT 1 FROM pg_available_extensions a WHERE a.name = e.name)
	UNION ALL
	SELECT 'blocker', 'target', 'the role may not create schemas: GRANT CREATE ON DATABASE'
	 WHERE :'scope' <> 'none' AND NOT has_database_privilege(current_database(), 'CREATE')
	UNION ALL
	SELECT 'warning', shown, 'is on the target already, and is used as it is'
	  FROM here WHERE :'scope' <> 'none'
	UNION ALL
	SELECT 'blocker', to_json(schema || '.' || name)::text, 'the target has no such table'
	  FROM chosen t
	 WHERE :'scope' = 'none' AND NOT EXISTS (SELECT 1 FROM here h WHERE h.key = md5(t.schema || '.' || t.name))
	UNION ALL
	SELECT 'blocker', shown, 'has other names on the target already, of itself or of columns: a subscription finds '
		'tables and columns by the names of the source'
	  FROM here WHERE :'continuous' = 'yes' AND :'scope' = 'none' AND moves
	UNION ALL
	SELECT 'blocker', 'role', 'only a superuser may make a subscription before PostgreSQL 16'
	  FROM pg_roles
	 WHERE :'continuous' = 'yes' AND rolname = current_user AND NOT rolsuper
	   AND current_setting('server_version_num')::int < 160000
	   AND NOT EXISTS (SELECT 1 FROM pg_roles m WHERE m.rolname IN ('rds_superuser', 'cloudsqlsuperuser',
		'azure_pg_admin', 'alloydbsuperuser') AND pg_has_role(m.oid, 'member'))
	UNION ALL
	SELECT 'note', 'max_sync_workers_per_subscription', format('%s: so many tables are copied at the same time',
		current_setting('max_sync_workers_per_subscription'))
	 WHERE :'continuous' = 'yes'
)
SELECT severity, subject, finding FROM finding ORDER BY severity, subject, finding;
