-- The chosen tables under their names on this server: the source's, or with names = target those they end with.
, here AS (
	SELECT t.*, (t.schema, t.name) <> (t.target_schema, t.target_name) OR t.old_columns <> '{}' AS moves,
		md5(t.schema || '.' || t.name) AS key, to_json(t.schema || '.' || t.name)::text AS shown,
		n.nspname, c.relname, c.oid, c.relkind, c.relpersistence, c.relreplident, c.relpages
	  FROM chosen t
	  JOIN pg_namespace n ON n.nspname = CASE :'names' WHEN 'target' THEN t.target_schema ELSE t.schema END
	  JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
	   AND c.relname = CASE :'names' WHEN 'target' THEN t.target_name ELSE t.name END
)
