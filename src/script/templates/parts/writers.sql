-- Transactions of this database that may still write: open ones of clients, and prepared ones.
SELECT string_agg(who, ', ') FROM (
	SELECT format('session %s (%s)', pid, coalesce(state, '')) AS who FROM pg_stat_activity
	 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
	   AND application_name NOT LIKE 'pgpier%' AND xact_start IS NOT NULL
	UNION ALL
	SELECT 'prepared transaction ' || to_json(gid) FROM pg_prepared_xacts WHERE database = current_database()) AS q;
