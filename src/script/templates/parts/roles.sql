-- Statements for the roles of this server that are not in :existing. What only a superuser may give is left out
-- where the target's role is none.
WITH role AS (
	SELECT r.* FROM pg_roles r
	 WHERE rolname !~ '^pg_' AND rolname NOT IN (SELECT json_array_elements_text(CAST(:'existing' AS json)))
), statement (no, sql) AS (
	SELECT 1, format('CREATE ROLE %I%s%s%s%s%s%s CONNECTION LIMIT %s%s;', rolname,
		CASE WHEN rolcanlogin THEN ' LOGIN' ELSE '' END, CASE WHEN rolinherit THEN '' ELSE ' NOINHERIT' END,
		CASE WHEN rolcreatedb THEN ' CREATEDB' ELSE '' END, CASE WHEN rolcreaterole THEN ' CREATEROLE' ELSE '' END,
		CASE WHEN rolsuper AND :'superuser' = 't' THEN ' SUPERUSER' ELSE '' END,
		CASE WHEN :'superuser' <> 't' THEN '' ELSE CASE WHEN rolreplication THEN ' REPLICATION' ELSE '' END
			|| CASE WHEN rolbypassrls THEN ' BYPASSRLS' ELSE '' END END,
		rolconnlimit, CASE WHEN rolvaliduntil IS NULL THEN '' ELSE format(' VALID UNTIL %L', rolvaliduntil) END)
	  FROM role
	UNION ALL
	SELECT 2, format('GRANT %I TO %I%s;', g.rolname, m.rolname,
		CASE WHEN bool_or(a.admin_option) THEN ' WITH ADMIN OPTION' ELSE '' END)
	  FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
	 WHERE a.member IN (SELECT oid FROM role) OR a.roleid IN (SELECT oid FROM role)
	 GROUP BY g.rolname, m.rolname
	UNION ALL
	-- Lists hold quoted names already; as one text they would be one name.
	SELECT 3, format('ALTER ROLE %I SET %s TO %s;', r.rolname, s.key,
		CASE WHEN s.key IN ('search_path', 'temp_tablespaces', 'local_preload_libraries',
			'session_preload_libraries') AND s.value <> '' THEN s.value ELSE quote_literal(s.value) END)
	  FROM role r JOIN pg_db_role_setting d ON d.setrole = r.oid AND d.setdatabase = 0,
		unnest(d.setconfig) AS one, LATERAL (SELECT split_part(one, '=', 1) AS key,
			substr(one, strpos(one, '=') + 1) AS value) AS s
)
SELECT sql FROM statement ORDER BY no, sql;
SELECT :'passwords' = 'yes' AS wanted
\gset
\if :wanted
SELECT format('ALTER ROLE %I PASSWORD %L;', rolname, rolpassword) FROM pg_authid
 WHERE rolpassword IS NOT NULL AND rolname !~ '^pg_'
   AND rolname NOT IN (SELECT json_array_elements_text(CAST(:'existing' AS json)))
 ORDER BY 1;
\endif
