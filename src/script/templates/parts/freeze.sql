-- Whoever is neither us nor a subscription may not connect, new sessions are read-only, and those that are there
-- end: they would go on as they began.
WITH db AS (SELECT * FROM pg_database WHERE datname = current_database()), needed AS (
	SELECT current_user::text AS rolname
	UNION SELECT usename::text FROM pg_stat_replication
)
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', datname, rolname) FROM db, needed WHERE :'connect' = 'yes'
\gexec
WITH db AS (SELECT * FROM pg_database WHERE datname = current_database()), needed AS (
	SELECT current_user::text AS rolname
	UNION SELECT usename::text FROM pg_stat_replication
)
SELECT format('REVOKE CONNECT ON DATABASE %I FROM %s', datname,
	CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END)
  FROM db, aclexplode(coalesce(datacl, acldefault('d', datdba))) AS a LEFT JOIN pg_roles r ON r.oid = a.grantee
 WHERE :'connect' = 'yes' AND a.privilege_type = 'CONNECT' AND a.grantee <> datdba
   AND (r.rolname IS NULL OR r.rolname NOT IN (SELECT rolname FROM needed))
\gexec
SELECT format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database())
\gexec
SELECT format('session %s of %s: %s', pid, coalesce(to_json(usename)::text, 'nobody'),
	CASE WHEN pg_terminate_backend(pid) THEN 'ended' ELSE 'is gone' END)
  FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
   AND application_name NOT LIKE 'pgpier%';
