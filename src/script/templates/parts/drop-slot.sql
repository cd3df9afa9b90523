-- Drops a slot that nobody uses; how many of its name are left.
SELECT format('SELECT pg_drop_replication_slot(%L)', slot_name)
  FROM pg_replication_slots WHERE slot_name = :'slot' AND NOT active
\o /dev/null
\gexec
\o
SELECT count(*) FROM pg_replication_slots WHERE slot_name = :'slot';
