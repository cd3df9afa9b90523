-- What the source says: severity, subject, text. The question behind tables.sql and parts/here.sql.
, finding (severity, subject, finding) AS (
	SELECT 'note', 'source', format('PostgreSQL %s, database %I of %s, %s of %s chosen tables found',
		current_setting('server_version'), current_database(),
		pg_size_pretty(pg_database_size(current_database())),
		(SELECT count(*) FROM here), (SELECT count(*) FROM chosen))
	UNION ALL
	SELECT 'blocker', 'source', 'is older than PostgreSQL 10; pgpier run copies from 9.3 on'
	 WHERE current_setting('server_version_num')::int < 100000
	UNION ALL
	SELECT 'blocker', to_json(schema || '.' || name)::text, 'the source has no such table'
	  FROM chosen t WHERE NOT EXISTS (SELECT 1 FROM here h WHERE h.key = md5(t.schema || '.' || t.name))
	UNION ALL
	SELECT 'blocker', shown, 'the role may not read it: GRANT SELECT'
	  FROM here WHERE NOT has_table_privilege(oid, 'SELECT')
	UNION ALL
	SELECT 'blocker', shown, 'row security would hide rows: use a role with BYPASSRLS'
	  FROM here WHERE row_security_active(oid)
	UNION ALL
	SELECT 'warning', format('session %s', pid), format('has a transaction open since %s: %s',
		date_trunc('second', xact_start), left(to_json(query)::text, 100))
	  FROM pg_stat_activity WHERE xact_start < now() - interval '5 minutes' AND pid <> pg_backend_pid()
	UNION ALL
	SELECT 'warning', 'transaction ' || to_json(gid), format('is prepared since %s: commit or roll it back',
		date_trunc('second', prepared))
	  FROM pg_prepared_xacts WHERE database = current_database()
	UNION ALL
	SELECT 'blocker', 'wal_level', format('is %s, and has to be logical', current_setting('wal_level'))
	 WHERE :'continuous' = 'yes' AND current_setting('wal_level') <> 'logical'
	UNION ALL
	SELECT 'blocker', 'source', 'is a standby: changes are published by its primary'
	 WHERE :'continuous' = 'yes' AND pg_is_in_recovery()
	UNION ALL
	SELECT 'blocker', 'max_replication_slots', format('%s slots, all taken', current_setting('max_replication_slots'))
	 WHERE :'continuous' = 'yes' AND (SELECT count(*) FROM pg_replication_slots)
		>= current_setting('max_replication_slots')::int
	UNION ALL
	SELECT 'blocker', 'max_wal_senders', format('%s, all taken', current_setting('max_wal_senders'))
	 WHERE :'continuous' = 'yes' AND (SELECT count(*) FROM pg_stat_replication)
		>= current_setting('max_wal_senders')::int
	UNION ALL
	SELECT 'note', 'slot ' || to_json(slot_name), format('%s, keeps %s of WAL',
		CASE WHEN active THEN 'active' ELSE 'not active' END,
		pg_size_pretty(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()
			ELSE pg_current_wal_lsn() END, restart_lsn)))
	  FROM pg_replication_slots
	UNION ALL
	SELECT 'blocker', shown, 'has no replica identity: UPDATE and DELETE would fail as soon as it is published. '
		'Give it a primary key, or REPLICA IDENTITY FULL'
	  FROM here t
	 WHERE :'continuous' = 'yes' AND relkind = 'r' AND relpersistence = 'p' AND (relreplident = 'n'
		OR relreplident = 'd' AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = t.oid AND i.indisprimary)
		OR relreplident = 'i' AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = t.oid AND i.indisreplident))
	UNION ALL
	SELECT 'warning', shown, 'is unlogged: its changes are not published, and its rows are not copied'
	  FROM here WHERE :'continuous' = 'yes' AND relpersistence = 'u'
	UNION ALL
	SELECT 'blocker', shown, 'has columns that stay behind, which publications know from PostgreSQL 15 on'
	  FROM here
	 WHERE :'continuous' = 'yes' AND left_out <> '{}' AND current_setting('server_version_num')::int < 150000
)
SELECT severity, subject, finding FROM finding ORDER BY severity, subject, finding;
