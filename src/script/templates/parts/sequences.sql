-- The sequences that belong to the mirror, with their names on the other side: those of the chosen tables, or of
-- the whole database. Those of tables that were renamed from the beginning are the target's own.
, owner AS (
	SELECT d.objid AS oid, min(t.target_schema) AS target_schema, bool_or((t.schema, t.name)
		<> (t.target_schema, t.target_name)) AS renamed
	  FROM here t JOIN pg_depend d ON d.refclassid = 1259 AND d.refobjid = t.oid AND d.refobjsubid > 0
	   AND d.classid = 1259 AND d.deptype IN ('a', 'i')
	 GROUP BY d.objid
), used AS (
	SELECT d.refobjid AS oid FROM here t
	  JOIN pg_attrdef f ON f.adrelid = t.oid
	  JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 1259
), sequence AS (
	SELECT n.nspname, c.relname, q.seqincrement AS step, q.seqmin, q.seqmax,
		to_json(n.nspname || '.' || c.relname)::text AS shown,
		format('%I.%I', CASE :'other_names' WHEN 'target' THEN coalesce(o.target_schema, n.nspname)
			ELSE n.nspname END, c.relname) AS other
	  FROM pg_class c
	  JOIN pg_sequence q ON q.seqrelid = c.oid
	  JOIN pg_namespace n ON n.oid = c.relnamespace
	  LEFT JOIN owner o ON o.oid = c.oid
	 WHERE c.oid >= 16384 AND c.relpersistence <> 't' AND n.nspname <> 'pgpier'
	   AND (:'scope' = 'database' OR o.oid IS NOT NULL OR c.oid IN (SELECT oid FROM used))
	   AND NOT (:'scope' = 'none' AND coalesce(o.renamed, false))
	   AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 1259 AND d.objid = c.oid AND d.deptype = 'e')
)
