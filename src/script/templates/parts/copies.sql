-- Of the tables that pg_restore can't fill: key, and the statements of the source and of the target.
, columns AS (
	SELECT t.oid, string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) AS list,
		string_agg(format('%I', coalesce(new_columns[array_position(old_columns, a.attname::text)], a.attname)), ', '
			ORDER BY a.attnum) AS target_list
	  FROM here t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
	   AND a.attname <> ALL (t.left_out) AND to_json(a)->>'attgenerated' IS DISTINCT FROM 's'
	 GROUP BY t.oid
)
SELECT key, format('COPY (SELECT %s FROM ONLY %I.%I) TO STDOUT', list, nspname, relname),
	CASE :'scope' WHEN 'none' THEN format('COPY %I.%I (%s) FROM STDIN', target_schema, target_name, target_list)
		ELSE format('COPY %I.%I (%s) FROM STDIN', schema, name, list) END
  FROM here JOIN columns USING (oid)
 WHERE relkind = 'r'
   AND (left_out <> '{}' OR (:'scope' = 'none' AND moves))
 ORDER BY relpages DESC;
