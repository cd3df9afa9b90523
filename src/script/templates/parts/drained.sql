-- arrived, or what is missing, of a slot.
SELECT CASE WHEN confirmed_flush_lsn >= CAST(:'lsn' AS pg_lsn) THEN 'arrived'
	ELSE format('%s to go, slot %s', pg_size_pretty(pg_wal_lsn_diff(CAST(:'lsn' AS pg_lsn), confirmed_flush_lsn)),
		CASE WHEN active THEN 'in use' ELSE 'not in use' END) END
  FROM pg_replication_slots WHERE slot_name = :'slot';
