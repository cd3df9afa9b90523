-- Tables and columns get the names that they end with; with back = yes, those of the source again.
, move AS (
	SELECT CASE :'back' WHEN 'yes' THEN target_schema ELSE schema END AS old_schema,
		CASE :'back' WHEN 'yes' THEN target_name ELSE name END AS old_name,
		CASE :'back' WHEN 'yes' THEN schema ELSE target_schema END AS new_schema,
		CASE :'back' WHEN 'yes' THEN name ELSE target_name END AS new_name
	  FROM here WHERE (schema, name) <> (target_schema, target_name)
), column_move AS (
	SELECT CASE :'back' WHEN 'yes' THEN schema ELSE target_schema END AS schema,
		CASE :'back' WHEN 'yes' THEN name ELSE target_name END AS name,
		c.old, c.new
	  FROM here, LATERAL (SELECT CASE :'back' WHEN 'yes' THEN n ELSE o END AS old,
		CASE :'back' WHEN 'yes' THEN o ELSE n END AS new
		  FROM unnest(old_columns, new_columns) AS u (o, n)) AS c
	  JOIN pg_attribute a ON a.attname = c.old AND NOT a.attisdropped AND a.attinhcount = 0
	 WHERE a.attrelid = here.oid
)
SELECT sql FROM (
	SELECT 1 AS no, format('CREATE SCHEMA IF NOT EXISTS %I', new_schema) AS sql FROM move
	UNION SELECT 2, format('ALTER TABLE %I.%I SET SCHEMA %I', old_schema, old_name, new_schema)
	  FROM move WHERE old_schema <> new_schema
	UNION SELECT 3, format('ALTER TABLE %I.%I RENAME TO %I', new_schema, old_name, new_name)
	  FROM move WHERE old_name <> new_name
	UNION SELECT 4, format('ALTER TABLE %I.%I RENAME %I TO %I', schema, name, old, new) FROM column_move) AS q
 ORDER BY no, sql
\gexec
