-- One table after the other, so that each is locked for a moment only. Leaves are published under their own names.
, columns AS (
	SELECT t.oid, string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) AS list
	  FROM here t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
	   AND a.attname <> ALL (t.left_out) AND to_json(a)->>'attgenerated' IS DISTINCT FROM 's'
	 WHERE t.left_out <> '{}' GROUP BY t.oid
)
SELECT format('ALTER PUBLICATION %I ADD TABLE ONLY %I.%I%s', :'publication', nspname, relname,
	CASE WHEN list IS NULL OR :'names' = 'target' THEN '' ELSE ' (' || list || ')' END)
  FROM here LEFT JOIN columns USING (oid)
 WHERE relkind = 'r' AND relpersistence = 'p' AND NOT EXISTS (SELECT 1 FROM pg_publication_rel r
	JOIN pg_publication p ON p.oid = r.prpubid WHERE p.pubname = :'publication' AND r.prrelid = here.oid)
 ORDER BY shown
\gexec
