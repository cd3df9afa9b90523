-- What undoes a freeze of this database, as it stands now.
WITH db AS (SELECT * FROM pg_database WHERE datname = current_database()), allowed AS (
	SELECT a.grantee, r.rolname FROM db, aclexplode(coalesce(datacl, acldefault('d', datdba))) AS a
	  LEFT JOIN pg_roles r ON r.oid = a.grantee
	 WHERE a.privilege_type = 'CONNECT'
)
SELECT coalesce((SELECT format('ALTER DATABASE %I SET default_transaction_read_only = %L;', datname,
		split_part(s, '=', 2))
	  FROM db JOIN pg_db_role_setting ON setdatabase = db.oid AND setrole = 0, unnest(setconfig) AS s
	 WHERE s LIKE 'default_transaction_read_only=%'),
	(SELECT format('ALTER DATABASE %I RESET default_transaction_read_only;', datname) FROM db))
UNION ALL
SELECT format('GRANT CONNECT ON DATABASE %I TO %s;', datname,
	CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(rolname) END)
  FROM db, allowed WHERE grantee <> datdba AND :'connect' = 'yes'
UNION ALL
SELECT format('REVOKE CONNECT ON DATABASE %I FROM %I;', datname, current_user)
  FROM db WHERE :'connect' = 'yes' AND current_user NOT IN (SELECT rolname FROM allowed WHERE rolname IS NOT NULL)
	AND datdba <> (SELECT oid FROM pg_roles WHERE rolname = current_user);
