-- Tables get the names that they end with; with back = yes, those of the source again.
, move AS (
	SELECT CASE :'back' WHEN 'yes' THEN target_schema ELSE schema END AS old_schema,
		CASE :'back' WHEN 'yes' THEN target_name ELSE name END AS old_name,
		CASE :'back' WHEN 'yes' THEN schema ELSE target_schema END AS new_schema,
		CASE :'back' WHEN 'yes' THEN name ELSE target_name END AS new_name
	  FROM here WHERE (schema, name) <> (target_schema, target_name)
)
SELECT sql FROM (
	SELECT 1 AS no, format('CREATE SCHEMA IF NOT EXISTS %I', new_schema) AS sql FROM move
	UNION SELECT 2, format('ALTER TABLE %I.%I SET SCHEMA %I', old_schema, old_name, new_schema)
	  FROM move WHERE old_schema <> new_schema
	UNION SELECT 3, format('ALTER TABLE %I.%I RENAME TO %I', new_schema, old_name, new_name)
	  FROM move WHERE old_name <> new_name) AS q
 ORDER BY no, sql
\gexec
