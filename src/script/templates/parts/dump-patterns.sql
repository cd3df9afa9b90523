-- Tables as patterns of pg_dump: those that it can take along, or all others.
, able AS (
	SELECT oid FROM here
	 WHERE relkind = 'r' AND left_out = '{}'
	   AND (:'scope' <> 'none' OR NOT moves)
)
SELECT '"' || replace(n.nspname, '"', '""') || '"."' || replace(c.relname, '"', '""') || '"'
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.oid >= 16384 AND n.nspname <> 'information_schema'
   AND CASE :'side' WHEN 'chosen' THEN c.oid IN (SELECT oid FROM able) ELSE c.oid NOT IN (SELECT oid FROM able) END
 ORDER BY 1;
